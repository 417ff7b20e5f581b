// Two libp2p hosts on one gossipsub topic.
#include <future>
#include <iostream>
#include <string_view>
#include <thread>

#include "starling/host.hpp"
#include "starling/wait.hpp"

namespace {

int failed(const starling::Failure& failure) {
  std::cerr << failure.kind << ": " << failure.message << "\n";
  return 1;
}

}  // namespace

int main() {
  constexpr const char* kTopic = "weather";
  std::promise<std::string> heard;

  starling::HostOptions options;
  options.listen = {"/ip4/127.0.0.1/tcp/0"};
  options.gossip = true;
  starling::Host station(options);
  options.events.message = [&](const starling::Message& message) {
    heard.set_value(std::string(message.data.begin(), message.data.end()) + ", says " + message.author());
  };
  starling::Host listener(options);
  for (auto* host : {&station, &listener}) {
    if (const auto started = host->start(); !started) return failed(started.failure());
    const auto joined = starling::wait<void>([&](auto done) { host->subscribe(kTopic, done); });
    if (!joined) return failed(joined.failure());
  }
  const auto peer =
      starling::wait<std::string>([&](auto done) { listener.connect(station.addresses().front(), done); });
  if (!peer) return failed(peer.failure());

  // A subscription takes a moment to travel: wait until the listener is in the topic's mesh.
  while (true) {
    const auto mesh =
        starling::wait<std::vector<std::string>>([&](auto done) { station.mesh_peers(kTopic, done); });
    if (!mesh) return failed(mesh.failure());
    if (!mesh->empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  constexpr std::string_view kText = "rain in the afternoon";
  const auto published = starling::wait<starling::Published>([&](auto done) {
    station.publish(kTopic, {reinterpret_cast<const std::uint8_t*>(kText.data()), kText.size()}, done);
  });
  if (!published) return failed(published.failure());
  std::cout << heard.get_future().get() << "\n";
}
