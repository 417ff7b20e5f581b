#pragma once
#include <memory>
#include <unordered_map>
#include <vector>

#include "runtime/brain.hpp"
#include "runtime/listener.hpp"
#include "runtime/resolver.hpp"

namespace starling::runtime {

/// Keeps a brain running on its shard: hands it events, carries its commands to the shards they are for,
/// listens and resolves names on its behalf, and takes the node down in order.
///
/// Everything on the thread of `home`, within its turns, but for the constructor.
class BrainDriver final : private CommandSink {
 public:
  BrainDriver(std::unique_ptr<Brain> brain, std::vector<Shard*> shards);
  ~BrainDriver() override;

  Brain& brain() noexcept { return *brain_; }
  /// Opens the listeners and starts the brain. Errc::bad_listen_address, too_many_listeners, those of
  /// listen_error().
  Result<void> start(const std::vector<Multiaddr>& listen, Now now);
  const std::vector<Multiaddr>& listening() const noexcept { return listening_; }

  void on(node::EdgeEvent event, Now now);
  void drain(Now now);
  bool unsettled() const { return brain_->unsettled(); }
  void settle(Now now);
  Instant deadline() const noexcept { return deadline_; }
  void on_deadline(Now now) { brain_->on_deadline(now); }
  /// At the end of a turn.
  void send_mail();

  /// Stops listening, lets the brain say goodbye, closes everything; `done` when no shard has a connection
  /// left.
  void begin_stop(std::function<void()> done, Now now);

 private:
  void command(node::EdgeCommand command) override;
  void carry(std::size_t shard, node::EdgeCommand command);
  void resolve(node::down::Resolve command);
  std::size_t shard_of(node::ConnId conn) const noexcept;
  std::size_t least_loaded() const noexcept;
  void take_in(Descriptor socket, const IpPort& remote);
  void close_all(Now now);

  Shard& home_;
  std::vector<Shard*> shards_;
  std::vector<std::vector<Mail>> outboxes_;
  std::unique_ptr<Brain> brain_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Multiaddr> listening_;
  std::unique_ptr<Resolver> resolver_;
  std::unordered_map<node::DialId, std::size_t> dials_;
  std::vector<std::size_t> dials_on_;
  std::size_t next_accept_ = 0;
  Instant deadline_ = Instant::never();
  std::function<void()> stopped_;
  std::size_t shards_running_ = 0;
  bool stopping_ = false;
  bool closing_ = false;
};

}  // namespace starling::runtime
