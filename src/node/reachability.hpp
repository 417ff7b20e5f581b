#pragma once
// Whether others can reach us.
#include <map>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "format/multiaddr.hpp"
#include "kad/config.hpp"
#include "node/limits.hpp"

namespace starling::node {

/// For a node that serves the DHT only when it can be reached (PROTOCOL.md §7, `server_if_reachable`).
///
/// A *proof* is a connection that somebody else opened to us, together with his word at which of our
/// addresses he did (identify's observed address). It counts while we advertise that address, and only when
/// both he and the address are on the public internet: a neighbour in our own network proves nothing about
/// the rest of the world. The connection itself cannot be invented, the address can. So
/// kReachabilityProofsNeeded diallers from different address groups (IPv4 /16, IPv6 /32) must agree on one
/// address: a liar counts once however many ids he has, and an address is advertised at all only when we
/// listen there or OwnAddresses has several witnesses for it. With Scope::any, for private networks and
/// tests, loopback and private addresses count too, where one dialler is enough: no translation stands in
/// between.
///
/// Proofs count while the connection stands and for kReachabilityProofAge after; when too few are left the
/// node is a client again. Limit: kReachabilityProofsMax; when full, proofs of ended connections give way,
/// oldest first. One thread; owned by the Host.
class Reachability {
 public:
  explicit Reachability(kad::AddressScope scope) noexcept : scope_(scope) {}
  /// An inbound connection from `dialler_at`, who says that he dialled `dialled`.
  void on_inbound(const PeerId& dialler, const Multiaddr& dialler_at, const Multiaddr& dialled);
  /// The last connection with the peer has ended.
  void on_gone(const PeerId& dialler, Instant now);
  bool reachable(std::span<const Multiaddr> advertised, Instant now);
  /// When the next proof ends.
  Instant deadline() const noexcept;
  std::size_t proof_count() const noexcept { return proofs_.size(); }

 private:
  struct Proof {
    PeerId dialler;
    Multiaddr dialled;
    bool is_public = false;
    Instant until = Instant::never();  ///< never while connected
  };
  bool make_room();

  kad::AddressScope scope_;
  std::map<Bytes, Proof> proofs_;  ///< by the dialler's address group, or his id where groups say nothing
};

}  // namespace starling::node
