#pragma once
// Topic names as small numbers, and who is subscribed to what.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/gossip/peer_ref.hpp"

namespace starling::gossip {

using TopicIndex = std::uint32_t;

/// Interns topic names, counted by who needs them: our own subscription or fanout, and each subscribed peer.
/// A name that nobody needs any more is gone, and its number may be given to another. js before 15.0.23 kept
/// such names for ever (CVE-2026-46679). Bounded by kTopicsMax for names that only peers use,
/// kTopicsPerPeerMax per peer by the caller.
class TopicTable {
 public:
  std::optional<TopicIndex> find(std::string_view topic) const noexcept;
  const std::string& name(TopicIndex topic) const noexcept { return *entries_[topic].name; }
  /// Connected peers subscribed to it, in order of arrival.
  const std::vector<PeerRef>& peers(TopicIndex topic) const noexcept { return entries_[topic].peers; }

  /// Keeps the name for our own use until release() is called as often.
  TopicIndex hold(std::string_view topic);
  void release(TopicIndex topic);
  /// Nothing when the name is new and kTopicsMax is reached. No-op when it was subscribed.
  std::optional<TopicIndex> subscribe(std::string_view topic, PeerRef peer);
  /// No-op when it was not subscribed.
  void unsubscribe(TopicIndex topic, PeerRef peer);

  std::size_t size() const noexcept { return by_name_.size(); }
  std::size_t memory_bytes() const noexcept;

 private:
  struct Entry {
    const std::string* name = nullptr;  ///< the key in by_name_, whose nodes do not move
    std::uint32_t holds = 0;
    std::vector<PeerRef> peers;
  };
  static constexpr std::size_t kSpareEntriesMax = 8;
  TopicIndex intern(std::string_view topic);
  void drop_if_unused(TopicIndex topic);

  std::map<std::string, TopicIndex, std::less<>> by_name_;
  std::vector<Entry> entries_;
  std::vector<TopicIndex> free_;
};

}  // namespace starling::gossip
