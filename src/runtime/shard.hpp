#pragma once
// The connections of one thread: sockets, timers and the turn in which all of it happens.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "node/session.hpp"
#include "runtime/mail.hpp"
#include "runtime/sockets.hpp"
#include "runtime/system.hpp"

namespace starling::runtime {

class BrainDriver;
class Shard;

/// Takes the application streams of one shard.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  /// Within a turn. May use the session, open or close streams, but not end the connection at once.
  virtual void on_stream_event(node::Session& session, node::app_stream::Event event, Now now) = 0;
};

/// One connection: its socket, its session, and what the kernel did not take yet.
///
/// Owned by value in the shard's table. The loop knows it by its id, never by a pointer: who hears of it
/// looks it up and ignores one that is gone.
struct Pump {
  enum class State : std::uint8_t {
    connecting,  ///< no session yet
    open,
    closing,  ///< the session is closed; its last bytes leave, then the peer's FIN is awaited
    lingering,
    gone,  ///< to be erased at the end of the turn
  };

  Pump(node::ConnId conn, Descriptor descriptor) : id(conn), socket(std::move(descriptor)) {}

  node::ConnId id;
  Descriptor socket;
  Loop::WatchId watch = 0;
  std::optional<node::Session> session;
  State state = State::connecting;
  node::DialId dial;
  std::optional<PeerId> expected_peer;
  Multiaddr remote;
  Bytes unsent;  ///< from the loop's pool, while the kernel takes no more
  std::size_t unsent_begin = 0;
  Instant close_at = Instant::never();  ///< end of closing and lingering
  Instant armed = Instant::never();     ///< its entry in the shard's table of deadlines
  bool in_dirty = false;
  bool in_flush = false;
  bool unfinished = false;  ///< in the shard's list of those that had no more of this turn
  // What the loop told and nobody has used up since.
  bool readable = false;
  bool writable = false;
  bool ended = false;
};

/// All connections of one thread of one node.
///
/// Everything runs on the loop's thread, but for the constructor. Work happens in turns: a word of the loop
/// begins one, the clock is read once, inputs go into sessions and the brain, and the turn goes on until
/// nobody has anything more to say; only then bytes are sealed and written, in as few system calls as
/// possible, and the one timer is armed. A callback of the application that calls back in finds the turn
/// under way and only adds to it. Reading: the loop's buffer is lent to a socket for one read() at a time, so
/// an idle connection owns no receive buffer. Sockets that became readable together are read in one turn, up
/// to kReadBytesPerTurnMax, so that what they cause leaves together. Fairness: a bounded number of reads and
/// writes per connection and turn, what is left comes after the others; local mail is finished before the
/// next turn, which is what holds back a peer that sends faster than the brain decides.
class Shard final : public LoopClient {
 public:
  struct Setup {
    std::size_t index;
    Loop* loop;
    Log* log;
    std::shared_ptr<node::ConnectionsShared> shared;
    std::shared_ptr<Inbox> inbox;        ///< this shard's own
    std::shared_ptr<Inbox> brain_inbox;  ///< that of the brain's shard
  };

  explicit Shard(Setup setup);
  ~Shard() override;

  /// Begins a turn when none is under way, and ends it.
  class Turn {
   public:
    explicit Turn(Shard& shard);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

   private:
    Shard& shard_;
    bool outermost_;
  };

  // --- within a turn ---

  Now now() const noexcept { return now_; }
  /// Later in this turn.
  void add(Mail mail) { todo_.push(std::move(mail)); }
  void at(Instant due, Job job);
  /// A socket that was admitted.
  void accepted(Descriptor socket, const Multiaddr& remote);
  /// The session of an open, secured connection; nothing otherwise.
  node::Session* session(node::ConnId conn);
  /// The session was used from outside: its events and output are seen to in this turn.
  void touch(node::ConnId conn);
  void close(node::ConnId conn, Error reason);

  // --- life ---

  /// The brain lives here.
  void host_brain(BrainDriver& brain) noexcept { brain_ = &brain; }
  void set_sink(StreamSink* sink) noexcept { sink_ = sink; }
  void on_mail();
  /// Closes every connection; those not gone by `deadline` are cut. `done` once there is none.
  void begin_stop(Instant deadline, Job done);
  /// After begin_stop() is done: ends the timer and calls back at the end of the turn. Nothing may be asked
  /// of the shard afterwards.
  void retire(std::function<void()> done);

