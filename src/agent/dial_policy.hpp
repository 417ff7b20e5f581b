#pragma once
// What of a record may be dialled (PROTOCOL.md §3 Dialling): a record must not turn its readers into a port
// scanner or a flood against a third party, nor reach into their own networks.
#include <span>
#include <vector>

#include "agent/limits.hpp"
#include "base/bounded.hpp"
#include "crypto/hash.hpp"
#include "format/multiaddr.hpp"

namespace starling::agent {

/// Which classes besides public ones may be dialled: those on which we ourselves listen or bootstrap, or that
/// the configuration allows.
struct DialClasses {
  bool loopback = false;
  bool link_local = false;
  bool private_net = false;
  bool allows(AddrClass address_class) const noexcept;
  /// Adds the class of an address we listen on or bootstrap from. Addresses without an IP add nothing.
  void add(const Multiaddr& own);
};

/// What one may still say no to after names are resolved: use it on every resolved IP of a DNS address too.
bool may_dial(const IpPort& address, const DialClasses& classes) noexcept;

/// Indices, in order, of at most kDialAddrsMax addresses that may be dialled: TCP over IP of an allowed
/// class, or over a DNS name (whose IPs meet may_dial() later). What does not parse, cannot be dialled or
/// repeats an (ip, port) is skipped and does not count.
std::vector<std::size_t> select_dialable(std::span<const Bytes> addrs, const DialClasses& classes);

/// One dial per (ip, port), minute and record. Bounded; not thread-safe. `record` is the SHA-256 of the
/// value.
class DialMemory {
 public:
  explicit DialMemory(std::size_t capacity = kDialMemoryMax) : last_(capacity) {}
  /// True, and noted, when this dial is allowed now.
  bool take(const crypto::Hash256& record, const IpPort& address, Instant now);

 private:
  LruMap<crypto::Hash256, Instant, BytesHash, BytesEqual> last_;
};

}  // namespace starling::agent
