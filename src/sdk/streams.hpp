#pragma once
// The application's streams of one shard, behind the public handles.
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/fifo.hpp"
#include "runtime/shard.hpp"
#include "sdk/failure.hpp"
#include "starling/host.hpp"

namespace starling::sdk {

/// Which handler takes inbound streams of which protocol; shared by all shards of a host.
class HandlerTable {
 public:
  void set(std::string protocol, Host::StreamHandler handler);
  /// Nothing when the protocol is not offered.
  std::shared_ptr<const Host::StreamHandler> find(std::string_view protocol) const;
  std::vector<std::string> protocols() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Host::StreamHandler>, std::less<>> handlers_;
};

/// One stream. All but the constants belong to the shard's thread.
struct StreamState {
  StreamState(std::shared_ptr<runtime::Inbox> box, StreamTable& owner, node::ConnId connection,
              yamux::StreamId stream, std::string name, PeerId other, Multiaddr where, node::Direction way)
      : inbox(std::move(box)),
        table(&owner),
        conn(connection),
        id(stream),
        protocol(std::move(name)),
        peer(other),
        remote(std::move(where)),
        direction(way) {}

  const std::shared_ptr<runtime::Inbox> inbox;
  StreamTable* const table;  ///< valid as long as the inbox leads to a shard
  const node::ConnId conn;
  const yamux::StreamId id;
  const std::string protocol;
  const PeerId peer;
  const Multiaddr remote;  ///< of the connection
  const node::Direction direction;
  std::atomic<std::size_t> handles = 0;

  Owed<ByteSpan> reader;
  Bytes waiting;  ///< written and not accepted
  std::size_t waiting_begin = 0;
  std::uint64_t accepted = 0;  ///< bytes, since the start
  std::uint64_t written = 0;
  Fifo<std::pair<std::uint64_t, Owed<void>>> writers;  ///< each done when `accepted` gets there
  bool in_read = false;
  bool in_write = false;
  bool finish_after = false;
  bool abandoned = false;  ///< finished and let go of: what still comes is thrown away
  bool ended = false;      ///< the peer writes no more
  bool over = false;
  std::optional<Error> error;
};

struct ConnectionState {
  std::shared_ptr<runtime::Inbox> inbox;
  StreamTable* table;
  node::ConnId conn;
  PeerId peer;
  Multiaddr remote;
};

/// Turns a session's stream events into calls of the application, and its calls into work on the session.
///
/// One per shard; all methods within a turn of it, but for those marked. Outlives the shard.
class StreamTable final : public runtime::StreamSink {
 public:
  explicit StreamTable(std::shared_ptr<const HandlerTable> handlers) : handlers_(std::move(handlers)) {}
  /// Before the shard runs.
  void bind(std::shared_ptr<runtime::Inbox> inbox) { inbox_ = std::move(inbox); }

  void on_stream_event(node::Session& session, node::app_stream::Event event, Now now) override;

  void open(runtime::Shard& shard, node::ConnId conn, std::vector<std::string> protocols, Agreement agreement,
            Owed<Stream> done);
  void read(runtime::Shard& shard, const std::shared_ptr<StreamState>& stream, Owed<ByteSpan> done);
  void write(runtime::Shard& shard, const std::shared_ptr<StreamState>& stream, ByteView bytes,
             Owed<void> done);
  void finish(runtime::Shard& shard, const std::shared_ptr<StreamState>& stream);
  void reset(runtime::Shard& shard, const std::shared_ptr<StreamState>& stream);
  /// The last handle is gone.
  void abandon(runtime::Shard& shard, const std::shared_ptr<StreamState>& stream);

 private:
  struct Key {
    node::ConnId conn;
    yamux::StreamId stream;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<node::ConnId>()(key.conn) * 31 + std::hash<yamux::StreamId>()(key.stream);
    }
  };
  using StreamPtr = std::shared_ptr<StreamState>;

  StreamPtr find(node::ConnId conn, yamux::StreamId stream) const;
  StreamPtr add(const node::Session& session, yamux::StreamId id, std::string protocol,
                node::Direction direction);
  void on_opened(node::Session& session, node::app_stream::Opened& event, Now now);
  void serve_reads(node::Session* session, const StreamPtr& stream, Now now);
  void serve_writes(node::Session* session, const StreamPtr& stream, Now now);
  void end(const StreamPtr& stream, std::optional<Error> error);

  std::shared_ptr<const HandlerTable> handlers_;
  std::shared_ptr<runtime::Inbox> inbox_;
  boost::unordered_flat_map<Key, StreamPtr, KeyHash> streams_;
  std::unordered_map<std::uint64_t, Owed<Stream>> opening_;
  std::uint64_t next_token_ = 1;
};

/// `work(shard)` on the shard's thread: now when this is it, else by mail.
template <class Work>
void on_shard(const std::shared_ptr<runtime::Inbox>& inbox, Work work) {
  if (runtime::Shard* here = inbox->shard_here()) {
    const runtime::Shard::Turn turn(*here);
    work(*here);
    return;
  }
  inbox->post([work = std::move(work)](runtime::Shard& shard, Now) mutable { work(shard); });
}

}  // namespace starling::sdk
