#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <vector>

#include "base/bytes.hpp"
#include "kad/message.hpp"

namespace starling::sim {

/// What one lookup costs, seen from outside: every request that its node sends about one of its keys, and how
/// many servers stood between it and what it found.
///
/// A server that the node knew at the start is one hop away; one that was first named by a server at n hops
/// is at n + 1. Fed by World; lives as long as its lookup.
class LookupTrace {
 public:
  explicit LookupTrace(std::vector<Bytes> keys) : keys_(std::move(keys)) {}

  bool about(ByteView key) const noexcept {
    for (const Bytes& own : keys_)
      if (equal(own, key)) return true;
    return false;
  }
  void on_request(const PeerId& to, const kad::Message& request) {
    if (request.type == kad::MessageType::put_value) {
      ++corrections_;
      return;
    }
    ++requests_;
    hops_.emplace(to, 1);
  }
  void on_answer(const PeerId& from, const kad::Message& answer) {
    const auto it = hops_.find(from);
    const std::uint32_t hops = it == hops_.end() ? 1 : it->second;
    for (const auto& peer : answer.closer_peers) hops_.emplace(peer.id, hops + 1);
    if (found_at_ == 0 && (answer.record || !answer.provider_peers.empty())) found_at_ = hops;
    if (hops > farthest_) farthest_ = hops;
  }

  /// Requests that were sent, without PUTs of a better record to servers that lacked it.
  std::uint32_t requests() const noexcept { return requests_; }
  std::uint32_t corrections() const noexcept { return corrections_; }
  /// To the first server that had something; to the farthest that answered when none had.
  std::uint32_t hops() const noexcept { return found_at_ != 0 ? found_at_ : farthest_; }

 private:
  std::vector<Bytes> keys_;
  boost::unordered_flat_map<PeerId, std::uint32_t, std::hash<PeerId>> hops_;
  std::uint32_t requests_ = 0;
  std::uint32_t corrections_ = 0;
  std::uint32_t found_at_ = 0;
  std::uint32_t farthest_ = 0;
};

}  // namespace starling::sim
