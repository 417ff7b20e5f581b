// fuzz-depends: yamux
// The yamux session. The first byte of an input chooses: raw bytes of a hostile peer; a program of hostile
// frames mixed with calls of the application; or a program that runs two sessions against each other, whose
// streams must agree.
#include <cstdint>
#include <map>
#include <vector>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "input.hpp"
#include "proto/yamux/frame.hpp"
#include "proto/yamux/session.hpp"

namespace {

using namespace starling;
using namespace starling::yamux;

Config small_config() {
  Config config;
  config.streams_inbound_max = 8;
  config.streams_outbound_max = 8;
  config.ack_backlog_max = 4;
  config.window_growth_budget_max = 3 * kWindowInitial;
  config.receive_buffer_max = 2 * kWindowInitial + 1'000;
  config.send_buffer_max = 5'000;
  config.abandoned_streams_burst_max = 20;
  return config;
}

/// Whole frames only, every data frame within what the peer granted, nothing behind a GoAway.
void check_output(ByteView bytes, std::map<std::uint32_t, std::uint64_t>* granted) {
  while (!bytes.empty()) {
    STARLING_ASSERT(bytes.size() >= kHeaderBytes);
    const Header header = decode_header(bytes.first<kHeaderBytes>());
    bytes = bytes.subspan(kHeaderBytes);
    STARLING_ASSERT(header.version == 0 && header.type <= 3 && header.flags <= 15);
    if (header.type != static_cast<std::uint8_t>(FrameType::data)) continue;
    STARLING_ASSERT(header.length > 0 && header.length <= kFramePayloadMax && header.length <= bytes.size());
    STARLING_ASSERT(!header.has(kFin));
    bytes = bytes.subspan(header.length);
    if (granted == nullptr) continue;
    auto& credit = granted->try_emplace(header.stream, std::uint64_t{kWindowInitial}).first->second;
    STARLING_ASSERT(credit >= header.length);
    credit -= header.length;
  }
}

Bytes gather(Session& session, std::size_t bytes_max, Instant now) {
  std::vector<ByteView> parts;
  session.gather(parts, bytes_max, now);
  Bytes out;
  for (const ByteView part : parts) append(out, part);
  session.sent();
  return out;
}

void check_bounds(const Session& session, const Config& config) {
  STARLING_ASSERT(session.inbound_count() <= config.streams_inbound_max);
  STARLING_ASSERT(session.outbound_count() <= config.streams_outbound_max);
  STARLING_ASSERT(session.receive_buffered_bytes() <= config.receive_buffer_max);
  STARLING_ASSERT(session.send_buffered_bytes() <= session.stream_count() * config.send_buffer_max);
}

void application_step(Session& session, std::uint8_t op, Input& input, Instant now) {
  const StreamId id(input.u8());
  static const Bytes kPayload(6'000, 0x5a);
  switch (op % 8) {
    case 0: (void)session.open(); break;
    case 1:
      session.write(id, ByteView(kPayload).first(std::min<std::size_t>(input.u16(), kPayload.size())));
      break;
    case 2:
      session.write(id, Slice::copy(ByteView(kPayload).first(std::min<std::size_t>(input.u16(), 6'000))));
      break;
    case 3: session.consume(id, std::min<std::size_t>(session.readable_bytes(id), input.u32()), now); break;
    case 4: session.finish(id); break;
    case 5: session.reset(id, input.u8()); break;
    case 6: input.u8() == 0 ? session.drain() : session.ping(now); break;
    default:
      if (input.u8() == 0) session.go_away(input.u8());
      break;
  }
}

void drain_events(Session& session) {
  while (session.poll()) continue;
}

void raw(Input& input) {
  const Config config = small_config();
  Session session(input.u8() % 2 == 0 ? Role::server : Role::client, config, Instant{});
  bool alive = true;
  while (!input.empty()) {
    const Result<void> result = session.receive(input.take(std::size_t{input.u8()} + 1), Instant{});
    STARLING_ASSERT(alive || !result);
    alive = result.has_value();
    check_bounds(session, config);
    if (alive) drain_events(session);
    const Bytes out = gather(session, 1'000'000, Instant{});
    check_output(out, nullptr);
    STARLING_ASSERT(alive || out.size() <= kHeaderBytes);
  }
}

void hostile(Input& input) {
  const Config config = small_config();
  Session session(input.u8() % 2 == 0 ? Role::server : Role::client, config, Instant{});
  std::map<std::uint32_t, std::uint64_t> granted;
  Instant now;
  while (!input.empty()) {
    const std::uint8_t op = input.u8();
    now = now + Duration(std::chrono::milliseconds(op >> 5));
    if (op % 4 == 0) {
      application_step(session, input.u8(), input, now);
    } else if (op % 4 == 1) {
      check_output(gather(session, input.u16(), now), &granted);
    } else if (op == 2) {
      now = std::max(now, session.deadline().is_never() ? now : session.deadline());
      (void)session.on_deadline(now);
    } else {
      HeaderBytes header;
      const auto type = static_cast<FrameType>(input.u8() % 5);
      const std::uint16_t flags = input.u8();
      const std::uint32_t stream = input.u8();
      const std::uint32_t length = op >= 128 ? input.u32() : input.u16();
      encode_header(type, flags, stream, length, header);
      if (type == FrameType::window_update) {
        auto& credit = granted.try_emplace(stream, std::uint64_t{kWindowInitial}).first->second;
        if ((flags & kSyn) != 0)
          credit = std::max<std::uint64_t>(credit, kWindowInitial);  // an id used again
        credit += length;
      } else if (type == FrameType::data && (flags & kSyn) != 0) {
        auto& credit = granted[stream];
        credit = std::max<std::uint64_t>(credit, kWindowInitial);
      }
      (void)session.receive(header, now);
      if (type == FrameType::data) {
        static const Bytes kBody(kWindowInitial + 1);
        (void)session.receive(ByteView(kBody).first(std::min<std::size_t>(length, kBody.size())), now);
      }
    }
    if (op % 3 == 0) drain_events(session);
    check_bounds(session, config);
  }
}

void pair(Input& input) {
  Config config = small_config();
  config.abandoned_streams_burst_max = 1e9;
  config.receive_buffer_max = kReceiveBufferMax;
  Session sides[2] = {Session(Role::client, config, Instant{}), Session(Role::server, config, Instant{})};
  Bytes wire[2];
  Instant now;
  while (!input.empty()) {
    const std::uint8_t op = input.u8();
    const int side = op & 1;
    now = now + Duration(std::chrono::milliseconds(op >> 6));
    if ((op & 2) == 0) {
      const std::uint8_t call = input.u8();
      if (call % 8 < 6) application_step(sides[side], call, input, now);
    } else if ((op & 4) == 0) {
      append(wire[side], gather(sides[side], input.u16(), now));
    } else {
      const std::size_t count = std::min<std::size_t>(wire[side].size(), input.u16());
      // Two honest sessions never refuse each other, except for answers that are never carried.
      const Result<void> result = sides[1 - side].receive(ByteView(wire[side]).first(count), now);
      STARLING_ASSERT(result || result.error() == make_error(Errc::control_backlog_full));
      wire[side].erase(wire[side].begin(), wire[side].begin() + static_cast<std::ptrdiff_t>(count));
    }
    drain_events(sides[side]);
    drain_events(sides[1 - side]);
    check_bounds(sides[side], config);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(ByteView(data, size));
  switch (input.u8() % 3) {
    case 0: raw(input); break;
    case 1: hostile(input); break;
    default: pair(input); break;
  }
  return 0;
}
