#include "streams.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "contract.hpp"

namespace peer {

using starling::ByteSpan;
using starling::Failure;
using starling::Outcome;
using starling::Stream;

namespace {

const std::array<std::uint8_t, kRrBytes> kRequest{};

struct RrServer {
  std::array<std::uint8_t, kRrBytes> block{};
  std::size_t have = 0;
};

void serve_rr_on(const Stream& stream, const std::shared_ptr<RrServer>& state) {
  Stream in = stream;
  in.read([stream, state](const Outcome<ByteSpan>& got) {
    Stream out = stream;
    if (!got) return;
    if (got->empty()) return out.reset();
    const std::size_t count = std::min(got->size(), state->block.size() - state->have);
    std::copy_n(got->begin(), count, state->block.begin() + static_cast<std::ptrdiff_t>(state->have));
    state->have += count;
    if (state->have < state->block.size()) return serve_rr_on(stream, state);
    out.write(state->block);
    out.finish();
  });
}

/// One exchange of the echo command; alive as long as its stream has callbacks.
struct EchoClient : std::enable_shared_from_this<EchoClient> {
  Stream stream;
  std::vector<std::uint8_t> data;
  std::size_t written = 0;
  Echoed back;
  double began = now_ms();
  std::function<void(Outcome<Echoed>)> done;

  void write_on() {
    const std::size_t count = std::min(kBlockBytes, data.size() - written);
    if (count == 0) return stream.finish();
    const ByteSpan part(data.data() + written, count);
    written += count;
    stream.write(part, [self = shared_from_this()](const Outcome<void>& accepted) {
      if (accepted) self->write_on();
    });
  }
  void read_on() {
    stream.read([self = shared_from_this()](const Outcome<ByteSpan>& got) {
      if (!got) return self->end(got.failure());
      if (got->empty()) {
        self->back.ms = now_ms() - self->began;
        return self->end(std::move(self->back));
      }
      if (self->back.bytes.size() + got->size() > self->data.size())
        return self->end(Failure{"misbehaviour", "peer/echo", "more came back than was sent"});
      self->back.bytes.insert(self->back.bytes.end(), got->begin(), got->end());
      self->read_on();
    });
  }
  void end(Outcome<Echoed> outcome) {
    if (!outcome) stream.reset();
    done(std::move(outcome));
  }
};

using MessageBytes = std::array<std::uint8_t, kMessageBytes>;

/// A message is its number, eight times.
MessageBytes message_of(std::uint64_t number) {
  MessageBytes out;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(number >> (56 - 8 * (i % 8)));
  return out;
}

/// The asking side of a stream of messages; alive as long as its stream has callbacks.
struct MessageClient : std::enable_shared_from_this<MessageClient> {
  Stream stream;
  std::vector<double> sent_ms;  // of the messages in flight, by number % depth
  double end_ms = 0;
  double began_ms = 0;
  std::uint64_t sent = 0;
  std::uint64_t back = 0;
  MessageBytes answer{};
  std::size_t have = 0;
  Exchanged exchanged;
  std::function<void(Outcome<Exchanged>)> done;

  void start(double seconds) {
    began_ms = now_ms();
    end_ms = began_ms + seconds * 1000;
    for (std::size_t i = 0; i < sent_ms.size(); ++i) send(now_ms());
    read_on();
  }
  void send(double now) {
    sent_ms[sent % sent_ms.size()] = now;
    stream.write(message_of(sent++));
  }
  void read_on() {
    stream.read([self = shared_from_this()](const Outcome<ByteSpan>& got) {
      if (!got) return self->done(got.failure());
      if (got->empty()) return self->fail("the echo ended early");
      if (!self->take(*got)) return self->fail("a message came back changed");
      if (self->back < self->sent) return self->read_on();
      self->exchanged.seconds = (now_ms() - self->began_ms) / 1000;
      self->stream.finish();
      self->done(std::move(self->exchanged));
    });
  }
  /// False when something came back that was not sent.
  bool take(ByteSpan bytes) {
    while (!bytes.empty()) {
      const std::size_t count = std::min(bytes.size(), answer.size() - have);
      std::copy_n(bytes.begin(), count, answer.begin() + static_cast<std::ptrdiff_t>(have));
      bytes = bytes.subspan(count);
      have += count;
      if (have < answer.size()) return true;
      have = 0;
      if (back == sent || answer != message_of(back)) return false;
      const double now = now_ms();
      exchanged.times_us.push_back((now - sent_ms[back++ % sent_ms.size()]) * 1000);
      if (now < end_ms) send(now);
    }
    return true;
  }
  void fail(const char* why) {
    stream.reset();
    done(Failure{"misbehaviour", "peer/messages", why});
  }
};

struct RrClient : std::enable_shared_from_this<RrClient> {
  Stream stream;
  std::size_t have = 0;
  std::function<void(Outcome<void>)> done;

  void read_on() {
    stream.read([self = shared_from_this()](const Outcome<ByteSpan>& got) {
      if (!got) return self->done(got.failure());
      if (got->empty()) return self->done(Failure{"misbehaviour", "peer/rr", "the answer is too short"});
      self->have += got->size();
      if (self->have < kRrBytes) return self->read_on();
      self->done({});
    });
  }
};

}  // namespace

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

void serve_rr(const Stream& stream) { serve_rr_on(stream, std::make_shared<RrServer>()); }

std::vector<std::uint8_t> pseudo_random(std::uint32_t seed, std::size_t count) {
  std::uint32_t x = seed == 0 ? 1 : seed;
  std::vector<std::uint8_t> out;
  out.reserve(count + 4);
  while (out.size() < count) {
    x ^= x << 13U;
    x ^= x >> 17U;
    x ^= x << 5U;
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(x >> shift));
  }
  out.resize(count);
  return out;
}

void ask_echo(const starling::Connection& connection, std::vector<std::uint8_t> data,
              std::function<void(Outcome<Echoed>)> done) {
  const auto client = std::make_shared<EchoClient>();
  client->data = std::move(data);
  client->done = std::move(done);
  connection.open_stream({kEchoProtocol}, [client](Outcome<Stream> opened) {
    if (!opened) return client->done(opened.failure());
    client->stream = std::move(opened).value();
    client->write_on();
    client->read_on();
  });
}

void ask_messages(const starling::Connection& connection, std::size_t depth, double seconds,
                  std::function<void(Outcome<Exchanged>)> done) {
  const auto client = std::make_shared<MessageClient>();
  client->sent_ms.resize(depth);
  client->done = std::move(done);
  connection.open_stream(
      {kEchoProtocol},
      [client, seconds](Outcome<Stream> opened) {
        if (!opened) return client->done(opened.failure());
        client->stream = std::move(opened).value();
        client->start(seconds);
      },
      starling::Agreement::awaited);
}

void ask_rr(const starling::Connection& connection, std::function<void(Outcome<void>)> done) {
  const auto client = std::make_shared<RrClient>();
  client->done = std::move(done);
  connection.open_stream({kRrProtocol}, [client](Outcome<Stream> opened) {
    if (!opened) return client->done(opened.failure());
    client->stream = std::move(opened).value();
    client->stream.write(kRequest);
    client->stream.finish();
    client->read_on();
  });
}

}  // namespace peer
