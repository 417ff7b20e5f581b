#pragma once
// The brain of a node as its driver sees it, whichever it is.
#include <memory>

#include "node/host.hpp"

namespace starling::runtime {

/// Takes the brain's orders to the edge.
class CommandSink {
 public:
  virtual ~CommandSink() = default;
  virtual void command(node::EdgeCommand command) = 0;
};

/// A sequential brain. All calls on the brain's thread; input → drain() → re-arm deadline().
class Brain {
 public:
  virtual ~Brain() = default;
  virtual node::Host& host() noexcept = 0;
  /// Once, when the node listens.
  virtual void start(Now now) = 0;
  virtual void on(node::EdgeEvent event, Now now) = 0;
  /// Commands to `sink`, news to their callbacks, in order, until there are none, or until settle() when
  /// something told before them is still on its way to the disk.
  virtual void drain(Now now, CommandSink& sink) = 0;
  /// Something waits for settle(), which must come before the turn ends.
  virtual bool unsettled() const { return false; }
  /// Commits what is to be kept, all that came since the last call at once; then lets go of what waited for
  /// it.
  virtual void settle(Now, CommandSink&) {}
  virtual Instant deadline() const = 0;
  virtual void on_deadline(Now now) = 0;
  /// Says goodbye; the connections are closed once ready_to_close().
  virtual void begin_shutdown(Now now) = 0;
  virtual bool ready_to_close(Now now) const = 0;
};

}  // namespace starling::runtime
