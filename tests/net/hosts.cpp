#include "net/hosts.hpp"

#include <filesystem>
#include <fstream>
#include <thread>

#include "format/multiaddr.hpp"
#include "runtime/system.hpp"

namespace starling::net {

HostOptions dialling() {
  HostOptions options;
  options.threads = 1;
  options.log_level = "error";
  return options;
}

HostOptions listening() {
  HostOptions options = dialling();
  options.listen = {kLoopback};
  return options;
}

void serve_echo(Stream stream) {
  Stream in = stream;
  in.read([stream](const Outcome<ByteSpan>& got) mutable {
    if (!got) return;
    if (got->empty()) return stream.finish();
    Stream out = stream;
    out.write(*got, [stream](const Outcome<void>& written) {
      if (written) serve_echo(stream);
    });
  });
}

std::unique_ptr<Host> start(HostOptions options) {
  auto host = std::make_unique<Host>(std::move(options));
  host->set_stream_handler(kEcho, &serve_echo);
  const auto started = host->start();
  if (!started) throw std::runtime_error(started.failure().message);
  return host;
}

Outcome<std::string> connect(Host& from, Host& to) {
  return answer<std::string>([&](auto done) { from.connect(to.addresses().front(), done); });
}

namespace {

struct EchoClient : std::enable_shared_from_this<EchoClient> {
  Stream stream;
  std::vector<std::uint8_t> sent;
  std::vector<std::uint8_t> back;
  std::function<void(Outcome<std::vector<std::uint8_t>>)> done;

  void read() {
    stream.read([self = shared_from_this()](const Outcome<ByteSpan>& got) {
      if (!got) return self->done(got.failure());
      if (got->empty()) return self->done(std::move(self->back));
      self->back.insert(self->back.end(), got->begin(), got->end());
      self->read();
    });
  }
};

}  // namespace

Outcome<std::vector<std::uint8_t>> echo(Host& from, const std::string& peer,
                                        std::vector<std::uint8_t> bytes) {
  auto opened = answer<Stream>([&](auto done) { from.open_stream(peer, {kEcho}, done); });
  if (!opened) return opened.failure();
  const auto client = std::make_shared<EchoClient>();
  client->stream = *opened;
  client->sent = std::move(bytes);
  return answer<std::vector<std::uint8_t>>([&](auto done) {
    client->done = done;
    client->stream.write(client->sent);
    client->stream.finish();
    client->read();
  });
}

std::vector<std::uint8_t> pattern(std::size_t count) {
  std::vector<std::uint8_t> out(count);
  std::uint32_t x = 1;
  for (auto& byte : out) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(x >> 24U);
  }
  return out;
}

HostStats stats(Host& host) {
  auto got = answer<HostStats>([&](auto done) { host.stats(done); });
  if (!got) throw std::runtime_error(got.failure().message);
  return std::move(*got);
}

std::uint64_t counter(Host& host, const std::string& name) {
  const auto all = stats(host).counters;
  const auto it = all.find(name);
  return it == all.end() ? 0 : it->second;
}

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::uint64_t resident_bytes() { return runtime::process_use().rss_bytes; }

std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::uint16_t port_of(const std::string& address) {
  const auto parsed = Multiaddr::parse(address);
  return parsed && parsed->as_tcp() ? parsed->as_tcp()->port : 0;
}

}  // namespace starling::net
