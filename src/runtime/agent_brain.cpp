#include "runtime/agent_brain.hpp"

#include "runtime/limits.hpp"
#include "runtime/system.hpp"

namespace starling::runtime {

AgentBrain::AgentBrain(AgentRuntime::Setup& setup, Env& env, Now now)
    : events_(std::move(setup.events)),
      node_(std::move(setup.agent), std::move(setup.host), std::move(setup.identity),
            agent::real_signatures(), env, now) {}

Result<void> AgentBrain::restore(const std::vector<AgentRuntime::KeptValue>& kept, Now now) {
  for (const auto& value : kept) {
    if (value.what == node::Kept::issued || value.what == node::Kept::delegation) continue;
    STARLING_TRY(node_.restore(value.what, value.key, value.value, now));
  }
  return {};
}

void AgentBrain::start(Now now) {
  facts_cpu_ = process_use().cpu;
  facts_at_ = now.mono;
  look_at_process(now);
  node_.start(now);
}

void AgentBrain::look_at_process(Now now) {
  const ProcessUse use = process_use();
  node::ProcessFacts facts;
  facts.rss_bytes = use.rss_bytes;
  const Duration passed = now.mono - facts_at_;
  if (passed > Duration::zero())
    facts.cpu_permille = static_cast<std::uint32_t>((use.cpu - facts_cpu_).count() * 1000 / passed.count());
  facts_cpu_ = use.cpu;
  facts_at_ = now.mono;
  facts_due_ = now.mono + kProcessFactsInterval;
  node_.set_process_facts(facts);
}

void AgentBrain::drain(Now now, CommandSink& sink) {
  while (auto action = node_.poll(now)) {
    if (write(*action)) unsettled_ = true;
    if (unsettled_)
      held_.push_back(*std::move(action));
    else
      let_go(*action, now, sink);
  }
}

bool AgentBrain::write(const node::AgentNode::Action& action) {
  const auto* event = std::get_if<node::agent_event::Event>(&action);
  if (event == nullptr) return false;
  if (const auto* persist = std::get_if<node::agent_event::Persist>(event)) {
    if (events_.persist) events_.persist(*persist);
    return true;
  }
  if (const auto* message = std::get_if<node::agent_event::Message>(event)) {
    if (events_.receive) events_.receive(message->message);
    return true;
  }
  return false;
}

void AgentBrain::settle(Now now, CommandSink& sink) {
  if (events_.commit) events_.commit();
  unsettled_ = false;
  for (auto& action : std::exchange(held_, {})) let_go(action, now, sink);
}

void AgentBrain::let_go(node::AgentNode::Action& action, Now now, CommandSink& sink) {
  using namespace node::agent_event;
  if (auto* command = std::get_if<node::EdgeCommand>(&action)) {
    sink.command(std::move(*command));
  } else if (auto* news = std::get_if<Event>(&action)) {
    if (std::holds_alternative<ShutdownReady>(*news))
      ready_ = true;
    else if (!std::holds_alternative<Persist>(*news) && events_.agent)
      events_.agent(*news, now);
  } else if (events_.host) {
    events_.host(std::get<node::host_event::Event>(action), now);
  }
}

Instant AgentBrain::deadline() const { return std::min({node_.deadline(), facts_due_, close_by_}); }

void AgentBrain::on_deadline(Now now) {
  if (facts_due_ <= now.mono) look_at_process(now);
  if (close_by_ <= now.mono) {
    ready_ = true;
    close_by_ = Instant::never();
  }
  node_.on_deadline(now);
}

void AgentBrain::begin_shutdown(Now now) {
  // A brain that cannot withdraw in time must not keep the process alive.
  close_by_ = now.mono + node::kWithdrawTimeMax + 1s;
  node_.begin_shutdown(now);
}

}  // namespace starling::runtime
