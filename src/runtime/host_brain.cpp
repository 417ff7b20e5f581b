#include "runtime/host_brain.hpp"

namespace starling::runtime {
namespace {

kad::Validators& prepared(kad::Validators& validators, HostBrain::Records records,
                          kad::PublicKeyValidator& public_keys, kad::PermissiveValidator& anything) {
  if (records == HostBrain::Records::anything)
    validators.accept_any_namespace(anything);
  else
    validators.add("pk", public_keys);
  return validators;
}

}  // namespace

HostBrain::HostBrain(node::HostConfig config, crypto::PrivateKey key, Records records, EventFunction events,
                     Env& env, Now now)
    : events_(std::move(events)),
      host_(std::move(config), std::move(key), prepared(validators_, records, public_keys_, anything_), env,
            now) {}

void HostBrain::drain(Now now, CommandSink& sink) {
  while (auto action = host_.poll(now)) {
    if (auto* command = std::get_if<node::EdgeCommand>(&*action))
      sink.command(std::move(*command));
    else if (events_)
      events_(std::get<node::host_event::Event>(*action), now);
  }
}

}  // namespace starling::runtime
