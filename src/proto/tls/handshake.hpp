#pragma once
#include "tls/transport.hpp"

namespace starling::tls {

/// What one handshake needs to know beside the node's identity.
struct Config {
  /// The peer that was dialled; somebody else is refused with Errc::wrong_peer.
  std::optional<PeerId> expected_peer;
  /// Stream muxers in order of preference for early negotiation; empty = leave it to multistream-select.
  std::vector<std::string> muxers;
  Duration time = kHandshakeTimeMax;
  std::uint64_t records_per_key = kRecordsPerKeyMax;
};

/// What a handshake proved.
struct Secured {
  PeerId peer;
  crypto::PublicKey key;
  /// The muxer that both sides now use; nothing = negotiate it by multistream-select inside the channel.
  std::optional<std::string> muxer;
  Transport transport;
};

/// The libp2p TLS handshake: TLS 1.3 with a self-signed certificate on both sides.
///
/// Lifetime: one per connection, on its shard; the node's Identity outlives it and its Transport. Call order:
/// construct → send to_send()/sent() → receive() until complete() → take(). The client completes by reading
/// the server's flight, and to_send() then holds its own: flush it before the first record. The server
/// completes by reading that. After an error to_send() may hold the alert that tells the peer.
/// Limits: limits.hpp. A server spends nothing before a whole record of a ClientHello has arrived.
/// Spec: libp2p/specs tls/tls.md; early muxer: connections/inlined-muxer-negotiation.md; RFC 8446.
/// Resists: impersonation (the identity signed the certificate's key, TLS proves that key; the peer id is
/// compared before our certificate is sent), peers without a certificate or with a chain, older versions of
/// TLS, endless handshakes in size and time, keys that are slow to verify, consuming bytes that belong to the
/// channel. A server's client may send data before it was judged: nothing of it is read until then.
class Handshake {
 public:
  /// `now`: deadline and certificates are judged by it and by the time that passes.
  Handshake(Role role, const Identity& identity, Config config, Now now);

  /// What to put on the wire now, also after complete() and take() and after an error. Valid until the next
  /// non-const call.
  ByteView to_send() const noexcept { return ByteView(out_).subspan(sent_); }
  void sent(std::size_t count) noexcept;
  /// Returns how many bytes were consumed: exactly those of handshake records. After complete() it consumes
  /// nothing. Any error of errors.hpp ends the handshake; every later call fails with Errc::broken.
  Result<std::size_t> receive(ByteView bytes, Instant now);
  bool complete() const noexcept { return secured_.has_value() || taken_; }
  /// The result, once. Only when complete().
  Secured take();
  Instant deadline() const noexcept { return complete() || failed_ ? Instant::never() : deadline_; }
  /// Errc::timed_out when the deadline has passed and the handshake is not complete; otherwise nothing
  /// happens.
  Result<void> on_deadline(Instant now);

 private:
  Result<void> check_front() const;
  Result<void> on_record(Instant now);
  Result<void> step();
  Result<void> finish();
  void end();

  Role role_;
  const Identity* identity_;
  std::uint64_t records_per_key_;
  Now began_;
  Instant deadline_;
  Judge judge_;
  std::unique_ptr<Channel> channel_;
  std::optional<Secured> secured_;
  Bytes in_;  ///< the record that has not arrived whole
  std::size_t received_bytes_ = 0;
  Bytes out_;
  std::size_t sent_ = 0;
  bool failed_ = false;
  bool taken_ = false;
};

}  // namespace starling::tls
