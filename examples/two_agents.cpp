// Two agents in one process find each other by address and exchange a sealed message.
#include <cstdlib>
#include <future>
#include <iostream>

#include "starling/node.hpp"
#include "starling/wait.hpp"

using namespace std::chrono_literals;

namespace {

starling::NodeOptions on_loopback(const std::vector<std::string>& bootstrap) {
  starling::NodeOptions options;
  options.listen = {"/ip4/127.0.0.1/tcp/0"};
  options.bootstrap = bootstrap;
  options.threads = 1;
  return options;
}

/// Ends the program with the reason when there is no value.
template <class T>
T must(starling::Outcome<T> outcome) {
  if (!outcome) {
    std::cerr << outcome.failure().kind << ": " << outcome.failure().message << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*outcome);
}

}  // namespace

int main() {
  // Somebody has to be there first: a node that keeps the directory.
  auto options = on_loopback({});
  options.role = starling::Role::bootstrap;
  starling::Node directory(options);
  must(directory.start());

  starling::Node alice(on_loopback(directory.addresses()));
  starling::Node bob(on_loopback(directory.addresses()));
  std::promise<starling::AgentMessage> arrived;
  bob.on_message([&](const starling::AgentMessage& message) { arrived.set_value(message); });
  must(alice.start());
  must(bob.start());
  must(starling::wait<void>([&](auto done) { alice.joined(10s, done); }));
  must(starling::wait<void>([&](auto done) { bob.joined(10s, done); }));

  const auto found =
      must(starling::wait<starling::Found>([&](auto done) { alice.find(bob.address(), done); }));
  std::cout << "found " << found.address << " at " << found.addresses.front() << "\n";

  const auto sent = must(starling::wait<starling::Delivery>(
      [&](auto done) { alice.send(starling::message_to(bob.address(), "hello bob"), done); }));
  std::cout << "message " << sent.id << " is " << to_string(sent.state) << "\n";

  const auto message = arrived.get_future().get();
  std::cout << message.from << " says: " << message.text() << (message.sealed ? " (sealed)" : "") << "\n";
}
