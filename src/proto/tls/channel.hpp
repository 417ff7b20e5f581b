#pragma once
// One connection object of OpenSSL with its wire in memory. Internal to tls.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/peer_id.hpp"
#include "tls/identity.hpp"

struct ssl_st;

namespace starling::tls {

/// Who began the connection.
enum class Role : std::uint8_t { client, server };

/// What the callbacks of a handshake judge by, and what they found.
struct Judge {
  std::optional<PeerId> expected_peer;
  std::vector<std::string> muxers;
  WallTime now;
  std::optional<crypto::PublicKey> key;
  PeerId peer;
  std::optional<Error> verdict;  ///< why the callbacks said no
};

/// OpenSSL reads from a view of the caller's bytes and writes into a buffer of the caller's: nothing is kept
/// in between, and no byte is copied for the transfer alone.
///
/// Lifetime: made by a Handshake, handed on to its Transport; never moves, because OpenSSL points to it.
/// Call order: feed() exactly one record → handshake() or read() → fed() must be true again. Every call
/// clears OpenSSL's error queue, which belongs to the thread.
class Channel {
 public:
  Channel(const Identity& identity, Role role, const std::vector<std::string>& muxers);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  enum class Step : std::uint8_t { done, wants_more, closed };
  /// Goes on with the handshake; `judge` is asked on the way.
  Result<Step> handshake(Judge& judge);
  /// Decrypts the fed record into `out`, which may be the record's own memory, and sets `size`.
  Result<Step> read(MutableByteView out, std::size_t& size);
  /// Seals one record of at most kPlaintextBytesMax bytes.
  Result<void> write(ByteView plaintext);
  /// Our next records are sealed with the next key.
  Result<void> update_key();
  /// Queues close_notify.
  void close();

  void feed(ByteView record) noexcept { in_ = record; }
  /// Whether all that was fed has been read.
  bool fed() const noexcept { return in_.empty(); }
  /// Where records go until the next call; nullptr = kept in pending().
  void send_to(Bytes* out) noexcept { out_ = out; }
  Bytes& pending() noexcept { return pending_; }
  /// What ALPN agreed on; empty when nothing.
  std::string_view application_protocol() const noexcept;

  /// For the callbacks of OpenSSL only.
  Judge* judge() noexcept { return judge_; }
  std::size_t take_input(MutableByteView out) noexcept;
  void put_output(ByteView bytes) { append(out_ != nullptr ? *out_ : pending_, bytes); }

 private:
  Result<Step> outcome(int result);

  ssl_st* ssl_;
  ByteView in_;
  Bytes* out_ = nullptr;
  Bytes pending_;
  Judge* judge_ = nullptr;
};

}  // namespace starling::tls
