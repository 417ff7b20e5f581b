#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "base/fifo.hpp"
#include "node/connection.hpp"
#include "node/port.hpp"
#include "node/stream_handler.hpp"

namespace starling::node {

/// News of the application's own streams, for the driver of the same shard.
namespace app_stream {
/// A stream of an application protocol stands: ours (with the token of open_stream()) or the peer's. Lazily
/// negotiated ones may be written to before the peer has agreed; a refusal comes as Gone.
struct Opened {
  yamux::StreamId stream;
  std::string protocol;
  Direction direction;
  std::uint64_t token = 0;
};
/// open_stream() came to nothing.
struct OpenFailed {
  std::uint64_t token;
  Error error;
};
struct Readable {
  yamux::StreamId stream;
};
struct Writable {
  yamux::StreamId stream;
};
/// The peer writes no more and everything was consumed.
struct Ended {
  yamux::StreamId stream;
};
/// Over, without or against our will.
struct Gone {
  yamux::StreamId stream;
  Error error;
};
/// Both sides have finished.
struct Closed {
  yamux::StreamId stream;
};
using Event = std::variant<Opened, OpenFailed, Readable, Writable, Ended, Gone, Closed>;
}  // namespace app_stream

/// Everything that one connection does: its upgrade, its streams and the protocols on them. Identify, ping,
/// DHT, gossip and presence are handled here up to typed values for the brain; application streams are handed
/// out as bytes.
///
/// Lifetime: one per connection, owned by the shard. Call order: any input → drain poll() → produce() while
/// has_output() → re-arm deadline(). After an error from receive() or on_deadline(): close(), drain poll()
/// (Disconnected comes last), produce() once for the GoAway, then drop it. Limits: limits.hpp; streams by
/// kind, answers waiting per stream, questions per connection. A stream whose protocol is violated is reset
/// and counted (`stream_errors`); only violations of the layers below end the connection.
class Session {
 public:
  using Event = std::variant<EdgeEvent, app_stream::Event>;
  struct Setup {
    ConnId id;
    DialId dial;
    Direction direction;
    Multiaddr remote;
    std::optional<PeerId> expected_peer;
    std::shared_ptr<const LocalInfo> local;
    ConnectionsShared* shared;
  };

  /// `now.wall` is what a peer's certificate is judged by.
  Session(Setup setup, Env& env, Now now);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Bytes from the socket; they are decrypted in place, their content is unspecified afterwards.
  Result<void> receive(MutableByteView bytes, Instant now);
  /// The same, but what application streams received may still lie in `bytes`: poll() and read what is
  /// wanted, then settle(), which copies the rest, and only then the next lend().
  Result<void> lend(MutableByteView bytes, Instant now);
  void settle() { connection_.settle(); }
  bool has_output() const { return connection_.has_output(); }
  /// Appends bytes for the socket, about `bytes_max`. Room made for writers is told through poll()
  /// afterwards.
  Result<void> produce(Bytes& out, std::size_t bytes_max, Instant now);
  std::optional<Event> poll();
  Instant deadline() const;
  Result<void> on_deadline(Instant now);
  /// Ends every stream and question; Disconnected follows when the connection had been announced, else
  /// DialFailed for one that we dialled. Idempotent.
  void close(Error reason, Instant now);

  void apply(down::AskKad command, Instant now);
  void apply(down::AnswerKad command, Instant now);
  void apply(down::OpenGossip command, Instant now);
  void apply(down::SendGossip command, Instant now);
  void apply(down::AskPresence command, Instant now);
  void apply(down::AnswerPresence command, Instant now);
  void apply(down::Ping command, Instant now);
  void apply(const down::SetLocal& command, Instant now);

