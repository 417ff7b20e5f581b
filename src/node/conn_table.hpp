#pragma once
// Who is connected, who may be, and who has to go when it gets crowded.
#include <boost/container/small_vector.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/env.hpp"
#include "base/node_map.hpp"
#include "format/multiaddr.hpp"
#include "node/errors.hpp"
#include "node/ids.hpp"
#include "node/limits.hpp"

namespace starling::node {

struct ConnLimits {
  std::size_t low = 40;     ///< trimming stops here
  std::size_t high = 50;    ///< trimming starts above
  std::size_t total = 100;  ///< inbound connections are refused from here on
  std::size_t per_ip = kConnectionsPerIpMax;
  bool count_loopback = false;  ///< whether per_ip also holds for 127/8 and ::1
  Duration grace = kTrimGrace;  ///< what is younger is not trimmed
};

/// The table of connections and the connection manager's judgement.
///
/// Admission happens before anything is allocated for a peer: total, unsecured and per-IP caps. Trimming
/// closes the least useful unprotected connections down to `low`: those with the least value first, among
/// equals the youngest, so that a crowd of newcomers cannot displace old peers (an eclipse needs that).
/// Protected peers (mesh, bootstrap, the application's) are never trimmed; a grace time shelters what has
/// just been made.
class ConnTable {
 public:
  struct Conn {
    ConnId id;
    PeerId peer;
    Direction direction;
    Multiaddr remote;
    Instant since;
  };

  ConnTable(ConnLimits limits, Env& env) : limits_(limits), env_(env) {}

  /// Before an inbound socket is served. On success a place is taken until on_upgrade_ended().
  Result<void> admit_inbound(const IpPort& remote);
  /// The inbound socket became a connection, or failed to.
  void on_upgrade_ended(const IpPort& remote);

  /// Errc::connection_limit when the peer has kConnectionsPerPeerMax already.
  Result<void> add(Conn conn);
  /// Nothing happens for an unknown id.
  std::optional<Conn> remove(ConnId id);
  const Conn* find(ConnId id) const;
  /// Oldest first; empty when not connected.
  std::vector<ConnId> of(const PeerId& peer) const;
  /// The oldest connection to the peer; none when not connected.
  ConnId first_of(const PeerId& peer) const;
  bool connected(const PeerId& peer) const { return peers_.contains(peer); }
  std::size_t size() const noexcept { return conns_.size(); }
  std::size_t peers_count() const noexcept { return peers_.size(); }
  /// In the order of their ids. Valid until the next add() or remove().
  std::vector<const Conn*> all() const;

  /// Values add up per peer under a tag of ours; 0 removes the tag.
  void set_value(const PeerId& peer, char tag, int value);
  /// The same for a tag of the application's, forgotten with the peer's last connection. No-op for a peer
  /// that is not connected. Errc::too_many_tags beyond kTagsPerPeerMax, Errc::bad_tag for a name that is
  /// empty or longer than kTagBytesMax.
  Result<void> set_tag(const PeerId& peer, std::string_view tag, std::int32_t value);
  /// Counted: protect twice, unprotect twice.
  void protect(const PeerId& peer);
  void unprotect(const PeerId& peer);
  bool is_protected(const PeerId& peer) const { return protected_.contains(peer); }

  /// More than halfway from `high` to `total`: soon everybody would be refused.
  bool pressed() const noexcept { return conns_.size() > (limits_.high + limits_.total) / 2; }
  /// From one look at what should be closed to the next.
  Duration trim_interval() const noexcept { return pressed() ? kPressedTrimInterval : kTrimInterval; }
  /// What should be closed now to come back to `low`; empty while at most `high` are open. While pressed(),
  /// to come back to `high`, and the grace time is kPressedTrimGrace: a newcomer who asks and goes is served,
  /// and those behind it find room.
  std::vector<ConnId> to_trim(Instant now);
  /// The same down to `low` at once, whatever `high` says: somebody asked for it.
  std::vector<ConnId> to_trim_to_low(Instant now);

 private:
  struct IpKey {
    FixedBytes<8> prefix{};
    bool v6 = false;
    friend auto operator<=>(const IpKey&, const IpKey&) = default;
  };
  static IpKey key_of(const IpPort& address) noexcept;
  bool counted(const IpPort& address) const noexcept;
  void forget_ip(const IpPort& address);
  std::int64_t value_of(const PeerId& peer) const;
  std::vector<ConnId> least_useful(std::size_t target, Duration grace, Instant now);

  ConnLimits limits_;
  Env& env_;
  /// What a connected peer has here. Nearly always one connection and one or two values: kept in place.
  struct Peer {
    boost::container::small_vector<ConnId, 1> conns;  ///< oldest first
    boost::container::small_vector<std::pair<char, int>, 2> values;
  };
  NodeMap<ConnId, Conn> conns_;
  NodeMap<PeerId, Peer> peers_;
  std::map<IpKey, std::size_t> per_ip_;
  std::size_t upgrading_ = 0;
  std::unordered_map<PeerId, std::map<std::string, std::int32_t, std::less<>>> tags_;  ///< never iterated
  std::map<PeerId, std::uint32_t> protected_;
};

}  // namespace starling::node
