#pragma once
#include <map>
#include <vector>

#include "node/agent_events.hpp"
#include "sim/results.hpp"

namespace starling::sim {

/// Who knows the truth about every address: which records its owner made, which of them were published, and
/// whether it has withdrawn. Judges what a lookup brought back.
///
/// Fed with everything that honest nodes tell. One per run, single-threaded. Grows with the records made.
class Ledger {
 public:
  /// `node` has the wallet, and speaks for it.
  void know(std::size_t node, const EthAddress& wallet, const PeerId& peer);
  /// From now on its next record is the withdrawal.
  void on_leaving(std::size_t node) { owners_[node].leaving = true; }
  void on_back(std::size_t node) { owners_[node].leaving = false; }
  void on_told(std::size_t node, const node::agent_event::Event& event, Now now);

  bool published(std::size_t node) const;
  /// A lookup of `wallet` that began at `began` has ended now.
  Outcome judge(const EthAddress& wallet, const Result<node::FoundPresence>& outcome, Instant began,
                WallTime began_wall) const;

 private:
  struct Record {
    std::uint64_t seq;
    WallTime expires_at;
    bool withdrawal;
    Instant stored = Instant::never();  ///< when a server had first said that it keeps it
  };
  struct Owner {
    PeerId peer;
    std::vector<Record> records;
    bool leaving = false;
  };
  std::map<std::size_t, Owner> owners_;
  std::map<EthAddress, std::size_t> by_wallet_;
};

}  // namespace starling::sim
