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
