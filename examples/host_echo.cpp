// Two libp2p hosts: one offers a protocol that sends back what it reads, the other asks.
#include <iostream>
#include <string>

#include "starling/host.hpp"
#include "starling/wait.hpp"

namespace {

constexpr const char* kEcho = "/echo/1.0.0";

// Reads, writes the same, and reads again once that was taken: a peer that does not read holds itself up.
void echo(starling::Stream stream) {
  auto reading = stream;
  reading.read([stream](const starling::Outcome<starling::ByteSpan>& bytes) mutable {
    if (!bytes) return;
    if (bytes->empty()) return stream.finish();
    auto writing = stream;
    writing.write(*bytes, [stream](const starling::Outcome<void>& written) {
      if (written) echo(stream);
    });
  });
}

int failed(const starling::Failure& failure) {
  std::cerr << failure.kind << ": " << failure.message << "\n";
  return 1;
}

}  // namespace

int main() {
  starling::HostOptions options;
  options.listen = {"/ip4/127.0.0.1/tcp/0"};
  starling::Host server(options);
  server.set_stream_handler(kEcho, echo);
  if (const auto started = server.start(); !started) return failed(started.failure());

  starling::Host client(starling::HostOptions{});
  if (const auto started = client.start(); !started) return failed(started.failure());
  const auto peer =
      starling::wait<std::string>([&](auto done) { client.connect(server.addresses().front(), done); });
  if (!peer) return failed(peer.failure());
  auto stream =
      starling::wait<starling::Stream>([&](auto done) { client.open_stream(*peer, {kEcho}, done); });
  if (!stream) return failed(stream.failure());

  const std::string question = "hello libp2p";
  stream->write({reinterpret_cast<const std::uint8_t*>(question.data()), question.size()});
  stream->finish();
  const auto answer = starling::wait<std::string>([&](auto done) {
    stream->read([done](const starling::Outcome<starling::ByteSpan>& bytes) {
      if (!bytes) return done(bytes.failure());
      done(std::string(bytes->begin(), bytes->end()));
    });
  });
  if (!answer) return failed(answer.failure());
  std::cout << "echo: " << *answer << "\n";
}
