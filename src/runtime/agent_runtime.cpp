#include "runtime/agent_runtime.hpp"

#include "runtime/agent_brain.hpp"
#include "runtime/node_runtime.hpp"

namespace starling::runtime {

struct AgentRuntime::State {
  explicit State(Setup setup)
      : peer(setup.identity.peer_id()),
        kept(std::move(setup.kept)),
        runtime(std::move(setup.options), [&](Env& env, Now now) {
          auto made = std::make_unique<AgentBrain>(setup, env, now);
          brain = made.get();
          return std::unique_ptr<Brain>(std::move(made));
        }) {}

  PeerId peer;
  std::vector<KeptValue> kept;
  AgentBrain* brain = nullptr;  // owned by the runtime
  NodeRuntime runtime;
};

AgentRuntime::AgentRuntime(Setup setup) : state_(std::make_unique<State>(std::move(setup))) {}

AgentRuntime::~AgentRuntime() = default;

Result<void> AgentRuntime::start() {
  State* state = state_.get();
  auto started = state->runtime.start([state](Now now) { return state->brain->restore(state->kept, now); });
  state->kept.clear();
  return started;
}

void AgentRuntime::post(std::move_only_function<void(node::AgentNode&, Now)> work) {
  state_->runtime.post(
      [brain = state_->brain, work = std::move(work)](Shard&, Now now) mutable { work(brain->node(), now); });
}

void AgentRuntime::post_after(Duration delay, std::move_only_function<void(node::AgentNode&, Now)> work) {
  state_->runtime.post_after(delay, [brain = state_->brain, work = std::move(work)](Shard&, Now now) mutable {
    work(brain->node(), now);
  });
}

void AgentRuntime::metrics(std::function<void(MetricsSnapshot)> done) {
  state_->runtime.metrics(std::move(done));
}

void AgentRuntime::stop() { state_->runtime.stop(); }

void AgentRuntime::refuse_own_thread() const { state_->runtime.refuse_own_thread(); }

const PeerId& AgentRuntime::peer_id() const noexcept { return state_->peer; }

std::vector<Multiaddr> AgentRuntime::listening() const { return state_->runtime.listening(); }

}  // namespace starling::runtime
