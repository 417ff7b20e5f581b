#pragma once
// What yamux tests share: frames by hand, what a session sends, what it reports.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "proto/yamux/frame.hpp"
#include "proto/yamux/session.hpp"

namespace starling::yamux::testing {

constexpr Instant at(Duration since_start) { return Instant::from_ns(0) + since_start; }

inline Bytes frame(FrameType type, int flags, std::uint32_t stream, std::uint32_t length,
                   ByteView body = {}) {
  HeaderBytes header;
  encode_header(type, static_cast<std::uint16_t>(flags), stream, length, header);
  Bytes out(header.begin(), header.end());
  append(out, body);
  return out;
}
inline Bytes data_frame(int flags, std::uint32_t stream, ByteView body) {
  return frame(FrameType::data, flags, stream, static_cast<std::uint32_t>(body.size()), body);
}
inline Bytes data_frame(int flags, std::uint32_t stream, std::string_view body) {
  return data_frame(flags, stream, as_bytes(body));
}
inline Bytes update_frame(int flags, std::uint32_t stream, std::uint32_t delta) {
  return frame(FrameType::window_update, flags, stream, delta);
}
inline Bytes ping_frame(int flags, std::uint32_t value) { return frame(FrameType::ping, flags, 0, value); }
inline Bytes go_away_frame(std::uint32_t code) { return frame(FrameType::go_away, 0, 0, code); }

struct Frame {
  FrameType type{};
  std::uint16_t flags = 0;
  std::uint32_t stream = 0;
  std::uint32_t length = 0;
  Bytes body;

  friend bool operator==(const Frame&, const Frame&) = default;
};

/// Splits whole frames.
inline std::vector<Frame> parse(ByteView bytes) {
  std::vector<Frame> out;
  while (bytes.size() >= kHeaderBytes) {
    const Header header = decode_header(bytes.first<kHeaderBytes>());
    bytes = bytes.subspan(kHeaderBytes);
    Frame one{static_cast<FrameType>(header.type), header.flags, header.stream, header.length, {}};
    if (one.type == FrameType::data) {
      if (bytes.size() < header.length) break;
      one.body = to_bytes(bytes.first(header.length));
      bytes = bytes.subspan(header.length);
    }
    out.push_back(std::move(one));
  }
  return out;
}

inline Bytes join(const std::vector<ByteView>& parts) {
  Bytes out;
  for (const ByteView part : parts) append(out, part);
  return out;
}

/// One gather() and sent().
inline Bytes output(Session& session, std::size_t bytes_max = std::size_t{1} << 30, Instant now = {}) {
  std::vector<ByteView> parts;
  session.gather(parts, bytes_max, now);
  Bytes out = join(parts);
  session.sent();
  return out;
}
inline std::vector<Frame> frames(Session& session, Instant now = {}) {
  return parse(output(session, std::size_t{1} << 30, now));
}

/// All events as text, e.g. "opened 1, readable 1".
inline std::string events(Session& session) {
  struct Name {
    std::string operator()(const Opened& e) const { return "opened " + std::to_string(e.id.value()); }
    std::string operator()(const Readable& e) const { return "readable " + std::to_string(e.id.value()); }
    std::string operator()(const RemoteFinished& e) const {
      return "finished " + std::to_string(e.id.value());
    }
    std::string operator()(const Writable& e) const { return "writable " + std::to_string(e.id.value()); }
    std::string operator()(const Reset& e) const {
      return "reset " + std::to_string(e.id.value()) + " code " + std::to_string(e.code) +
             (e.by_us ? " by us" : "");
    }
    std::string operator()(const Closed& e) const { return "closed " + std::to_string(e.id.value()); }
    std::string operator()(const Openable&) const { return "openable"; }
    std::string operator()(const RemoteGoAway& e) const { return "go away " + std::to_string(e.code); }
    std::string operator()(const Rtt& e) const { return "rtt " + std::to_string(e.rtt.count()); }
  };
  std::string out;
  while (const auto event = session.poll()) {
    if (!out.empty()) out += ", ";
    out += std::visit(Name{}, *event);
  }
  return out;
}

/// Everything that is readable, consumed.
inline std::string read_all(Session& session, StreamId id, Instant now = {}) {
  std::string out;
  while (session.readable_bytes(id) > 0) {
    const ByteView run = session.readable(id);
    out += as_text(run);
    session.consume(id, run.size(), now);
  }
  return out;
}

/// A session whose first ping has left and whose events are drained.
inline Session started(Role role, const Config& config = {}) {
  Session session(role, config, Instant{});
  output(session);
  return session;
}

/// Bytes of a fixed pattern.
inline Bytes pattern(std::size_t size, std::uint8_t start = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(start + i * 31 + i / 251);
  return out;
}

}  // namespace starling::yamux::testing
