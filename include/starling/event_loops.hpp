#pragma once
/// Event loops that several hosts and nodes of a process share.
#include <cstddef>
#include <memory>

namespace starling {

namespace sdk {
class HostCore;
class NodeCore;
/// Whether the calling thread is an event loop of any host or node.
bool on_event_loop() noexcept;
}  // namespace sdk

/// Event loops that several hosts and nodes of a process share. Keep one copy longer than all of them; the
/// last must not go on one of its own threads.
class EventLoops {
 public:
  EventLoops() noexcept = default;
  /// `threads` 0: one per core, eight at most.
  explicit EventLoops(std::size_t threads);

 private:
  friend class sdk::HostCore;
  friend class sdk::NodeCore;
  std::shared_ptr<void> pool_;
};

}  // namespace starling
