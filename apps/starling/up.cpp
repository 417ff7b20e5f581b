#include <unistd.h>

#include "api/control_server.hpp"
#include "api/views.hpp"
#include "command.hpp"
#include "home/data_dir.hpp"
#include "signals.hpp"

namespace starling::cli {

int run_up(const NodeOptions& options, const Output& output) {
  const Signals signal{SIGINT, SIGTERM};
  auto config = service_config(options);
  if (!config) return output.fail(config.error());
  if (config->listen.empty()) {
    for (const auto* text : {"/ip4/0.0.0.0/tcp/4001", "/ip6/::/tcp/4001"})
      config->listen.push_back(*Multiaddr::parse(text));
  }
  std::string where;
  for (const auto& address : config->listen) where += (where.empty() ? "" : ", ") + address.to_string();
  const auto data_dir = config->data_dir;
  const bool wants_bootstrap = !config->bootstrap.empty();
  auto service = api::Service::start(*std::move(config));
  if (!service) {
    const bool about_home = service.error().category().name == "home";
    return output.fail({service.error(), about_home ? data_dir.string() : where});
  }
  const auto socket = home::DataDir::open(data_dir, home::DataDir::Lock::none)->control_socket();
  auto control = api::ControlServer::listen(socket, **service, [] { ::kill(::getpid(), SIGTERM); });
  if (!control) return output.fail({control.error(), socket.string()});

  boost::json::array addresses;
  for (const auto& address : (*service)->addresses()) addresses.emplace_back(address.to_string());
  output.line({{"event", "ready"},
               {"address", (*service)->wallet().to_string()},
               {"peer_id", (*service)->peer_id().to_string()},
               {"addrs", std::move(addresses)},
               {"role", agent::to_string((*service)->role())}});
  if ((*service)->wallet_was_made())
    output.note("made a new wallet: " + (*service)->wallet().to_string() + " in " +
                (data_dir / "keystore").string() +
                "\nnext:  back up that folder; whoever has it is this agent");
  if (wants_bootstrap && !signal.wait(5)) {
    if ((*service)->peers().empty())
      output.note(
          "no bootstrap node answers yet; trying again until one does\nnext:  check the --bootstrap "
          "addresses");
    while (!signal.wait(3600)) {
    }
  } else if (!wants_bootstrap) {
    while (!signal.wait(3600)) {
    }
  }
  control->reset();
  (*service)->stop();
  return 0;
}

}  // namespace starling::cli
