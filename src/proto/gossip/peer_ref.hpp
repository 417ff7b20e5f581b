#pragma once
// How the parts of the router name a peer: eight bytes instead of an id.
#include <cstdint>
#include <vector>

namespace starling::gossip {

using PeerSlot = std::uint32_t;

/// Names a peer for as long as it is connected. Slots are reused, serials never: a reference kept past the
/// peer's departure finds nobody instead of somebody else.
struct PeerRef {
  PeerSlot slot = 0;
  std::uint32_t serial = 0;
  friend bool operator==(PeerRef, PeerRef) noexcept = default;
};

/// Lists kept in order of serials, that is of arrival. O(log n) to find, O(n) to move 8 bytes each. Insert
/// and erase say whether anything changed.
bool insert_ref(std::vector<PeerRef>& refs, PeerRef ref);
bool erase_ref(std::vector<PeerRef>& refs, PeerRef ref) noexcept;
bool contains_ref(const std::vector<PeerRef>& refs, PeerRef ref) noexcept;

}  // namespace starling::gossip
