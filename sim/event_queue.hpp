#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "format/multiaddr.hpp"
#include "node/port.hpp"

namespace starling::sim {

/// A SYN that reaches the listener.
struct DialArrives {
  std::uint32_t dialler;
  std::uint32_t generation;  ///< of the dialler
  node::down::Dial dial;
  Duration one_way;
};
/// Level B: a connection's bytes reach its other end.
struct BytesArrive {
  node::ConnId conn;  ///< as the receiver calls it
  Bytes bytes;        ///< empty: the other end has closed
};
/// Level B: the answer to a SYN reaches the dialler.
struct DialStands {
  node::ConnId conn;  ///< as the dialler calls it
  node::down::Dial dial;
};
/// A scenario's own doing.
struct Task {
  std::function<void()> action;
};
/// What an event carries. Nothing: the node's deadline.
using Payload = std::variant<std::monostate, node::EdgeEvent, DialArrives, Task, BytesArrive, DialStands>;

/// Events in the order of their times, those of equal times in the order of their making: one seed, one
/// course.
///
/// A heap of small entries (four children a node: fewer cache lines than two) over a slab of payloads that
/// are never moved while they wait, so an event costs no allocation of its own. Memory is bounded by the
/// events under way; freed places are used again. Single-threaded, owned by World.
class EventQueue {
 public:
  struct Entry {
    Instant at;
    std::uint64_t order;
    std::uint32_t node;
    std::uint32_t slot;  ///< kDeadline: no payload
    std::uint32_t generation;
  };
  static constexpr std::uint32_t kDeadline = ~std::uint32_t{0};

  void push(Instant at, std::uint32_t node, std::uint32_t generation, Payload payload) {
    std::uint32_t slot = kDeadline;
    if (payload.index() != 0) {
      if (free_.empty()) {
        slot = static_cast<std::uint32_t>(slab_.size());
        slab_.push_back(std::move(payload));
      } else {
        slot = free_.back();
        free_.pop_back();
        slab_[slot] = std::move(payload);
      }
    }
    heap_.push_back({at, next_order_++, node, slot, generation});
    sift_up(heap_.size() - 1);
  }

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }
  const Entry& top() const noexcept { return heap_.front(); }
  /// Asks for the payload of an entry that is soon to be taken: it was made long ago, and is far from the
  /// processor.
  void prefetch(const Entry& entry) const noexcept {
    if (entry.slot != kDeadline) __builtin_prefetch(&slab_[entry.slot]);
  }

  Entry pop() {
    const Entry out = heap_.front();
    heap_.front() = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down();
    return out;
  }
  /// The payload of an entry that was popped; once.
  Payload take(const Entry& entry) {
    if (entry.slot == kDeadline) return {};
    Payload out = std::exchange(slab_[entry.slot], Payload{});
    free_.push_back(entry.slot);
    return out;
  }

 private:
  static bool before(const Entry& a, const Entry& b) noexcept {
    return a.at != b.at ? a.at < b.at : a.order < b.order;
  }
  void sift_up(std::size_t i) noexcept {
    const Entry entry = heap_[i];
    while (i > 0) {
      const std::size_t parent = (i - 1) / 4;
      if (!before(entry, heap_[parent])) break;
      heap_[i] = heap_[parent];
      i = parent;
    }
    heap_[i] = entry;
  }
  void sift_down() noexcept {
    const Entry entry = heap_.front();
    std::size_t i = 0;
    for (;;) {
      const std::size_t first = 4 * i + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first;
      for (std::size_t child = first + 1; child < std::min(first + 4, heap_.size()); ++child)
        if (before(heap_[child], heap_[least])) least = child;
      if (!before(heap_[least], entry)) break;
      heap_[i] = heap_[least];
      i = least;
    }
    heap_[i] = entry;
  }

  std::vector<Entry> heap_;
  std::deque<Payload> slab_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_order_ = 0;
};

}  // namespace starling::sim
