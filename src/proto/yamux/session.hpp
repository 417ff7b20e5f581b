#pragma once
// One connection's stream multiplexer: /yamux/1.0.0 as a pure machine.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/budget.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/slice.hpp"
#include "base/time.hpp"
#include "proto/yamux/errors.hpp"
#include "proto/yamux/event.hpp"
#include "proto/yamux/limits.hpp"

namespace starling::yamux {

/// The protocol's name in multistream-select and in the early muxer lists of Noise and TLS.
inline constexpr std::string_view kProtocolId = "/yamux/1.0.0";

/// What a deployment may tune; each default says why in limits.hpp. A session copies it.
struct Config {
  std::size_t streams_inbound_max = kStreamsInboundMax;
  std::size_t streams_outbound_max = kStreamsOutboundMax;
  std::size_t ack_backlog_max = kAckBacklogMax;
  std::uint32_t window_max = kWindowMax;  ///< at least kWindowInitial, at most kWindowMax
  std::size_t window_growth_budget_max = kWindowGrowthBudgetMax;
  std::size_t receive_buffer_max = kReceiveBufferMax;
  std::size_t send_buffer_max = kSendBufferMax;
  double abandoned_streams_burst_max = kAbandonedStreamsBurstMax;
  double abandoned_streams_per_second_max = kAbandonedStreamsPerSecondMax;
  Duration keepalive_interval = kKeepaliveInterval;  ///< Duration::max(): no keep-alive
  Duration keepalive_timeout = kKeepaliveTimeout;
  Duration rtt_probe_interval = kRttProbeInterval;
};

/// Many byte streams over one secured connection.
///
/// Single-threaded; owns no I/O and no clock. Bytes in by receive(), bytes out by gather() and sent(), news
/// by poll(). Call order: any input → drain poll() → gather()/write/sent() while has_output() → re-arm
/// deadline().
///
/// Streams are named by id only. An id that is not, or no longer, open is never an error: write() accepts
/// nothing, readable() is empty, finish(), reset() and consume() do nothing. So a driver need not track which
/// ids just ended.
///
/// Flow control: a stream's receive window is returned when the application consumes, in steps of half a
/// window, never on receipt; so what a peer can make us hold is bounded by the windows. A window doubles
/// while its half is consumed in less than one and a half round trips, of which one is measured after each
/// doubling, as long as the connection's growth budget lasts and the account would grant that much.
///
/// Memory: a byte is reserved from the account before it is held. A stream whose received bytes are not
/// granted is reset; one whose written bytes are not granted takes no more until some have left, and is reset
/// when it holds none.
///
/// A fatal error (from receive() or on_deadline()) discards all other output and queues one GoAway: the
/// driver gathers it if it can, then closes the connection. The session stays in that state; no event
/// follows.
///
/// Specification: github.com/libp2p/specs yamux/README.md. What it costs a peer to misuse it, and which
/// published flaws the bounds answer, is in README.md beside this file.
class Session {
 public:
  /// The first ping is queued at once, for the round-trip time. Allocates no buffers. What the streams hold
  /// is reserved from `account`, which outlives the session; null: from nowhere.
  Session(Role role, const Config& config, Instant now, ByteAccount* account = nullptr);
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // ---- bytes in, events out ----

  /// Takes decrypted bytes, cut anywhere. Any error is a violation by the peer or an exhausted budget, and
  /// fatal; calling again returns the same error. O(1) per frame, plus one copy of the payload.
  Result<void> receive(ByteView plaintext, Instant now);
  /// The same, but large payloads stay where they lie in `plaintext`, to be read there: the caller keeps them
  /// until settle(), which copies what nobody has consumed by then. May be called several times before.
  Result<void> lend(ByteView plaintext, Instant now);
  void settle();
  /// The next event, or nothing.
  std::optional<Event> poll();
  /// When on_deadline() wants to be called: keep-alive. Already past when a fatal error waits to be reported.
  Instant deadline() const;
  /// Pings after silence; `keepalive_timeout` when that stays unanswered. Harmless when called early. Also
  /// reports `control_backlog_full` when our own reset() calls caused it.
  Result<void> on_deadline(Instant now);

  // ---- streams ----

  /// A new stream of ours. SYN leaves with the next gather() on a WINDOW_UPDATE, as go does it (py lost data
  /// that came in the frame of a SYN), and what was written before that gather() follows in the same flight:
  /// header, proposal and request of a lazy negotiation cost one record. Errors: going_away,
  /// too_many_streams, ack_backlog_full, stream_ids_exhausted.
  Result<StreamId> open();
  /// Appends a copy of as much as the stream's send buffer takes and returns how many bytes that were. After
  /// a short count a `Writable` follows. 0 after finish().
  std::size_t write(StreamId id, ByteView data);
  /// The same without a copy of large slices: the memory is shared until its bytes were sent.
  std::size_t write(StreamId id, const Slice& data);
  /// Bytes that write() would accept now.
  std::size_t writable(StreamId id) const;
  /// The first contiguous run of received bytes. Valid until consume(), reset() or receive().
  ByteView readable(StreamId id) const;
  /// All received bytes that were not consumed.
  std::size_t readable_bytes(StreamId id) const;
  /// Drops `count` bytes from the front, at most readable_bytes(), and returns window to the peer. When the
  /// peer has finished and we too, the last consume() ends the stream (`Closed`).
  void consume(StreamId id, std::size_t count, Instant now);
  /// The peer has finished and everything was consumed: end of file. False for unknown ids.
  bool at_end(StreamId id) const;
  /// No more writes; FIN goes out in a frame of its own behind the data (js drops the data of a DATA frame
  /// with FIN). Reading goes on. No-op when already finished.
  void finish(StreamId id);
  /// Ends the stream in both directions at once and discards its buffers. `code` travels where go
  /// puts it, in the length field. No event follows. A stream whose SYN did not leave yet vanishes silently.
  void reset(StreamId id, std::uint32_t code = 0);

  // ---- the connection ----

  /// From now on the peer's new streams are reset and open() fails. Open streams go on; nothing is sent.
  void drain();
  /// drain(), and a GoAway behind everything else that waits to be sent. Peers in the field close the
  /// connection when they receive it, so call it last.
  void go_away(std::uint32_t code = kGoAwayNormal);
  /// Measures a round trip now, unless a ping is under way already; `Rtt` follows.
  void ping(Instant now);

  // ---- bytes out ----

  bool has_output() const;
  /// Appends views of whole frames, headers and payloads in order, until about `bytes_max` bytes (at least
  /// one frame when there is output; at most one frame more). Control frames first, then streams in turn. May
  /// be called again before sent(); views stay valid until sent(), whatever else is called. Returns the bytes
  /// appended.
  std::size_t gather(std::vector<ByteView>& parts, std::size_t bytes_max, Instant now);
  /// Everything gathered was encrypted or written: its memory is released.
  void sent();

  // ---- for budgets, metrics and tests ----

  std::size_t stream_count() const;
  std::size_t inbound_count() const;
  std::size_t outbound_count() const;
  /// Bytes received and not consumed, over all streams.
  std::size_t receive_buffered_bytes() const;
  /// Bytes written and not gathered, over all streams.
  std::size_t send_buffered_bytes() const;
  /// Bytes received for streams that were closed or never open, since the start.
  std::uint64_t discarded_bytes() const;
  /// The smallest of the last few measurements; nothing before the first.
  std::optional<Duration> rtt() const;
  /// The receive window of a stream, in bytes, as far as it has grown; 0 for unknown ids.
  std::uint32_t receive_window(StreamId id) const;

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace starling::yamux
