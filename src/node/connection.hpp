#pragma once
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/budget.hpp"
#include "base/env.hpp"
#include "crypto/keys.hpp"
#include "format/peer_id.hpp"
#include "multistream/initiator.hpp"
#include "multistream/listener.hpp"
#include "node/errors.hpp"
#include "node/ids.hpp"
#include "node/limits.hpp"
#include "node/security.hpp"
#include "noise/handshake.hpp"
#include "tls/handshake.hpp"
#include "yamux/session.hpp"

namespace starling::node {

/// What a connection proved when it became usable.
struct ConnectionPeer {
  PeerId id;
  crypto::PublicKey key;
};

/// What all connections of a node share, whatever their shard; outlives them.
struct ConnectionsShared {
  explicit ConnectionsShared(const yamux::Config& config = {}, std::size_t bytes_max = kConnectionsBytesMax,
                             std::vector<Security> dialled_with = {Security::noise})
      : mux(config), budget(bytes_max, kConnectionBytesFloor), dial(std::move(dialled_with)) {}
  const yamux::Config mux;
  ByteBudget budget;
  /// What we propose when we dial, in order of preference; not empty. Accepted is every one.
  const std::vector<Security> dial;
  SharedProof<noise::StaticKey> noise;
  SharedProof<tls::Identity> tls;
};

/// Raw bytes on one side, multiplexed streams of an authenticated peer on the other: multistream-select →
/// Noise or TLS → (muxer, early or by multistream-select) → yamux.
///
/// Lifetime: one per socket, on its shard; `identity`, `shared` and the Env outlive it. Call order: receive()
/// as bytes arrive, produce() while has_output(), on_deadline() at deadline(); peer() once upgraded, then
/// streams through mux(). After an error: produce() what is left (a GoAway may be), then close the socket.
/// The dialler is lazy: header and first proposal leave in one flight, and when it is the only one the first
/// message of its handshake too, so that a connection is usable after three round trips, TCP's included. With
/// more to propose it waits for the answer, a round trip: a listener that refuses could not tell that message
/// from a proposal. Limits: one deadline for the whole upgrade; a record is decrypted where it lies and kept
/// only when it came in parts, so an idle connection holds no receive buffer. What streams hold is reserved
/// from the node's byte budget before it is held. Spec: libp2p/specs connections/README.md, noise/README.md,
/// tls/tls.md, connections/inlined-muxer-negotiation.md.
class Connection {
 public:
  struct Setup {
    Direction direction;
    const crypto::PrivateKey* identity;
    std::optional<PeerId> expected_peer;
    ConnectionsShared* shared;
  };

  /// `now.wall` is what certificates are judged by.
  Connection(Setup setup, Env& env, Now now);
  ~Connection();

  /// Bytes from the socket, decrypted in place. What streams received may be read where it lies: `bytes` stay
  /// until settle(), which copies what is unread and comes before the next lend(); their content is
  /// unspecified then.
  Result<void> lend(MutableByteView bytes, Instant now);
  void settle();
  bool has_output() const;
  /// Appends what should go to the socket, stopping soon after `bytes_max`.
  Result<void> produce(Bytes& out, std::size_t bytes_max, Instant now);

  /// Set once secured and muxed.
  const std::optional<ConnectionPeer>& peer() const noexcept { return peer_; }
  /// Only when upgraded.
  yamux::Session& mux() noexcept { return *mux_; }
  const yamux::Session& mux() const noexcept { return *mux_; }
  /// For what handlers hold on behalf of this peer outside the muxer.
  ByteAccount& account() noexcept { return account_; }
  bool upgraded() const noexcept { return mux_ != nullptr; }
  std::uint64_t bytes_received() const noexcept { return bytes_received_; }

  /// Says goodbye behind what is still to be produced: GoAway, then close_notify where the channel has one.
  void close();

  Instant deadline() const;
  /// Errc::dial_timeout when the upgrade takes too long; errors of the muxer's keep-alive.
  Result<void> on_deadline(Instant now);

 private:
  struct Upgrade;  // what is needed until the muxer runs, freed then
  void begin_handshake(Security security, Instant now);
  Result<std::size_t> receive_negotiation(ByteView bytes, Instant now);
  Result<std::size_t> receive_plain(ByteView bytes, Instant now);
  template <class Transport>
  Result<void> receive_records(Transport& transport, MutableByteView bytes, Instant now);
  Result<void> receive_plaintext(ByteView plaintext, bool lent, Instant now);
  template <class Secured>
  Result<void> after_handshake(Secured secured, Instant now);
  template <class Transport>
  Result<void> seal(Transport& transport, Bytes& out, std::size_t bytes_max, Instant now);
  bool secured() const noexcept { return transport_.index() != 0; }
  void negotiate_muxer(Instant now);
  void start_mux(Instant now);
  void flush_upgrade();

  Direction direction_;
  bool closing_ = false;
  const yamux::Config* mux_config_;
  ByteAccount account_;
  std::unique_ptr<Upgrade> upgrade_;
  std::variant<std::monostate, noise::Transport, tls::Transport> transport_;
  std::optional<ConnectionPeer> peer_;
  std::unique_ptr<yamux::Session> mux_;
  Bytes raw_out_;    // multistream and handshake bytes, in the clear
  Bytes early_out_;  // muxer negotiation, to be sealed
  Bytes partial_;    // a record that came in parts
  Bytes joined_;     // the one that was opened there, until settle()
  std::vector<ByteView> gather_;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace starling::node
