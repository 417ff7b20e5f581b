#pragma once
// What is behind a Session. Its parts: engine.cpp streams and events, engine_receive.cpp frames in,
// engine_send.cpp frames out.
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "base/bounded.hpp"
#include "proto/yamux/frame.hpp"
#include "proto/yamux/liveness.hpp"
#include "proto/yamux/outbox.hpp"
#include "proto/yamux/replies.hpp"
#include "proto/yamux/session.hpp"
#include "proto/yamux/stream.hpp"
#include "proto/yamux/stream_ids.hpp"

namespace starling::yamux {

class Session::Engine {
 public:
  Engine(Role role, const Config& config, Instant now, ByteAccount* account);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // engine_receive.cpp
  Result<void> receive(ByteView bytes, Instant now);
  void settle();

  // engine.cpp
  std::optional<Event> poll();
  Instant deadline() const;
  Result<void> on_deadline(Instant now);
  Result<StreamId> open();
  void consume(StreamId id, std::size_t count, Instant now);
  void reset(StreamId id, std::uint32_t code);
  void drain() noexcept { draining_ = true; }
  void go_away(std::uint32_t code);
  void ping(Instant now) noexcept { liveness_.want_ping(now); }
  const Stream* find(StreamId id) const;

  // engine_send.cpp
  std::size_t write(StreamId id, ByteView data);
  std::size_t write(StreamId id, const Slice& data);
  std::size_t writable(StreamId id) const;
  void finish(StreamId id);
  bool has_output() const;
  std::size_t gather(std::vector<ByteView>& parts, std::size_t bytes_max, Instant now);
  void sent();

  std::size_t inbound_count() const noexcept { return inbound_count_; }
  std::size_t outbound_count() const noexcept { return streams_.size() - inbound_count_; }
  std::size_t receive_buffered() const noexcept { return receive_buffered_; }
  std::size_t send_buffered() const noexcept { return send_buffered_; }
  std::uint64_t discarded() const noexcept { return discarded_; }
  std::optional<Duration> rtt() const noexcept { return liveness_.rtt(); }

 private:
  // engine_receive.cpp
  Result<void> on_header(const Header& header, Instant now);
  Result<void> on_stream_frame(const Header& header, Instant now);
  Result<void> on_data(Stream* stream, const Header& header, Instant now);
  Result<void> on_window_update(Stream& stream, const Header& header);
  Result<void> on_ping(const Header& header, Instant now);
  Result<Stream*> accept(const Header& header, Instant now);
  Result<void> refuse(const Header& header, Instant now);
  Result<void> on_body(ByteView bytes);
  Result<void> on_remote_reset(Stream& stream, std::uint32_t code, Instant now);
  void on_remote_finish(Stream& stream);

  // engine.cpp
  Stream* find_mutable(StreamId id);
  Stream& add_stream(std::uint32_t id);
  void raise(Stream& stream, Pending event);
  /// Takes the stream out of the session. With `last_event` it stays behind until that was polled; an
  /// `Opened` that was not polled yet cancels out with it, and nothing is reported.
  void remove(Stream& stream, std::optional<Pending> last_event);
  void close_if_done(Stream& stream);
  void drop_output(Stream& stream);
  void on_acknowledged(Stream& stream);
  void grow_window(Stream& stream, Instant now);
  [[nodiscard]] bool owe_reset(std::uint32_t stream, std::uint32_t code);
  bool has_room_to_open() const;
  bool reserve(std::size_t bytes) noexcept { return account_ == nullptr || account_->reserve(bytes); }
  void release(std::size_t bytes) noexcept {
    if (account_ != nullptr) account_->release(bytes);
  }
  /// Ends a stream for whose bytes there is no room; `silent` when both wires are over already.
  Result<void> evict(Stream& stream, bool silent);
  Liveness::Times times() const noexcept { return {config_.keepalive_interval, config_.keepalive_timeout}; }
  /// Ends the session: all output is discarded but one GoAway.
  tl::unexpected<Error> fail(Errc code);

  // engine_send.cpp
  std::size_t accept_write(Stream* stream, std::size_t size);
  void schedule(Stream& stream);
  std::size_t put_frame(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length,
                        std::vector<ByteView>& parts);
  std::size_t gather_replies(std::vector<ByteView>& parts, std::size_t bytes_max, Instant now);
  std::size_t gather_control(Stream& stream, std::vector<ByteView>& parts);
  std::size_t gather_data(Stream& stream, std::vector<ByteView>& parts);
  void raise_writable(Stream& stream);

  const Config config_;
  ByteAccount* const account_;
  const bool client_;
  boost::unordered_flat_map<std::uint32_t, std::unique_ptr<Stream>> streams_;
  StreamList<&Stream::event_link> events_;
  StreamList<&Stream::control_link> control_;
  StreamList<&Stream::data_link> data_;
  Liveness liveness_;
  Replies replies_;
  Outbox outbox_;
  TokenBucket abandoned_;

  // The frame that is being received.
  HeaderBytes header_bytes_;
  std::uint32_t header_have_ = 0;
  std::uint32_t body_left_ = 0;
  Stream* body_stream_ = nullptr;  ///< null: the body is discarded
  bool body_finishes_ = false;     ///< FIN takes effect behind the body
  /// Whose received bytes may lie in memory of the driver, until settle(). One at a time, the first: who
  /// sends much on many streams has them copied.
  Stream* lent_ = nullptr;

  StreamIds ids_;
  std::size_t inbound_count_ = 0;
  std::size_t inbound_unacknowledged_ = 0;
  std::size_t outbound_unacknowledged_ = 0;
  std::size_t window_growth_ = 0;
  std::size_t receive_buffered_ = 0;
  std::size_t send_buffered_ = 0;
  std::uint64_t discarded_ = 0;

  std::optional<Error> error_;
  std::optional<Rtt> rtt_event_;
  std::optional<RemoteGoAway> remote_go_away_event_;
  std::optional<std::uint32_t> go_away_due_;
  bool error_reported_ = false;
  bool draining_ = false;
  bool remote_going_away_ = false;
  bool open_blocked_ = false;
};

}  // namespace starling::yamux
