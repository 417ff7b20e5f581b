#pragma once
// Who may not be grafted again yet, and must not graft us. Spec: gossipsub-v1.1.md "Prune Backoff and Peer
// Exchange".
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.hpp"
#include "format/peer_id.hpp"

namespace starling::gossip {

/// Ends of backoffs by topic and peer id. Keyed by id and name, for they must survive a reconnect of the peer
/// and our own leaving and joining. Bounded by kBackoffsMax: past it the one that ends first goes. Every
/// duration is clamped to kBackoffMax before it touches an Instant, and Instants saturate: rust panicked on
/// 2^64 − 1 twice (GHSA-gc42-3jg7-rxr2, GHSA-xqmp-fxgv-xvq5), the second time when a heartbeat added its
/// slack to what had been stored.
class Backoffs {
 public:
  /// A backoff in seconds from the wire as a safe duration; 0 (not said) is `fallback`.
  static Duration clamp(std::uint64_t seconds, Duration fallback) noexcept;

  /// Starts one, or prolongs it; never shortens.
  void add(std::string_view topic, const PeerId& peer, Duration length, Instant now);
  /// When it ends; nothing when there is none. May be past until the next expire().
  std::optional<Instant> end_of(std::string_view topic, const PeerId& peer) const;
  /// Forgets those that ended more than `slack` ago. The slack keeps us from grafting a peer whose clock says
  /// that its own backoff is not over.
  void expire(Instant now, Duration slack);
  std::size_t size() const noexcept { return ends_.size(); }
  std::size_t memory_bytes() const noexcept;

 private:
  struct Key {
    std::string topic;
    PeerId peer;
  };
  struct View {
    std::string_view topic;
    const PeerId* peer;
  };
  struct Less {
    using is_transparent = void;
    static View view(const Key& key) noexcept { return {key.topic, &key.peer}; }
    static View view(View key) noexcept { return key; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      const View x = view(a);
      const View y = view(b);
      const int c = x.topic.compare(y.topic);
      return c != 0 ? c < 0 : *x.peer < *y.peer;
    }
  };
  using Ends = std::map<Key, Instant, Less>;
  struct Sooner {
    bool operator()(Ends::const_iterator a, Ends::const_iterator b) const noexcept {
      if (a->second != b->second) return a->second < b->second;
      return Less()(a->first, b->first);
    }
  };

  Ends ends_;
  std::set<Ends::const_iterator, Sooner> order_;
};

}  // namespace starling::gossip
