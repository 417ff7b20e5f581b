// An agent with a data directory is found by another and gets a sealed message into its inbox. Uses nothing
// but the installed headers of the node library.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "starling/node.hpp"
#include "starling/wait.hpp"

namespace {

int fail(const char* what, const starling::Failure& failure) {
  std::fprintf(stderr, "%s: %s %s\n", what, failure.code.c_str(), failure.message.c_str());
  return 1;
}

int run(const std::string& folder) {
  starling::NodeOptions options;
  options.listen = {"/ip4/127.0.0.1/tcp/0"};
  options.threads = 1;
  options.data_dir = folder;
  options.role = starling::Role::bootstrap;
  starling::Node keeper(options);
  if (const auto started = keeper.start(); !started) return fail("start", started.failure());

  options.data_dir.clear();
  options.role = starling::Role::agent;
  options.bootstrap = keeper.addresses();
  starling::Node caller(options);
  if (const auto started = caller.start(); !started) return fail("start", started.failure());
  const auto joined = starling::wait<void>([&](auto done) { caller.joined(std::chrono::seconds(20), done); });
  if (!joined) return fail("joined", joined.failure());
  const auto found = starling::wait<starling::Found>([&](auto done) { caller.find(keeper.address(), done); });
  if (!found) return fail("find", found.failure());
  if (found->peer_id != keeper.peer_id()) return 1;

  const auto sent = starling::wait<starling::Delivery>(
      [&](auto done) { caller.send(starling::message_to(keeper.address(), "hello"), done); });
  if (!sent) return fail("send", sent.failure());
  while (true) {
    const auto inbox = keeper.inbox(0, 1);
    if (!inbox) return fail("inbox", inbox.failure());
    if (inbox->empty()) continue;
    const auto& message = inbox->front();
    std::printf("agent %s\n", std::string(message.text()).c_str());
    return message.text() == "hello" && message.sealed && message.from == caller.address() ? 0 : 1;
  }
}

}  // namespace

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "agent-consumer-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const int status = run(folder);
  std::filesystem::remove_all(folder);
  return status;
}
