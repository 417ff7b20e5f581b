#pragma once
// The 12-byte frame header, all integers big-endian.
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "proto/yamux/limits.hpp"

namespace starling::yamux {

inline constexpr std::uint8_t kVersion = 0;

enum class FrameType : std::uint8_t { data = 0, window_update = 1, ping = 2, go_away = 3 };

/// Any of them may stand on a DATA or WINDOW_UPDATE frame, several at once; unknown bits mean nothing.
enum Flag : std::uint16_t { kSyn = 1, kAck = 2, kFin = 4, kRst = 8 };

struct Header {
  std::uint8_t version = kVersion;
  std::uint8_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t stream = 0;
  std::uint32_t length = 0;  ///< body bytes, credit, ping value or code, as the type says

  bool has(Flag flag) const noexcept { return (flags & flag) != 0; }
};

using HeaderBytes = FixedBytes<kHeaderBytes>;

/// Reads the fields; judges nothing.
Header decode_header(std::span<const std::uint8_t, kHeaderBytes> bytes) noexcept;
void encode_header(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length,
                   HeaderBytes& out) noexcept;

}  // namespace starling::yamux
