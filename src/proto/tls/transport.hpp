#pragma once
#include "tls/channel.hpp"

namespace starling::tls {

/// One record that was opened.
struct Opened {
  MutableByteView plaintext;  ///< inside the caller's buffer; empty when the record carried no data
  std::size_t consumed;       ///< bytes of the buffer that the record took, its header included
};

/// The channel after the handshake: records of TLS 1.3, both directions.
///
/// Lifetime: one per connection, on its shard; movable. Call order: any; what has_output() tells of leaves
/// with seal(), also with nothing to seal. After the first error every call fails with Errc::broken: the
/// connection dies. The peer's close_notify is no error: peer_closed() is true from then on, and a wire that
/// ends without it was cut.
/// Buffers belong to the driver: records are appended to its outgoing bytes, and opened where they lie.
/// OpenSSL copies each byte once more into memory of its own, which it frees with every record.
/// Limits: limits.hpp. Our key is replaced after so many records, the peer's whenever it says so.
/// Spec: RFC 8446 §4.6.3, §5, §6.1. Resists: altered, replayed, reordered and dropped records; truncation;
/// floods of records that carry nothing.
class Transport {
 public:
  Transport(std::unique_ptr<Channel> channel, std::uint64_t records_per_key);

  /// Appends what waits, then the parts, joined, as records.
  Result<void> seal(std::span<const ByteView> parts, Bytes& out);
  /// Whether close_notify or an alert waits. The answer to a key update leaves with the next data.
  bool has_output() const noexcept { return !channel_->pending().empty(); }
  /// Opens the record at the front of `buffered` in place. Nothing when it is not whole yet.
  /// Errc::bad_record, Errc::decrypt_failed, Errc::refused_by_peer, Errc::too_many_control_records,
  /// Errc::bad_handshake, Errc::closed, Errc::broken.
  Result<std::optional<Opened>> open_next(MutableByteView buffered);
  /// How many bytes the front record takes in all, once its header is there; the header's size before. Tells
  /// a driver how much to buffer.
  static std::size_t wanted_bytes(ByteView buffered) noexcept;
  /// Errc::bad_record unless a whole header stands at the front and is one that TLS 1.3 allows.
  static Result<void> check_header(ByteView buffered);
  /// Queues close_notify; nothing may be sealed behind it.
  void close();
  bool peer_closed() const noexcept { return peer_closed_; }

 private:
  Result<void> seal_record(ByteView plaintext);
  Result<void> seal_parts(std::span<const ByteView> parts);
  Result<Opened> open(MutableByteView record);

  std::unique_ptr<Channel> channel_;
  std::uint64_t records_per_key_;
  std::uint64_t records_left_;
  std::uint16_t control_records_ = 0;
  std::uint16_t control_bytes_ = 0;
  bool closed_ = false;
  bool peer_closed_ = false;
  bool broken_ = false;
};

}  // namespace starling::tls
