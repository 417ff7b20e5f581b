#pragma once
// The agent brain under a driver.
#include "runtime/agent_runtime.hpp"
#include "runtime/brain.hpp"

namespace starling::runtime {

class AgentBrain final : public Brain {
 public:
  AgentBrain(AgentRuntime::Setup& setup, Env& env, Now now);

  node::AgentNode& node() noexcept { return node_; }
  node::Host& host() noexcept override { return node_.host(); }
  Result<void> restore(const std::vector<AgentRuntime::KeptValue>& kept, Now now);
  void start(Now now) override;
  void on(node::EdgeEvent event, Now now) override { node_.on(std::move(event), now); }
  void drain(Now now, CommandSink& sink) override;
  bool unsettled() const override { return unsettled_; }
  void settle(Now now, CommandSink& sink) override;
  Instant deadline() const override;
  void on_deadline(Now now) override;
  void begin_shutdown(Now now) override;
  bool ready_to_close(Now now) const override { return ready_ || close_by_ <= now.mono; }

 private:
  void look_at_process(Now now);
  /// True when the action is to be written before anything after it is let go.
  bool write(const node::AgentNode::Action& action);
  void let_go(node::AgentNode::Action& action, Now now, CommandSink& sink);

  AgentRuntime::Events events_;
  node::AgentNode node_;
  Instant facts_due_ = Instant::never();
  Instant facts_at_;
  Duration facts_cpu_{};
  Instant close_by_ = Instant::never();
  std::vector<node::AgentNode::Action> held_;  ///< waits for settle(), in order
  bool unsettled_ = false;
  bool ready_ = false;
};

}  // namespace starling::runtime
