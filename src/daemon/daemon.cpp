#include "daemon/daemon.hpp"

#include "daemon/echo.hpp"
#include "daemon/errors.hpp"
#include "daemon/listener.hpp"
#include "daemon/texts.hpp"

namespace starling::daemon {
namespace {

Failure failure_of(const Error& error, const std::string& what) {
  return {std::string(to_string(error.kind())),
          std::string(error.category().name) + "/" + std::to_string(error.code()),
          what + ": " + std::string(error.message())};
}

}  // namespace

struct Daemon::State {
  State(HostOptions options, const Limits& limits)
      : host(with_messages(std::move(options))), desk(loop, host, limits), listener(std::in_place, desk) {}

  ~State() {
    loop.stop();
    host.stop();
    listener.reset();
  }

  HostOptions with_messages(HostOptions options) {
    options.events.message = [this](const Message& message) { desk.subscriptions.tell(message); };
    return options;
  }

  // What is still posted to the loop refers to the desk, and that to the host: so they go in this order,
  // reversed. The desk only remembers where the loop is.
  Host host;
  Desk desk;
  ControlLoop loop;
  std::optional<Listener> listener;
  std::string control;
};

Daemon::Daemon(std::unique_ptr<State> state) : state_(std::move(state)) {}
Daemon::~Daemon() = default;

Outcome<std::unique_ptr<Daemon>> Daemon::start(DaemonOptions options) {
  const auto control = Multiaddr::parse(options.control);
  if (!control) return failure_of(control.error(), options.control);
  auto state = std::make_unique<State>(std::move(options.host), options.limits);
  if (options.echo == DaemonOptions::Echo::on) serve_echo(state->host);
  if (auto started = state->host.start(); !started) return started.failure();
  if (const auto opened = state->listener->open(*control); !opened)
    return failure_of(opened.error(), options.control);
  state->control = state->listener->address().to_string();
  state->listener->accept();
  state->loop.start();
  return std::unique_ptr<Daemon>(new Daemon(std::move(state)));
}

const std::string& Daemon::control_address() const noexcept { return state_->control; }
const std::string& Daemon::peer_id() const noexcept { return state_->host.peer_id(); }
std::vector<std::string> Daemon::addresses() const { return bare_addresses(state_->host); }
Host& Daemon::host() noexcept { return state_->host; }
Drops Daemon::drops() const { return state_->desk.subscriptions.drops(); }

}  // namespace starling::daemon
