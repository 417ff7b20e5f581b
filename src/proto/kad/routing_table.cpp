#include "proto/kad/routing_table.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "proto/kad/address.hpp"

namespace starling::kad {

// --- packed contacts ---

RoutingTable::Packed::Packed(const PeerId& peer, std::span<const Multiaddr> addrs) {
  const std::size_t count = std::min(addrs.size(), kAddrsPerPeerMax);
  std::size_t size = 2 + peer.bytes().size();
  for (const Multiaddr& addr : addrs.first(count)) size += 2 + addr.bytes().size();
  Bytes packed;
  packed.reserve(size);
  packed.push_back(static_cast<std::uint8_t>(peer.bytes().size()));
  append(packed, peer.bytes());
  packed.push_back(static_cast<std::uint8_t>(count));
  for (const Multiaddr& addr : addrs.first(count)) {
    STARLING_ASSERT(addr.bytes().size() <= kAddrBytesMax);
    put_u16_be(packed, static_cast<std::uint16_t>(addr.bytes().size()));
    append(packed, addr.bytes());
  }
  data_ = BasicShortBytes<54>(packed);
}

PeerId RoutingTable::Packed::peer() const noexcept {
  const ByteView packed = data_.view();
  return PeerId::from_own_bytes(packed.subspan(1, packed[0]));
}

bool RoutingTable::Packed::is(const PeerId& peer) const noexcept {
  const ByteView packed = data_.view();
  return equal(packed.subspan(1, packed[0]), peer.bytes());
}

std::vector<Multiaddr> RoutingTable::Packed::addrs() const {
  std::vector<Multiaddr> out;
  const ByteView packed = data_.view();
  const std::uint8_t* at = packed.data() + 1 + packed[0];
  const std::size_t count = *at++;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = (std::size_t{at[0]} << 8) | at[1];
    at += 2;
    out.push_back(Multiaddr::from_own_bytes({at, size}));
    at += size;
  }
  return out;
}

// --- places ---

RoutingTable::ConstPlace RoutingTable::find(const PeerId& peer) const {
  const KadId place = KadId::of(peer);
  const std::size_t index = common_prefix_bits(self_, place);
  if (index >= buckets_.size()) return {index, nullptr};
  for (const Entry& entry : buckets_[index].entries)
    if (entry.place == place) return {index, &entry};
  return {index, nullptr};
}

RoutingTable::Place RoutingTable::find(const PeerId& peer) {
  const ConstPlace place = std::as_const(*this).find(peer);
  return {place.bucket, const_cast<Entry*>(place.entry)};
}

PeerInfo RoutingTable::to_info(const Entry& entry) {
  return {entry.contact.peer(), entry.contact.addrs(), entry.connection};
}

// --- diversity ---

std::optional<RoutingTable::Groups> RoutingTable::groups_of(std::span<const Multiaddr> addrs,
                                                            const std::optional<Multiaddr>& remote) const {
  Groups out{};
  std::size_t count = 0;
  const auto take = [&](const Multiaddr& addr) {
    const std::uint32_t group = address_group(addr, diversity_);
    if (group == 0 || std::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count), group) !=
                          out.begin() + static_cast<std::ptrdiff_t>(count))
      return true;
    if (count == out.size()) return false;
    out[count++] = group;
    return true;
  };
  if (remote) (void)take(*remote);
  for (const Multiaddr& addr : addrs)
    if (!take(addr) && !remote) return std::nullopt;
  return out;
}

bool RoutingTable::diverse(const Groups& groups, std::size_t bucket) const {
  for (const std::uint32_t group : groups) {
    if (group == 0) continue;
    std::size_t in_table = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      std::size_t here = 0;
      for (const Entry& entry : buckets_[i].entries)
        here += std::find(entry.groups.begin(), entry.groups.end(), group) != entry.groups.end() ? 1u : 0u;
      if (i == bucket && here >= diversity_.bucket_max) return false;
      in_table += here;
    }
    if (in_table >= diversity_.table_max) return false;
  }
  return true;
}

// --- membership ---

RoutingTable::Outcome RoutingTable::judge(const KadId& place, const std::optional<Groups>& groups,
                                          bool has_address) const {
  if (place == self_) return Outcome::self;
  if (!has_address) return Outcome::no_address;
  const std::size_t bucket = common_prefix_bits(self_, place);
  if (!groups || !diverse(*groups, bucket)) return Outcome::too_similar;
  return bucket_size(bucket) >= k_ ? Outcome::bucket_full : Outcome::added;
}

RoutingTable::Outcome RoutingTable::would_add(const PeerInfo& peer,
                                              const std::optional<Multiaddr>& remote) const {
  if (contains(peer.id)) return Outcome::updated;
  return judge(KadId::of(peer.id), groups_of(peer.addrs, remote), !peer.addrs.empty());
}

