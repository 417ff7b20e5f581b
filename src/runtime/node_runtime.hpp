#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "node/connection.hpp"
#include "runtime/brain.hpp"
#include "runtime/mail.hpp"
#include "runtime/options.hpp"
#include "runtime/system.hpp"

namespace starling::runtime {

class BrainDriver;
class Shard;
class StreamSink;

/// A node of any brain: its loops, shards, driver and their life.
///
/// Construct → add_sinks() if application streams are wanted → start() → post(), … → stop() (the destructor
/// does it too). start() and stop() block and must not be called from a thread of the node; everything else
/// from anywhere.
class NodeRuntime {
 public:
  using MakeBrain = std::function<std::unique_ptr<Brain>(Env& env, Now now)>;

  NodeRuntime(Options options, const MakeBrain& make_brain);
  NodeRuntime(const NodeRuntime&) = delete;
  NodeRuntime& operator=(const NodeRuntime&) = delete;
  ~NodeRuntime();

  /// One for each shard, before start(); they outlive this object.
  void set_sinks(const std::vector<StreamSink*>& sinks);
  /// `prepare` runs on the brain's thread before anything else and may refuse.
  Result<void> start(std::function<Result<void>(Now)> prepare = {});
  /// On the brain's thread; within the present turn when called from there.
  void post(Job job);
  void post_after(Duration delay, Job job);
  /// On the brain's thread, as soon as every shard has done what the brain's turns until now, the present one
  /// included, told it to do.
  void after_shards(Job job);
  void metrics(std::function<void(MetricsSnapshot)> done);
  void stop();
  /// Ends the program when called on a thread of the node: stopping there would wait for itself for ever.
  void refuse_own_thread() const;

  std::size_t shards_count() const noexcept { return inboxes_.size(); }
  const std::shared_ptr<Inbox>& inbox(std::size_t shard) const noexcept { return inboxes_[shard]; }
  /// The mailbox of the shard where a connection lives.
  const std::shared_ptr<Inbox>& inbox_of(node::ConnId conn) const noexcept;
  /// After start().
  const std::vector<Multiaddr>& listening() const noexcept { return listening_; }

 private:
  enum class Life : std::uint8_t { fresh, running, stopped };

  Options options_;
  std::unique_ptr<Log> log_;
  std::shared_ptr<node::ConnectionsShared> shared_;
  std::shared_ptr<LoopPool> loops_;
  std::vector<std::shared_ptr<Inbox>> inboxes_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<BrainDriver> driver_;
  std::vector<Multiaddr> listening_;
  Life life_ = Life::fresh;
};

}  // namespace starling::runtime
