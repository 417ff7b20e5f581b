#pragma once
#include <atomic>
#include <memory>

#include "base/bytes.hpp"
#include "daemon/control_loop.hpp"
#include "starling/stream.hpp"

namespace starling::daemon {

/// A control socket that has become a stream: bytes both ways, unchanged, until both ways have ended.
///
/// - Half-close: the end of what the client writes finishes the stream's writing, the end of the stream shuts
///   the socket's sending side down; the other way goes on.
/// - Reset: a stream that fails closes the socket, a TCP one with RST, so that a client does not take what it
///   has for everything; a socket that fails, or that the client has closed while the peer still sends,
///   resets the stream.
/// - Backpressure: a direction reads again only when what it read has been taken, so it holds kSpliceBytes of
///   the socket's bytes, or what the stream gave at once, which its window bounds. A client that does not
///   read so stops the peer.
///
/// Lifetime: kept by its own operations under way; start() is called once. All on the loop's thread but the
/// stream's callbacks, which only copy and post.
class Splice : public std::enable_shared_from_this<Splice> {
 public:
  Splice(ControlLoop& loop, Socket socket, Stream stream, Seat seat);
  Splice(const Splice&) = delete;
  Splice& operator=(const Splice&) = delete;

  /// `first`: what the client has sent already.
  void start(Bytes first);

 private:
  void read_socket();
  void write_stream(ByteView bytes);
  void on_socket_end();
  void read_stream();
  void write_socket(Bytes bytes);
  void on_stream_end();
  void abort();
  void close_when_over();

  ControlLoop& loop_;
  Socket socket_;
  Stream stream_;
  Seat seat_;
  Bytes from_socket_;
  Bytes from_stream_;
  bool socket_ended_ = false;
  bool stream_ended_ = false;
  bool over_ = false;
};

}  // namespace starling::daemon
