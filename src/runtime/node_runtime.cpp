#include "runtime/node_runtime.hpp"

#include <atomic>
#include <future>
#include <utility>

#include "base/assert.hpp"
#include "runtime/brain_driver.hpp"
#include "runtime/errors.hpp"

namespace starling::runtime {

NodeRuntime::NodeRuntime(Options options, const MakeBrain& make_brain)
    : options_(std::move(options)),
      log_(make_log(options_.log_level, options_.log)),
      loops_(options_.loops ? options_.loops : make_loops(options_.threads)) {
  shared_ = std::make_shared<node::ConnectionsShared>(options_.mux, options_.connections_bytes_max,
                                                      options_.security);
  std::vector<Shard*> shards;
  for (std::size_t i = 0; i < loops_->size(); ++i) {
    inboxes_.push_back(std::make_shared<Inbox>(loops_->at(i)));
    shards_.push_back(std::make_unique<Shard>(
        Shard::Setup{i, &loops_->at(i), log_.get(), shared_, inboxes_.back(), inboxes_.front()}));
    shards.push_back(shards_.back().get());
  }
  auto brain = make_brain(shards.front()->env(), read_clock());
  driver_ = std::make_unique<BrainDriver>(std::move(brain), std::move(shards));
  for (std::size_t i = 0; i < shards_.size(); ++i) inboxes_[i]->bind(*shards_[i]);
}

NodeRuntime::~NodeRuntime() { stop(); }

void NodeRuntime::set_sinks(const std::vector<StreamSink*>& sinks) {
  for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->set_sink(sinks[i]);
}

Result<void> NodeRuntime::start(std::function<Result<void>(Now)> prepare) {
  if (life_ != Life::fresh) return fail(Errc::already_started);
  life_ = Life::running;
  const auto promise = std::make_shared<std::promise<Result<void>>>();
  inboxes_.front()->post([this, promise, prepare = std::move(prepare)](Shard&, Now now) {
    Result<void> result = prepare ? prepare(now) : Result<void>();
    if (result) result = driver_->start(options_.listen, now);
    if (result) listening_ = driver_->listening();
    promise->set_value(result);
  });
  return promise->get_future().get();
}

void NodeRuntime::post(Job job) {
  const auto& inbox = inboxes_.front();
  Shard* home = inbox->shard_here();
  if (home != nullptr && home->in_turn())
    home->add(Mail(std::move(job)));
  else
    inbox->post(std::move(job));
}

void NodeRuntime::post_after(Duration delay, Job job) {
  post([delay, job = std::move(job)](Shard& home, Now now) mutable {
    home.at(now.mono + delay, std::move(job));
  });
}

void NodeRuntime::after_shards(Job job) {
  struct Barrier {
    std::atomic<std::size_t> missing;
    Job job;
  };
  auto barrier = std::make_shared<Barrier>(inboxes_.size(), std::move(job));
  // Not post(): commands of a turn leave the brain at its end.
  inboxes_.front()->post([this, barrier = std::move(barrier)](Shard&, Now) {
    for (const auto& inbox : inboxes_) {
      inbox->post([barrier, home = inboxes_.front()](Shard&, Now) {
        if (--barrier->missing == 0)
          home->post([barrier](Shard& shard, Now at) { std::exchange(barrier->job, nullptr)(shard, at); });
      });
    }
  });
}

const std::shared_ptr<Inbox>& NodeRuntime::inbox_of(node::ConnId conn) const noexcept {
  const auto index = static_cast<std::size_t>(conn.value() >> 56U);
  return inboxes_[index < inboxes_.size() ? index : 0];
}

void NodeRuntime::metrics(std::function<void(MetricsSnapshot)> done) {
  struct Sum {
    std::mutex mutex;
    MetricsSnapshot all;
    std::size_t missing;
    std::function<void(MetricsSnapshot)> done;
  };
  const auto sum = std::make_shared<Sum>();
  sum->missing = inboxes_.size();
  sum->all["connections_bytes"] = shared_->budget.used();
  sum->all["connections_bytes_refused"] = shared_->budget.refused_count();
  sum->done = std::move(done);
  for (const auto& inbox : inboxes_) {
    inbox->post([sum, home = inboxes_.front()](Shard& shard, Now) {
      const std::lock_guard lock(sum->mutex);
      for (const auto& [name, value] : shard.metrics().all()) sum->all[name] += value;
      if (--sum->missing == 0) home->post([sum](Shard&, Now) { sum->done(std::move(sum->all)); });
    });
  }
}

void NodeRuntime::refuse_own_thread() const {
  bool stopped_in_its_own_callback = false;
  for (std::size_t i = 0; i < loops_->size(); ++i)
    stopped_in_its_own_callback = stopped_in_its_own_callback || loops_->at(i).in_this_thread();
  STARLING_ASSERT(!stopped_in_its_own_callback);
}

void NodeRuntime::stop() {
  if (life_ == Life::stopped) return;
  refuse_own_thread();
  life_ = Life::stopped;
  const auto stopped = std::make_shared<std::promise<void>>();
  inboxes_.front()->post(
      [this, stopped](Shard&, Now now) { driver_->begin_stop([stopped] { stopped->set_value(); }, now); });
  stopped->get_future().wait();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const auto retired = std::make_shared<std::promise<void>>();
    inboxes_[i]->post([retired](Shard& shard, Now) { shard.retire([retired] { retired->set_value(); }); });
    retired->get_future().wait();
    inboxes_[i]->close();
  }
}

}  // namespace starling::runtime
