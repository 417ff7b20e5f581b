// An agent that answers: what it is sent comes back, until SIGINT or SIGTERM ends it.
#include <csignal>
#include <iostream>

#include "starling/node.hpp"

int main(int argc, char** argv) {
  // Before the first thread starts, so that all of them leave these signals to sigwait() below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  starling::NodeOptions options;
  options.data_dir = "echo-agent";  // the wallet, so that the address stays, and the inbox
  options.name = "echo";
  options.listen = {"/ip4/127.0.0.1/tcp/0"};
  options.bootstrap = {argv + 1, argv + argc};
  starling::Node node(options);

  node.on_message([&](const starling::AgentMessage& message) {
    if (!message.to || message.kind == starling::MessageKind::response) return;  // or two echoes never end
    std::cout << message.from << ": " << message.text() << std::endl;
    node.send(starling::reply_to(message, message.text()),
              [](const starling::Outcome<starling::Delivery>& sent) {
                if (!sent) std::cerr << "no answer went out: " << sent.failure().message << std::endl;
              });
  });
  if (const auto started = node.start(); !started) {
    std::cerr << started.failure().message << "\n";
    return 1;
  }
  std::cout << "ready " << node.address() << std::endl;

  int signal = 0;
  sigwait(&signals, &signal);
  node.stop();
}
