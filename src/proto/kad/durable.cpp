#include "proto/kad/durable.hpp"

#include <algorithm>

#include "proto/kad/limits.hpp"

namespace starling::kad {
namespace {

constexpr std::int64_t kHorizonMs = std::int64_t{100} * 24 * 3600 * 1000;

/// Takes fields off the front; after the first that is missing, none is there any more.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  bool failed() const noexcept { return failed_; }
  bool done() const noexcept { return !failed_ && rest_.empty(); }
  ByteView rest() noexcept { return std::exchange(rest_, {}); }
  ByteView take(std::size_t count) noexcept {
    if (failed_ || rest_.size() < count) {
      failed_ = true;
      return {};
    }
    const ByteView out = rest_.first(count);
    rest_ = rest_.subspan(count);
    return out;
  }
  std::uint8_t byte() noexcept {
    const ByteView out = take(1);
    return failed_ ? std::uint8_t{0} : out[0];
  }
  std::size_t u16() noexcept {
    const ByteView out = take(2);
    return failed_ ? 0 : get_u16_be(out.first<2>());
  }
  WallTime time() noexcept {
    const ByteView out = take(8);
    return WallTime::from_ms(failed_ ? 0 : get_u64_be(out.first<8>()));
  }
  std::optional<PeerId> peer() noexcept {
    const auto id = PeerId::from_bytes(take(byte()));
    if (failed_ || !id) return std::nullopt;
    return *id;
  }

 private:
  ByteView rest_;
  bool failed_ = false;
};

void put_peer(Bytes& out, const PeerId& peer) {
  out.push_back(static_cast<std::uint8_t>(peer.bytes().size()));
  append(out, peer.bytes());
}

void put_addrs(Bytes& out, std::span<const Multiaddr> addrs, std::size_t count_max) {
  const auto count = std::min(addrs.size(), count_max);
  out.push_back(static_cast<std::uint8_t>(count));
  for (const Multiaddr& addr : addrs.first(count)) {
    put_u16_be(out, static_cast<std::uint16_t>(addr.bytes().size()));
    append(out, addr.bytes());
  }
}

/// Nothing when the list is damaged. An address that this version does not understand is left out.
std::optional<std::vector<Multiaddr>> read_addrs(Reader& reader) {
  std::vector<Multiaddr> out;
  const std::size_t count = reader.byte();
  if (count > kAddrsPerPeerMax) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    const ByteView bytes = reader.take(reader.u16());
    if (reader.failed() || bytes.size() > kAddrBytesMax) return std::nullopt;
    if (auto addr = Multiaddr::from_bytes(bytes)) out.push_back(*std::move(addr));
  }
  return out;
}

}  // namespace

WallTime to_wall(Instant t, Now now) noexcept {
  const auto ahead = std::chrono::duration_cast<std::chrono::milliseconds>(t - now.mono).count();
  return now.wall + std::chrono::milliseconds(std::clamp(ahead, -kHorizonMs, kHorizonMs));
}

Instant to_mono(WallTime t, Now now) noexcept {
  const bool later = t >= now.wall;
  const std::uint64_t apart = later ? t.ms() - now.wall.ms() : now.wall.ms() - t.ms();
  const auto ms = static_cast<std::int64_t>(std::min(apart, static_cast<std::uint64_t>(kHorizonMs)));
  return now.mono + std::chrono::milliseconds(later ? ms : -ms);
}

Bytes encode_record_entry(const StoredRecord& record) {
  Bytes out;
  put_u64_be(out, record.expires.ms());
  put_u64_be(out, record.received.ms());
  put_peer(out, record.from);
  append(out, record.value);
  return out;
}

Result<StoredRecord> decode_record_entry(ByteView bytes) {
  Reader reader(bytes);
  StoredRecord out;
  out.expires = reader.time();
  out.received = reader.time();
  if (const std::size_t size = reader.byte(); size > 0) {
    const auto from = PeerId::from_bytes(reader.take(size));
    if (reader.failed() || !from) return fail(Errc::bad_entry);
    out.from = *from;
  }
  if (reader.failed()) return fail(Errc::bad_entry);
  out.value = to_bytes(reader.rest());
  return out;
}

Bytes provider_entry_key(ByteView key, const PeerId& provider) {
  Bytes out;
  put_peer(out, provider);
  append(out, key);
  return out;
}

Result<std::pair<Bytes, PeerId>> parse_provider_entry_key(ByteView bytes) {
  Reader reader(bytes);
  const auto provider = reader.peer();
  if (!provider) return fail(Errc::bad_entry);
  return std::pair(to_bytes(reader.rest()), *provider);
}

Bytes encode_provider_entry(const PeerInfo& provider, WallTime expires) {
  Bytes out;
  put_u64_be(out, expires.ms());
  put_addrs(out, provider.addrs, kAddrsPerPeerMax);
  return out;
}

Result<ProviderEntry> decode_provider_entry(ByteView bytes) {
  Reader reader(bytes);
  ProviderEntry out;
  out.expires = reader.time();
  auto addrs = read_addrs(reader);
  if (!addrs || !reader.done()) return fail(Errc::bad_entry);
  out.addrs = *std::move(addrs);
  return out;
}

Bytes encode_due(WallTime due) {
  Bytes out;
  put_u64_be(out, due.ms());
  return out;
}

Result<WallTime> decode_due(ByteView bytes) {
  Reader reader(bytes);
  const WallTime due = reader.time();
  if (!reader.done()) return fail(Errc::bad_entry);
  return due;
}

Bytes encode_peers(std::span<const PeerInfo> peers) {
  Bytes out;
  for (const PeerInfo& peer : peers.first(std::min(peers.size(), kSavedPeersMax))) {
    put_peer(out, peer.id);
    put_addrs(out, peer.addrs, kSavedAddrsMax);
  }
  return out;
}

Result<std::vector<PeerInfo>> decode_peers(ByteView bytes) {
  Reader reader(bytes);
  std::vector<PeerInfo> out;
  while (!reader.done()) {
    const auto id = reader.peer();
    if (!id || out.size() >= kSavedPeersMax) return fail(Errc::bad_entry);
    auto addrs = read_addrs(reader);
    if (!addrs) return fail(Errc::bad_entry);
    out.push_back({*id, *std::move(addrs), ConnectionType::not_connected});
  }
  return out;
}

}  // namespace starling::kad