RoutingTable::AddResult RoutingTable::add(const PeerInfo& peer, const std::optional<Multiaddr>& remote,
                                          Instant now, Duration liveness_after) {
  if (Entry* known = find(peer.id).entry) {
    if (!peer.addrs.empty()) known->contact = Packed(peer.id, peer.addrs);
    known->seen = now;
    known->failures = 0;
    known->connection = peer.connection;
    return {Outcome::updated, std::nullopt};
  }
  const KadId place = KadId::of(peer.id);
  const auto groups = groups_of(peer.addrs, remote);
  const Outcome outcome = judge(place, groups, !peer.addrs.empty());
  if (outcome != Outcome::added && outcome != Outcome::bucket_full) return {outcome, std::nullopt};

  const std::size_t index = common_prefix_bits(self_, place);
  if (buckets_.size() <= index) buckets_.resize(index + 1);
  Bucket& bucket = buckets_[index];
  Entry entry{place, Packed(peer.id, peer.addrs), now, *groups, 0, peer.connection};
  if (outcome == Outcome::bucket_full) {
    wait(bucket, std::move(entry), now, liveness_after);
    return {outcome, oldest_silent(bucket, now, liveness_after)};
  }
  std::erase_if(bucket.waiting, [&](const Entry& waiting) { return waiting.place == place; });
  append_entry(bucket.entries, std::move(entry));
  ++size_;
  return {outcome, std::nullopt};
}

/// Grows by a few places and not by half: there are 100,000 tables in a simulation.
void RoutingTable::append_entry(std::vector<Entry>& entries, Entry entry) {
  constexpr std::size_t kStep = 4;
  if (entries.size() == entries.capacity()) entries.reserve(entries.size() + kStep);
  entries.push_back(std::move(entry));
}

/// Those who wait keep their turn while they are fresh, so that a flood of newcomers cannot own the queue.
void RoutingTable::wait(Bucket& bucket, Entry entry, Instant now, Duration liveness_after) {
  std::erase_if(bucket.waiting, [&](const Entry& waiting) {
    return waiting.place == entry.place || waiting.seen + liveness_after <= now;
  });
  if (bucket.waiting.size() < kReplacementsPerBucketMax) bucket.waiting.push_back(std::move(entry));
}

std::optional<PeerId> RoutingTable::oldest_silent(const Bucket& bucket, Instant now,
                                                  Duration liveness_after) const {
  const Entry* oldest = nullptr;
  for (const Entry& entry : bucket.entries) {
    if (entry.failures > 0) return entry.contact.peer();
    if (oldest == nullptr || entry.seen < oldest->seen) oldest = &entry;
  }
  if (oldest == nullptr || oldest->seen + liveness_after > now) return std::nullopt;
  return oldest->contact.peer();
}

bool RoutingTable::on_answer(const PeerId& peer, Instant now) {
  Entry* entry = find(peer).entry;
  if (entry == nullptr) return false;
  entry->seen = std::max(entry->seen, now);
  entry->failures = 0;
  return true;
}

RoutingTable::Removal RoutingTable::on_failure(const PeerId& peer) {
  const Place place = find(peer);
  if (place.entry == nullptr) return {};
  ++place.entry->failures;
  if (place.entry->failures < kFailuresMax && buckets_[place.bucket].waiting.empty()) return {};
  return drop(place.bucket, place.entry);
}

RoutingTable::Removal RoutingTable::remove(const PeerId& peer) {
  const Place place = find(peer);
  if (place.entry != nullptr) return drop(place.bucket, place.entry);
  if (place.bucket < buckets_.size()) {
    const KadId id = KadId::of(peer);
    std::erase_if(buckets_[place.bucket].waiting, [&](const Entry& waiting) { return waiting.place == id; });
    trim();
  }
  return {};
}

RoutingTable::Removal RoutingTable::drop(std::size_t index, const Entry* entry) {
  Bucket& bucket = buckets_[index];
  bucket.entries.erase(bucket.entries.begin() + (entry - bucket.entries.data()));
  --size_;
  Removal out{true, std::nullopt};
  for (std::size_t i = bucket.waiting.size(); i-- > 0;) {
    if (!diverse(bucket.waiting[i].groups, index)) continue;
    Entry promoted = std::move(bucket.waiting[i]);
    bucket.waiting.erase(bucket.waiting.begin() + static_cast<std::ptrdiff_t>(i));
    promoted.failures = kFailuresMax - 1;
    out.promoted = promoted.contact.peer();
    append_entry(bucket.entries, std::move(promoted));
    ++size_;
    break;
  }
  trim();
  return out;
}

void RoutingTable::trim() {
  while (!buckets_.empty() && buckets_.back().entries.empty() && buckets_.back().waiting.empty())
    buckets_.pop_back();
}

void RoutingTable::update_addrs(const PeerId& peer, std::span<const Multiaddr> addrs) {
  if (Entry* entry = find(peer).entry; entry != nullptr && !addrs.empty())
    entry->contact = Packed(peer, addrs);
}

void RoutingTable::set_connection(const PeerId& peer, ConnectionType connection) {
  if (Entry* entry = find(peer).entry) entry->connection = connection;
}

// --- questions ---

std::optional<PeerInfo> RoutingTable::info(const PeerId& peer) const {
  const Entry* entry = find(peer).entry;
  if (entry == nullptr) return std::nullopt;
  return to_info(*entry);
}

