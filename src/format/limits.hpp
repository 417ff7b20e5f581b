#pragma once
// Formats: varints, multihashes, multibase texts, peer ids, multiaddresses.
#include <cstddef>

namespace starling::format {

/// Bytes of a varint: 64 bits in groups of seven.
inline constexpr std::size_t kVarintBytesMax = 10;
/// Bytes of capacity that a frame reader keeps between frames: an idle stream holds no larger buffer.
inline constexpr std::size_t kIdleFrameBufferBytesMax = 256;
/// Bytes of a multihash digest: 1,024 bits, the longest in use.
inline constexpr std::size_t kMultihashDigestBytesMax = 128;
/// Characters of base58 and base36 that are decoded: their cost grows with the square of the length. The
/// longest multihash fits.
inline constexpr std::size_t kRadixTextMax = 256;

}  // namespace starling::format

namespace starling {

/// Bytes of a serialized public key that is inlined into the peer id instead of hashed (peer-ids
/// specification).
inline constexpr std::size_t kInlinePublicKeyBytesMax = 42;
/// Bytes of a peer id: an identity multihash of the longest key that is inlined; one of sha2-256 takes 34.
inline constexpr std::size_t kPeerIdBytesMax = 44;
/// Characters of a peer id's text: base16 of the longest CID takes 137.
inline constexpr std::size_t kPeerIdTextMax = 256;

/// Bytes of a multiaddr.
inline constexpr std::size_t kMultiaddrBytesMax = 1024;
/// Components of a multiaddr.
inline constexpr std::size_t kMultiaddrPartsMax = 32;
/// Bytes of a name in a multiaddr: a DNS name's own limit; zones and server names are shorter.
inline constexpr std::size_t kMultiaddrNameBytesMax = 255;
/// Characters of a multiaddr's text, with room for the longest text of kMultiaddrBytesMax bytes: an IPv6
/// address grows most, from 17 bytes to 44 characters.
inline constexpr std::size_t kMultiaddrTextMax = 4 * kMultiaddrBytesMax;

}  // namespace starling