  // --- what others look at ---

  std::size_t index() const noexcept { return setup_.index; }
  Env& env() noexcept { return env_; }
  Metrics& metrics() noexcept { return metrics_; }
  const std::shared_ptr<Inbox>& inbox() const noexcept { return setup_.inbox; }
  std::size_t connections_count() const noexcept { return pumps_.size(); }
  /// Gossip that the slowest peer has not taken; see Session.
  std::size_t gossip_backlog_bytes() const;
  Loop& loop() noexcept { return *setup_.loop; }
  /// Any thread: connections, for the choice of the least loaded shard.
  std::size_t load() const noexcept { return load_.load(std::memory_order_relaxed); }
  bool in_turn() const noexcept { return in_turn_; }

 private:
  friend class BrainDriver;

  // From the loop.
  void on_ready(std::span<const Ready> ready) override;
  void on_timer() override;

  // Turns.
  void finish_turn();
  void deliver(Mail mail);
  void apply(node::EdgeCommand command);
  void tell_brain(node::EdgeEvent event, Pump* from);
  void drain(Pump& pump);
  void mark_dirty(Pump& pump);
  void arm_deadline(Pump& pump);
  Instant deadline_of(const Pump& pump) const;
  void run_deadlines();
  void arm_timer();
  void reap();
  void check_stopped();

  // Commands of the brain.
  void on_command(node::down::Dial command);
  void on_command(const node::down::CancelDial& command);
  void on_command(const node::down::Resolve& command);
  void on_command(const node::down::Close& command);
  void on_command(node::down::AskKad&& command);
  void on_command(node::down::AnswerKad&& command);
  void on_command(node::down::OpenGossip&& command);
  void on_command(node::down::SendGossip&& command);
  void on_command(const node::down::CheckSignature& command);
  void on_command(node::down::AskPresence&& command);
  void on_command(node::down::AnswerPresence&& command);
  void on_command(node::down::Ping&& command);
  void on_command(const node::down::SetLocal& command);
  template <class Command>
  bool hand_on(node::ConnId conn, Command&& command);

  // Sockets (shard_io.cpp).
  Result<Pump*> make_pump(Descriptor socket);
  Pump* find(node::ConnId conn);
  void begin_session(Pump& pump, node::Direction direction);
  void on_ready(const Ready& ready);
  /// Goes on after the others.
  void postpone(Pump& pump);
  void run_postponed();
  void read_some(Pump& pump);
  void flush(Pump& pump);
  /// False when the kernel took less than everything, or the connection is lost.
  bool write_out(Pump& pump, Bytes& bytes);
  void on_connected(Pump& pump);
  void end_session(Pump& pump, Error reason, Instant close_at);
  void linger(Pump& pump);
  void lose(Pump& pump, Error reason);
  void erase(Pump& pump);

  Setup setup_;
  SystemRng rng_;
  Metrics metrics_;
  Env env_;
  BrainDriver* brain_ = nullptr;
  StreamSink* sink_ = nullptr;
  std::shared_ptr<const node::LocalInfo> local_;
  std::unordered_map<node::ConnId, Pump> pumps_;
  std::map<node::DialId, node::ConnId> dials_;
  std::uint64_t next_conn_ = 1;

  bool in_turn_ = false;
  bool brain_touched_ = false;
  Now now_;
  Fifo<Mail, kTurnQueueBytesKept> todo_;
  Fifo<node::ConnId, kTurnQueueBytesKept> dirty_;
  Fifo<node::ConnId, kTurnQueueBytesKept> to_flush_;
  std::vector<node::ConnId> gone_;
  std::vector<node::ConnId> unfinished_;
  std::size_t read_bytes_ = 0;  ///< in this turn
  std::vector<Mail> for_brain_;

  std::set<std::pair<Instant, node::ConnId>> deadlines_;
  std::multimap<Instant, Job> timed_;
  std::atomic<std::size_t> load_ = 0;

  bool stopping_ = false;
  Job stopped_;
  std::function<void()> retired_;
};

}  // namespace starling::runtime
