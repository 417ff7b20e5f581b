#include "proto/yamux/frame.hpp"

namespace starling::yamux {

Header decode_header(std::span<const std::uint8_t, kHeaderBytes> bytes) noexcept {
  Header header;
  header.version = bytes[0];
  header.type = bytes[1];
  header.flags = get_u16_be(bytes.subspan<2, 2>());
  header.stream = get_u32_be(bytes.subspan<4, 4>());
  header.length = get_u32_be(bytes.subspan<8, 4>());
  return header;
}

void encode_header(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length,
                   HeaderBytes& out) noexcept {
  out = {kVersion,
         static_cast<std::uint8_t>(type),
         static_cast<std::uint8_t>(flags >> 8),
         static_cast<std::uint8_t>(flags),
         static_cast<std::uint8_t>(stream >> 24),
         static_cast<std::uint8_t>(stream >> 16),
         static_cast<std::uint8_t>(stream >> 8),
         static_cast<std::uint8_t>(stream),
         static_cast<std::uint8_t>(length >> 24),
         static_cast<std::uint8_t>(length >> 16),
         static_cast<std::uint8_t>(length >> 8),
         static_cast<std::uint8_t>(length)};
}

}  // namespace starling::yamux
