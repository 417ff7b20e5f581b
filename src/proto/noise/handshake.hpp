#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "format/peer_id.hpp"
#include "noise/handshake_state.hpp"
#include "noise/payload.hpp"
#include "noise/static_key.hpp"
#include "noise/transport.hpp"

namespace starling::noise {

/// The protocol id that multistream-select negotiates.
inline constexpr std::string_view kProtocolId = "/noise";

/// What one handshake needs to know beside the identity.
struct Config {
  /// The peer that was dialled; somebody else is refused with Errc::wrong_peer.
  std::optional<PeerId> expected_peer;
  /// Stream muxers in order of preference for early negotiation; empty = leave it to multistream-select.
  std::vector<std::string> muxers;
  /// The node's static key, made by the same identity; nullptr = this handshake makes its own. Outlives the
  /// handshake.
  const StaticKey* static_key = nullptr;
  /// Empty but for WebRTC.
  Bytes prologue;
  Duration time = kHandshakeTimeMax;
};

/// What a handshake proved.
struct Secured {
  PeerId peer;
  crypto::PublicKey key;
  /// The muxer that both sides now use; nothing = negotiate it by multistream-select inside the channel.
  std::optional<std::string> muxer;
  Transport transport;
};

/// The libp2p Noise handshake: XX with signed static keys, 2-byte big-endian length frames.
///
/// Lifetime: one per connection, on its shard; `identity` and `rng` outlive it. Call order: construct → send
/// to_send()/sent() → receive() until complete() → take(). The initiator completes by reading message 2, and
/// to_send() then holds message 3: flush it before the first record (application data may follow in the same
/// packet). The responder completes by reading message 3.
/// Limits: limits.hpp. A responder spends no key generation, signature or memory before message 1 has arrived
/// whole. The static X25519 key is the node's (Config::static_key), or lives for this handshake only.
/// Spec: libp2p/specs noise/README.md; early muxer: connections/inlined-muxer-negotiation.md.
/// Resists: impersonation (identity signature over the static key, peer id compared before anything is
/// exposed), oversized frames (refused at the prefix), low-order points, replay (fresh ephemerals), payload
/// in message 1, slow peers (one deadline), consuming bytes that belong to the channel.
class Handshake {
 public:
  Handshake(Role role, const crypto::PrivateKey& identity, Rng& rng, Config config, Instant now);

  /// What to put on the wire now, also after complete() and take(). Valid until the next non-const call.
  ByteView to_send() const noexcept { return ByteView(out_).subspan(sent_); }
  void sent(std::size_t count) noexcept;
  /// Returns how many bytes were consumed: exactly those of handshake messages. After complete() it consumes
  /// nothing. Any error of errors.hpp ends the handshake; every later call fails with Errc::broken.
  Result<std::size_t> receive(ByteView bytes);
  bool complete() const noexcept { return secured_.has_value() || taken_; }
  /// The result, once. Only when complete().
  Secured take();
  Instant deadline() const noexcept { return complete() || failed_ ? Instant::never() : deadline_; }
  /// Errc::timed_out when the deadline has passed and the handshake is not complete; otherwise nothing
  /// happens.
  Result<void> on_deadline(Instant now);

 private:
  Result<void> on_message(MutableByteView message);
  Result<void> on_peer_payload(ByteView bytes);
  Result<void> write(ByteView payload);
  void begin();
  Bytes own_payload() const;
  void finish();

  Role role_;
  const crypto::PrivateKey* identity_;
  Rng* rng_;
  Config config_;
  Instant deadline_;
  std::optional<HandshakeState> state_;
  crypto::X25519Key static_public_{};
  std::optional<crypto::PublicKey> peer_key_;
  PeerId peer_;
  std::optional<std::string> muxer_;
  std::optional<Secured> secured_;
  Bytes in_;
  Bytes out_;
  std::size_t sent_ = 0;
  bool failed_ = false;
  bool taken_ = false;
};

}  // namespace starling::noise