void RoutingTable::collect(const Bucket& bucket, const KadId& target, std::vector<Near>& out) {
  for (const Entry& entry : bucket.entries) out.push_back({distance_prefix(target, entry.place), &entry});
}

std::vector<PeerInfo> RoutingTable::nearest(const KadId& target, std::size_t count,
                                            const PeerId* without) const {
  // One more than is asked for: the excluded may be among them.
  const std::size_t wanted = count + (without == nullptr ? 0 : 1);
  std::vector<Near> found;
  found.reserve(wanted + k_);
  const auto sort_from = [&](std::size_t start) {
    std::sort(found.begin() + static_cast<std::ptrdiff_t>(start), found.end(),
              [&](const Near& a, const Near& b) {
                return a.distance != b.distance ? a.distance < b.distance
                                                : nearer(target, a.entry->place, b.entry->place);
              });
  };
  // With c bits shared between us and the target, bucket c shares more than c with it, all deeper ones
  // exactly c, and bucket i < c exactly i: three ranges in the order of distance.
  const std::size_t shared = common_prefix_bits(self_, target);
  if (shared < buckets_.size()) {
    collect(buckets_[shared], target, found);
    sort_from(0);
    if (found.size() < wanted) {
      const std::size_t start = found.size();
      for (std::size_t i = shared + 1; i < buckets_.size(); ++i) collect(buckets_[i], target, found);
      sort_from(start);
    }
  }
  for (std::size_t i = std::min(shared, buckets_.size()); i-- > 0 && found.size() < wanted;) {
    const std::size_t start = found.size();
    collect(buckets_[i], target, found);
    sort_from(start);
  }
  std::vector<PeerInfo> out;
  out.reserve(std::min(count, found.size()));
  for (const Near& near : found) {
    if (out.size() == count) break;
    if (without == nullptr || !near.entry->contact.is(*without)) out.push_back(to_info(*near.entry));
  }
  return out;
}

std::size_t RoutingTable::count_nearer(const KadId& target, const KadId& place) const noexcept {
  std::size_t out = 0;
  for (const Bucket& bucket : buckets_)
    for (const Entry& entry : bucket.entries) out += nearer(target, entry.place, place) ? 1u : 0u;
  return out;
}

std::vector<PeerInfo> RoutingTable::silent(Instant now, Duration liveness_after, std::size_t count) const {
  std::vector<const Entry*> found;
  for (const Bucket& bucket : buckets_)
    for (const Entry& entry : bucket.entries)
      if (entry.failures > 0 || entry.seen + liveness_after <= now) found.push_back(&entry);
  std::stable_sort(found.begin(), found.end(),
                   [](const Entry* a, const Entry* b) { return a->seen < b->seen; });
  std::vector<PeerInfo> out;
  for (const Entry* entry : found) {
    if (out.size() == count) break;
    out.push_back(to_info(*entry));
  }
  return out;
}

std::vector<RoutingTable::Member> RoutingTable::members() const {
  std::vector<Member> out;
  out.reserve(size_);
  for (std::size_t i = 0; i < buckets_.size(); ++i)
    for (const Entry& entry : buckets_[i].entries)
      out.push_back({to_info(entry), i, entry.seen, entry.failures});
  return out;
}

std::vector<PeerInfo> RoutingTable::sample(std::size_t count) const {
  std::vector<PeerInfo> out;
  out.reserve(std::min(count, size_));
  for (std::size_t age = 0; age < k_ && out.size() < count; ++age)
    for (std::size_t i = buckets_.size(); i-- > 0 && out.size() < count;)
      if (age < buckets_[i].entries.size()) out.push_back(to_info(buckets_[i].entries[age]));
  return out;
}

std::size_t RoutingTable::bucket_size(std::size_t index) const noexcept {
  return index < buckets_.size() ? buckets_[index].entries.size() : 0;
}

void RoutingTable::note_lookup(const KadId& target, Instant now) {
  const std::size_t index = common_prefix_bits(self_, target);
  if (index < buckets_.size()) buckets_[index].looked_up = now;
}

Instant RoutingTable::looked_up(std::size_t index) const noexcept {
  return index < buckets_.size() ? buckets_[index].looked_up : Instant{};
}

void RoutingTable::check_invariants() const {
  std::size_t total = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& bucket = buckets_[i];
    STARLING_ASSERT(bucket.entries.size() <= k_ && bucket.waiting.size() <= kReplacementsPerBucketMax);
    total += bucket.entries.size();
    for (const auto* list : {&bucket.entries, &bucket.waiting})
      for (const Entry& entry : *list) {
        STARLING_ASSERT(KadId::of(entry.contact.peer()) == entry.place);
        STARLING_ASSERT(common_prefix_bits(self_, entry.place) == i);
      }
    for (std::size_t a = 0; a < bucket.entries.size(); ++a)
      for (std::size_t b = a + 1; b < bucket.entries.size(); ++b)
        STARLING_ASSERT(bucket.entries[a].place != bucket.entries[b].place);
  }
  STARLING_ASSERT(total == size_);
}

}  // namespace starling::kad
