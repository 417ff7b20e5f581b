#pragma once
// Frames that belong to no open stream and wait to be sent: what a peer can make us owe it.
#include <cstdint>
#include <optional>
#include <vector>

#include "proto/yamux/limits.hpp"

namespace starling::yamux {

/// Ping answers and RSTs, bounded: a peer that asks without reading fills these and nothing else. Everything
/// else that waits (window updates, ACKs, FINs) is state of an open stream, and those are counted.
class Replies {
 public:
  struct Rst {
    std::uint32_t stream;
    std::uint32_t code;
  };

  /// Past the bound the ping is not answered, as go does it: a lost answer harms only who floods.
  void add_pong(std::uint32_t value) {
    if (pongs_.size() - pongs_head_ < kPendingPongsMax) pongs_.push_back(value);
  }
  /// False past the bound.
  [[nodiscard]] bool add_rst(Rst rst) {
    if (rsts_.size() - rsts_head_ >= kPendingResetsMax) return false;
    rsts_.push_back(rst);
    return true;
  }
  bool empty() const noexcept { return pongs_.empty() && rsts_.empty(); }
  std::optional<std::uint32_t> next_pong() { return next(pongs_, pongs_head_); }
  std::optional<Rst> next_rst() { return next(rsts_, rsts_head_); }
  void clear() {
    std::vector<std::uint32_t>().swap(pongs_);
    std::vector<Rst>().swap(rsts_);
    pongs_head_ = rsts_head_ = 0;
  }

 private:
  template <class T>
  static std::optional<T> next(std::vector<T>& queue, std::uint32_t& head) {
    if (queue.empty()) return std::nullopt;
    const T first = queue[head++];
    if (head == queue.size()) {
      std::vector<T>().swap(queue);
      head = 0;
    } else if (head >= 64 && head * 2 >= queue.size()) {
      queue.erase(queue.begin(), queue.begin() + head);
      head = 0;
    }
    return first;
  }

  std::vector<std::uint32_t> pongs_;
  std::vector<Rst> rsts_;
  std::uint32_t pongs_head_ = 0;
  std::uint32_t rsts_head_ = 0;
};

}  // namespace starling::yamux
