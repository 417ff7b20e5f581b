#pragma once
#include <memory>

#include "base/env.hpp"
#include "base/slice.hpp"
#include "node/local_info.hpp"
#include "node/port.hpp"
#include "yamux/event.hpp"

namespace starling::node {

/// What a handler may do to its own stream and tell the brain; valid during one call.
class StreamIo {
 public:
  virtual ~StreamIo() = default;
  virtual void write(ByteView bytes) = 0;
  virtual void write(const Slice& bytes) = 0;
  /// Bytes that would leave without waiting: a handler with a queue of its own writes no more than this.
  virtual std::size_t room() const = 0;
  /// No more writes from us.
  virtual void finish() = 0;
  /// Ends the stream at once; on_gone() is not called.
  virtual void reset() = 0;
  virtual void tell(EdgeEvent event) = 0;
  /// Asks the same again on a fresh stream, soon. False, and nothing happens, when the connection is ending.
  [[nodiscard]] virtual bool ask_again(const kad::SendRequest& request) = 0;
  virtual Instant now() const = 0;
  virtual ConnId conn() const = 0;
  virtual yamux::StreamId stream() const = 0;
  virtual const LocalInfo& local() const = 0;
  virtual const PeerId& peer() const = 0;
  virtual const Multiaddr& remote() const = 0;
  virtual Env& env() = 0;
};

/// What the brain asks of a stream's handler.
using StreamCommand =
    std::variant<down::AskKad, down::AnswerKad, down::SendGossip, down::AskPresence, down::AnswerPresence>;

/// The protocol of one negotiated stream, between the session (bytes) and the brain (values). An error from
/// any call resets the stream and is counted; the connection goes on.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  /// The stream stands (lazily negotiated ones: it may be written to).
  virtual Result<void> on_open(StreamIo&) { return {}; }
  /// Returns how many bytes were taken; what is left is offered again when more arrives or output has
  /// drained.
  virtual Result<std::size_t> on_data(ByteView bytes, StreamIo& io) = 0;
  /// The peer has finished writing and all was taken.
  virtual Result<void> on_end(StreamIo& io) {
    io.finish();
    return {};
  }
  /// room() has grown.
  virtual Result<void> on_drained(StreamIo&) { return {}; }
  /// A command of the brain for this stream; a handler gets only those of its own protocol.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): those who have commands keep what is in them
  virtual Result<void> on_command(StreamCommand, StreamIo&) { return {}; }
  /// The stream is over without us having asked: reset, refused, timed out, connection closed.
  virtual void on_gone(Error, StreamIo&) {}
  /// Bytes held for this peer outside the muxer: half a message, a queue.
  virtual std::size_t held_bytes() const { return 0; }
  /// Gossip messages that wait for room, each counting kBacklogBytesPerMessage at least.
  virtual std::size_t backlog_bytes() const { return 0; }
  virtual Instant deadline() const { return Instant::never(); }
  virtual Result<void> on_deadline(StreamIo&) { return {}; }
};

}  // namespace starling::node
