#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "node/session.hpp"

namespace starling::sim {

/// The edge of one node at level B: the sessions of production (multistream-select, Noise, yamux, identify,
/// the codecs), as a shard keeps them, but without sockets. Bytes come in, typed events and bytes go out.
///
/// One per node, owned by World; Env outlives it. Call order: any input → until both are empty: next_event()
/// (to the brain, whose commands come back by apply()), then next_output() → re-arm deadline(). Bounded by
/// the connections and by what the sessions themselves may hold.
class ByteEdge {
 public:
  explicit ByteEdge(Env& env) : env_(env) {}

  /// A connection stands. `remote` is who the other end is, `dial` ours or none.
  void open(node::ConnId conn, node::DialId dial, node::Direction direction, const Multiaddr& remote,
            std::optional<PeerId> expected_peer, Now now);
  /// For a connection that is gone: nothing happens.
  void receive(node::ConnId conn, MutableByteView bytes, Instant now);
  /// The other end has closed, or the network has broken the connection.
  void lost(node::ConnId conn, const Error& reason, Instant now);
  /// Ours to close; its last bytes still leave.
  void close(node::ConnId conn, const Error& reason, Instant now);
  /// Ends the connection that `dial` has made, unless it is upgraded already. False when there is none.
  bool cancel(node::DialId dial, Instant now);

  /// Commands for a session. False when it is not there (any more) or not announced yet.
  template <class Command>
  bool hand_on(node::ConnId conn, Command command, Instant now) {
    node::Session* open = announced(conn);
    if (open == nullptr) return false;
    open->apply(std::move(command), now);
    touch(conn);
    return true;
  }
  void apply(const node::down::SetLocal& command, Instant now);
  /// A node accepts nobody before it knows what it offers.
  bool ready() const noexcept { return local_ != nullptr; }

  std::optional<node::EdgeEvent> next_event();
  /// Bytes of a connection for its other end, then, once and last, that it has closed.
  struct Output {
    node::ConnId conn;
    Bytes bytes;  ///< empty: closed
  };
  std::optional<Output> next_output(Instant now);
  Instant deadline() const noexcept {
    return deadlines_.empty() ? Instant::never() : deadlines_.begin()->first;
  }
  void on_deadline(Instant now);
  /// An event or output waits.
  bool busy() const noexcept { return !dirty_.empty() || !events_.empty(); }
  std::size_t size() const noexcept { return ends_.size(); }

 private:
  struct End {
    End(node::Session::Setup setup, Env& env, Now now) : session(std::move(setup), env, now) {}
    node::Session session;
    node::DialId dial;
    Instant armed = Instant::never();  ///< its entry among the deadlines
    bool closing = false;
    bool silent = false;  ///< nobody is left who could read
    bool dirty = false;
  };
  End* find(node::ConnId conn);
  node::Session* announced(node::ConnId conn);
  void touch(node::ConnId conn);
  void drain(End& end);
  void arm(node::ConnId conn, End& end);

  Env& env_;
  node::ConnectionsShared shared_;
  std::shared_ptr<const node::LocalInfo> local_;
  std::map<node::ConnId, End> ends_;
  std::deque<node::ConnId> dirty_;
  std::set<std::pair<Instant, node::ConnId>> deadlines_;
  std::deque<node::EdgeEvent> events_;
};

}  // namespace starling::sim
