// A test of an agent in one process: the agent, a caller, a directory; no fixed port, no folder, no sleep.
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <future>

#include "starling/node.hpp"
#include "starling/wait.hpp"

using namespace std::chrono_literals;

// What is tested: an agent that answers requests in capitals.
class ShoutAgent {
 public:
  explicit ShoutAgent(starling::NodeOptions options) : node_(std::move(options)) {
    node_.on_message([this](const starling::AgentMessage& message) {
      if (message.kind != starling::MessageKind::request) return;
      std::string text(message.text());
      for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      node_.send(starling::reply_to(message, text), [](const auto&) {});
    });
  }
  starling::Node& node() { return node_; }

 private:
  starling::Node node_;
};

namespace {

void check(bool holds, const char* what) {
  std::printf("%s: %s\n", holds ? "ok" : "FAILED", what);
  if (!holds) std::exit(1);
}

}  // namespace

int main() {
  const starling::EventLoops loops(1);  // one thread for all nodes of the test
  starling::NodeOptions options;
  options.listen = {"/ip4/127.0.0.1/tcp/0"};
  options.loops = loops;
  options.network = "test";
  options.role = starling::Role::bootstrap;
  starling::Node directory(options);
  check(directory.start().ok(), "the directory starts");

  options.role = starling::Role::agent;
  options.bootstrap = directory.addresses();
  ShoutAgent agent(options);
  starling::Node caller(options);
  std::promise<starling::AgentMessage> answer;
  caller.on_message([&](const starling::AgentMessage& message) { answer.set_value(message); });
  for (auto* node : {&agent.node(), &caller}) {
    check(node->start().ok(), "an agent starts");
    check(starling::wait<void>([&](auto done) { node->joined(10s, done); }).ok(), "it joins");
  }

  auto request = starling::message_to(agent.node().address(), "hello");
  request.kind = starling::MessageKind::request;
  const auto sent = starling::wait<starling::Delivery>([&](auto done) { caller.send(request, done); });
  check(sent.ok(), "the request is sent");
  auto answered = answer.get_future();
  check(answered.wait_for(10s) == std::future_status::ready, "an answer comes");
  const auto message = answered.get();
  check(message.text() == "HELLO", "it is in capitals");
  check(message.in_reply_to == sent->id, "it names the request");
}