  /// Opens an application stream; Opened or OpenFailed with the token follows. With several protocols they
  /// are tried in order; with one and Lazy::yes, data may follow at once.
  void open_stream(std::uint64_t token, std::vector<std::string> protocols, multistream::Lazy lazy,
                   Instant now);
  std::size_t write(yamux::StreamId stream, ByteView bytes);
  std::size_t write(yamux::StreamId stream, const Slice& bytes);
  std::size_t writable(yamux::StreamId stream) const;
  ByteView readable(yamux::StreamId stream) const;
  void consume(yamux::StreamId stream, std::size_t count, Instant now);
  void finish(yamux::StreamId stream, Instant now);
  void reset(yamux::StreamId stream, Instant now);

  ConnId id() const noexcept { return setup_.id; }
  const Multiaddr& remote() const noexcept { return setup_.remote; }
  const std::optional<ConnectionPeer>& peer() const noexcept { return connection_.peer(); }
  bool announced() const noexcept { return announced_; }
  std::size_t streams_count() const noexcept { return streams_.size(); }
  /// Gossip messages that wait for the peer to read, each counting kBacklogBytesPerMessage at least.
  std::size_t gossip_backlog_bytes() const;
  const Connection& connection() const noexcept { return connection_; }

 private:
  struct Stream;
  class Io;
  /// What inbound streams may ask for. Reads the session's present LocalInfo, whichever that is.
  class Offered final : public multistream::Protocols {
   public:
    explicit Offered(const std::shared_ptr<const LocalInfo>& local) noexcept : local_(local) {}
    bool supports(std::string_view protocol) const override;

   private:
    const std::shared_ptr<const LocalInfo>& local_;
  };

  Stream* find(yamux::StreamId id);
  void announce(Instant now);
  void ask(down::AskKad command, Instant now);
  void drain_mux(Instant now);
  void on_inbound(yamux::StreamId id, Instant now);
  void on_readable(yamux::StreamId id, Instant now);
  void on_remote_finished(yamux::StreamId id, Instant now);
  void on_writable(yamux::StreamId id, Instant now);
  /// Opens a stream for a handler of ours; the handler's on_gone() is called when that fails.
  yamux::StreamId open(std::string protocol, std::unique_ptr<StreamHandler> handler, Instant now);
  Result<bool> negotiate(yamux::StreamId id, Stream& stream, Instant now);
  void start_inbound(yamux::StreamId id, Stream& stream, const std::string& protocol, Instant now);
  std::unique_ptr<StreamHandler> inbound_handler(std::string_view protocol, Instant now);
  void flush(yamux::StreamId id, Stream& stream);
  void feed(yamux::StreamId id, Instant now);
  /// Calls the handler and applies what it asked for.
  template <class Call>
  void with_handler(yamux::StreamId id, Instant now, Call call);
  void command_to(yamux::StreamId id, StreamCommand command, Instant now);
  void drop(yamux::StreamId id, Error error, Instant now);
  /// Makes the account say what handler and unsent answers hold; false when that is not granted.
  [[nodiscard]] bool settle(Stream& stream);
  void forget(yamux::StreamId id);
  void note_deadline(Instant deadline) { next_deadline_ = std::min(next_deadline_, deadline); }

  Setup setup_;
  /// The handshake refers to the key in it, and SetLocal may replace it meanwhile.
  std::shared_ptr<const LocalInfo> shaken_with_;
  Env* env_;
  Offered offered_;
  Connection connection_;
  boost::unordered_flat_map<yamux::StreamId, std::unique_ptr<Stream>, std::hash<yamux::StreamId>> streams_;
  Fifo<Event> events_;
  std::map<std::string, std::size_t, std::less<>> inbound_by_protocol_;
  std::size_t negotiating_ = 0;
  yamux::StreamId kad_stream_;
  Fifo<kad::SendRequest> again_;  ///< whose stream has died of its age
  yamux::StreamId presence_stream_;
  yamux::StreamId gossip_out_;
  yamux::StreamId gossip_in_;
  std::shared_ptr<const identify::Info> identified_;
  Instant next_deadline_ = Instant::never();
  bool announced_ = false;
  bool closed_ = false;
};

}  // namespace starling::node
