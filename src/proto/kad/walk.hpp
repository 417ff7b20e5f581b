#pragma once
// One lookup, or several at once that share nobody.
#include <map>

#include "proto/kad/lookup.hpp"

namespace starling::kad {

/// The walk of a query over `paths` disjoint paths (S/Kademlia, Baumgart and Mies 2007). Each path is a
/// Lookup of its own with its share of the seeds, its own suggestions and its own end; a server is asked by
/// one path only, whichever comes to it first. Others that meet it learn whether it answered, not whom it
/// named: so whoever leads one path astray leads none of the others. The result is what all paths found,
/// nearest first. With one path it is that Lookup and costs nothing besides. Limits: kPathsMax; those of
/// Lookup for each path; one claim for every request.
class Walk {
 public:
  struct Tuning {
    std::size_t k = 20;
    std::size_t alpha = 10;  ///< over all paths
    std::size_t paths = 1;
  };
  struct Origin {
    Lookup::Origin in_path;
    std::size_t path = 0;
  };
  Walk(const KadId& target, const PeerId& self, Tuning tuning);

  /// Dealt out to the paths in turn, nearest first.
  void seed(std::vector<PeerInfo> peers);
  std::optional<PeerInfo> next();
  void spread(const Lookup::Spread& spread) noexcept;
  /// Like Lookup's.
  bool on_answer(const PeerId& from, std::vector<PeerInfo> named);
  std::optional<Lookup::Discarded> on_failure(const PeerId& peer);
  std::optional<Lookup::Discarded> on_stall(const PeerId& peer);

  /// All paths are.
  bool converged(std::size_t count) const;
  bool exhausted() const;
  /// Of all paths, each once, nearest first.
  std::vector<PeerInfo> answered(std::size_t count) const;
  /// The `count` nearest that answered path `path`.
  std::vector<PeerInfo> answered_on(std::size_t path, std::size_t count) const;
  std::size_t answer_count() const noexcept { return answers_; }
  std::size_t path_count() const noexcept { return paths_.size(); }
  const KadId& target() const noexcept { return paths_[0].target(); }
  std::optional<Origin> origin(const PeerId& peer) const;

 private:
  enum class State : std::uint8_t { asked, stalled, answered, failed };
  struct Claim {
    std::size_t path;
    State state;
  };
  std::optional<PeerInfo> next_on(std::size_t path);

  std::vector<Lookup> paths_;
  std::map<PeerId, Claim> claims_;  ///< empty with one path
  std::size_t turn_ = 0;
  std::size_t answers_ = 0;
  bool spread_ = false;
};

}  // namespace starling::kad
