// Two hosts on loopback: one asks, the other answers in capitals. Uses nothing but the installed headers of
// the node library.
#include <cctype>
#include <cstdio>
#include <string>
#include <vector>

#include "starling/host.hpp"
#include "starling/stream.hpp"
#include "starling/wait.hpp"

namespace {

constexpr const char* kShout = "/shout/1.0.0";

// Reads once, answers in capitals, ends.
void shout(starling::Stream stream) {
  auto held = stream;
  stream.read([held](starling::Outcome<starling::ByteSpan> got) mutable {
    if (!got.ok()) return;
    std::vector<std::uint8_t> answer(got->begin(), got->end());
    for (auto& byte : answer) byte = static_cast<std::uint8_t>(std::toupper(byte));
    held.write(answer);
    held.finish();
  });
}

int fail(const char* what, const starling::Failure& failure) {
  std::fprintf(stderr, "%s: %s %s\n", what, failure.code.c_str(), failure.message.c_str());
  return 1;
}

}  // namespace

int main() {
  starling::HostOptions serving;
  serving.listen = {"/ip4/127.0.0.1/tcp/0"};
  serving.threads = 1;
  starling::Host server(serving);
  server.set_stream_handler(kShout, shout);
  if (const auto started = server.start(); !started) return fail("start", started.failure());

  starling::HostOptions asking;
  asking.threads = 1;
  starling::Host client(asking);
  if (const auto started = client.start(); !started) return fail("start", started.failure());

  const auto peer =
      starling::wait<std::string>([&](auto done) { client.connect(server.addresses().front(), done); });
  if (!peer) return fail("connect", peer.failure());
  auto stream =
      starling::wait<starling::Stream>([&](auto done) { client.open_stream(*peer, {kShout}, done); });
  if (!stream) return fail("open_stream", stream.failure());

  const std::string question = "hello";
  stream->write({reinterpret_cast<const std::uint8_t*>(question.data()), question.size()});
  stream->finish();
  const auto answer = starling::wait<std::string>([&](auto done) {
    stream->read([done](starling::Outcome<starling::ByteSpan> got) {
      if (got.ok()) {
        done(std::string(got->begin(), got->end()));
      } else {
        done(got.failure());
      }
    });
  });
  if (!answer) return fail("read", answer.failure());
  std::printf("node %s\n", answer->c_str());
  return *answer == "HELLO" ? 0 : 1;
}
