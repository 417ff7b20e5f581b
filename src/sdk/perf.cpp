#include "starling/perf.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace starling {
namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;
constexpr std::size_t kHeadBytes = 8;
const std::array<std::uint8_t, kBlockBytes> kZeros{};

/// Writes `count` zeros, then finishes.
void send_zeros(const Stream& stream, std::uint64_t count, const std::function<void(std::size_t)>& sent) {
  Stream out = stream;
  if (count == 0) return out.finish();
  const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, kZeros.size()));
  out.write(ByteSpan(kZeros.data(), part),
            [stream, rest = count - part, part, sent](const Outcome<void>& written) {
              if (!written) return;
              if (sent) sent(part);
              send_zeros(stream, rest, sent);
            });
}

/// The serving side of one stream: it reads to the end before it answers.
struct Server : std::enable_shared_from_this<Server> {
  explicit Server(Stream served) : stream(std::move(served)) {}

  void read_on() {
    stream.read([self = shared_from_this()](const Outcome<ByteSpan>& got) {
      if (!got) return;
      if (got->empty()) return self->answer();
      for (std::size_t i = 0; i < got->size() && self->received + i < kHeadBytes; ++i)
        self->wanted = self->wanted << 8U | (*got)[i];
      self->received += got->size();
      self->read_on();
    });
  }
  void answer() {
    if (received < kHeadBytes) return stream.reset();
    send_zeros(stream, wanted, {});
  }

  Stream stream;
  std::uint64_t wanted = 0;
  std::uint64_t received = 0;
};

struct Client : std::enable_shared_from_this<Client> {
  void begin(Stream opened) {
    stream = std::move(opened);
    std::array<std::uint8_t, kHeadBytes> head{};
    for (std::size_t i = 0; i < head.size(); ++i) head[i] = static_cast<std::uint8_t>(down >> (56 - 8 * i));
    stream.write(head);
    send_zeros(stream, up, [self = shared_from_this()](std::size_t count) {
      self->so_far.sent_bytes += count;
      self->tell();
    });
    read_on();
  }
  void read_on() {
    stream.read([self = shared_from_this()](const Outcome<ByteSpan>& got) {
      if (!got) return self->done(got.failure());
      if (got->empty()) return self->end();
      self->so_far.received_bytes += got->size();
      self->tell();
      if (self->so_far.received_bytes > self->down) return self->end();
      self->read_on();
    });
  }
  void end() {
    if (so_far.received_bytes == down) return done(so_far);
    stream.reset();
    done(Failure{"misbehaviour", "sdk/perf", "the peer sent another number of bytes than it was asked for"});
  }
  void tell() const {
    if (progress) progress(so_far);
  }

  Stream stream;
  std::uint64_t up = 0;
  std::uint64_t down = 0;
  PerfProgress so_far;
  std::function<void(const PerfProgress&)> progress;
  std::function<void(Outcome<PerfProgress>)> done;
};

}  // namespace

void serve_perf(Host& host) {
  host.set_stream_handler(kPerfProtocol,
                          [](Stream stream) { std::make_shared<Server>(std::move(stream))->read_on(); });
}

void measure_perf(const Connection& connection, std::uint64_t up_bytes, std::uint64_t down_bytes,
                  std::function<void(const PerfProgress&)> progress,
                  std::function<void(Outcome<PerfProgress>)> done) {
  const auto client = std::make_shared<Client>();
  client->up = up_bytes;
  client->down = down_bytes;
  client->progress = std::move(progress);
  client->done = std::move(done);
  connection.open_stream({kPerfProtocol}, [client](Outcome<Stream> opened) {
    if (!opened) return client->done(opened.failure());
    client->begin(std::move(opened).value());
  });
}

}  // namespace starling
