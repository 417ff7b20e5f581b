#include "runtime/mail.hpp"

#include "runtime/shard.hpp"

namespace starling::runtime {
namespace {

std::size_t payload_bytes(const gossip::Rpc& rpc) noexcept {
  std::size_t bytes = 0;
  for (const auto& message : rpc.messages) bytes += message->cost_bytes();
  return bytes;
}

MailLoad load_of(const gossip::Rpc& rpc) noexcept {
  MailLoad load;
  load.data_count = rpc.messages.size();
  load.data_bytes = payload_bytes(rpc);
  load.control_count = rpc.subscriptions.empty() && rpc.control.empty() ? 0 : 1;
  return load;
}

}  // namespace

MailLoad load_of(const Mail& mail) noexcept {
  if (const auto* event = std::get_if<node::EdgeEvent>(&mail)) {
    if (const auto* received = std::get_if<node::up::GossipReceived>(event)) return load_of(received->rpc);
    if (std::holds_alternative<node::up::KadAsked>(*event) ||
        std::holds_alternative<node::up::PresenceAsked>(*event))
      return {1, 0, 0};
  } else if (const auto* command = std::get_if<node::EdgeCommand>(&mail)) {
    if (const auto* send = std::get_if<node::down::SendGossip>(command)) return load_of(send->rpc);
  }
  return {};
}

bool Inbox::data_full() const noexcept {
  return data_count_.load(std::memory_order_relaxed) >= kMailDataMax ||
         data_bytes_.load(std::memory_order_relaxed) >= kMailDataBytesMax;
}

void Inbox::wake(std::unique_lock<std::mutex> lock, bool was_empty) {
  if (!was_empty) return;
  // Under the lock, so that close() cannot take the loop away in between.
  loop_->post([self = shared_from_this()] {
    if (self->shard_ != nullptr) self->shard_->on_mail();
  });
  lock.unlock();
}

void Inbox::post(Job job) {
  std::unique_lock lock(mutex_);
  if (loop_ == nullptr) {
    lock.unlock();  // the job dies outside of the lock: it may own anything
    return;
  }
  const bool was_empty = mail_.empty();
  mail_.emplace_back(std::move(job));
  wake(std::move(lock), was_empty);
}

void Inbox::put(std::vector<Mail>& batch) {
  if (batch.empty()) return;
  MailLoad load;
  for (const Mail& mail : batch) {
    const MailLoad one = load_of(mail);
    load.data_count += one.data_count;
    load.data_bytes += one.data_bytes;
    load.control_count += one.control_count;
  }
  std::unique_lock lock(mutex_);
  if (loop_ == nullptr) {
    lock.unlock();
    batch.clear();
    return;
  }
  data_count_.fetch_add(load.data_count, std::memory_order_relaxed);
  data_bytes_.fetch_add(load.data_bytes, std::memory_order_relaxed);
  control_count_.fetch_add(load.control_count, std::memory_order_relaxed);
  const bool was_empty = mail_.empty();
  mail_.insert(mail_.end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
  batch.clear();
  wake(std::move(lock), was_empty);
}

Shard* Inbox::shard_here() const noexcept {
  const std::lock_guard lock(mutex_);
  return loop_ != nullptr && loop_->in_this_thread() ? shard_ : nullptr;
}

std::vector<Mail> Inbox::take() {
  const std::lock_guard lock(mutex_);
  data_count_.store(0, std::memory_order_relaxed);
  data_bytes_.store(0, std::memory_order_relaxed);
  control_count_.store(0, std::memory_order_relaxed);
  return std::exchange(mail_, {});
}

void Inbox::close() {
  std::vector<Mail> dropped;
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
  dropped.swap(mail_);
}

}  // namespace starling::runtime
