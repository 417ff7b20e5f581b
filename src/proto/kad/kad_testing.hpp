#pragma once
// What the tests of this folder share: peers, addresses and a namespace whose records have an order.
#include <charconv>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "format/multihash.hpp"
#include "proto/kad/kad.hpp"
#include "testkit/testkit.hpp"

namespace starling::kad::testing {

/// The n-th peer of a test: any id will do, it only must be one.
inline PeerId peer(std::uint64_t n) {
  Bytes seed;
  put_u64_be(seed, n);
  const auto digest = crypto::sha256(seed);
  return *PeerId::from_bytes(format::make_multihash(format::kHashSha256, digest));
}

inline Multiaddr ip4(int a, int b, int c, int d, std::uint16_t port = 4001) {
  IpPort out;
  out.ip = {static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(c),
            static_cast<std::uint8_t>(d)};
  out.port = port;
  return Multiaddr::tcp(out);
}

/// An address of its own public /16 for each n below 50,000.
inline Multiaddr public_addr(std::uint64_t n) {
  return ip4(static_cast<int>(20 + n % 80), static_cast<int>(n / 80 % 256), static_cast<int>(n / 20'480 + 1),
             1);
}

inline PeerInfo info(std::uint64_t n) { return {peer(n), {public_addr(n)}, ConnectionType::not_connected}; }

/// A peer whose place shares exactly `bits` leading bits with `place`; `salt` makes different ones.
inline PeerId peer_sharing(const KadId& place, std::size_t bits, std::uint64_t salt) {
  for (std::uint64_t n = salt << 32;; ++n)
    if (const PeerId id = peer(n); common_prefix_bits(place, KadId::of(id)) == bits) return id;
}

/// `/seq/…` records are decimal numbers: valid when they parse and are at most `limit`, the greater is
/// better.
class SequenceValidator final : public RecordValidator {
 public:
  Result<void> validate(ByteView, ByteView value, WallTime now) override {
    ++validations;
    const auto number = parse(value);
    if (!number || *number > limit || now >= ends) return fail(Errc::invalid_record);
    return {};
  }
  std::size_t select(ByteView, std::span<const ByteView> values) override {
    std::size_t best = 0;
    for (std::size_t i = 1; i < values.size(); ++i)
      if (parse(values[i]).value_or(0) > parse(values[best]).value_or(0)) best = i;
    return best;
  }
  std::optional<WallTime> expires_at(ByteView, ByteView) override { return hint; }

  std::uint64_t limit = 1'000'000;
  WallTime ends = WallTime::from_ms(~std::uint64_t{0});
  std::optional<WallTime> hint;
  std::size_t validations = 0;

 private:
  static std::optional<std::uint64_t> parse(ByteView value) {
    const std::string_view text = as_text(value);
    std::uint64_t out = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
    if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
    return out;
  }
};

inline Bytes seq_key(std::uint64_t n) { return to_bytes("/seq/" + std::to_string(n)); }
inline Bytes seq_value(std::uint64_t n) { return to_bytes(std::to_string(n)); }

/// Both clocks, the wall one ahead by a fixed amount.
inline Now at(Duration since_start) {
  constexpr std::uint64_t kStartMs = 1'750'000'000'000;
  return {Instant{} + since_start, WallTime::from_ms(kStartMs) + since_start};
}
inline Now at(Instant mono) { return at(mono - Instant{}); }

}  // namespace starling::kad::testing
