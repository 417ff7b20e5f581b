#pragma once
// The walk towards a key: whom to ask next, and when the nearest have been found.
#include <optional>
#include <span>
#include <vector>

#include "proto/kad/config.hpp"
#include "proto/kad/key.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

/// Candidates sorted by their distance to the target, with the state of each. Asks the nearest first, `alpha`
/// at a time, only such as are among the k nearest that have not failed; nobody twice.
///
/// Liars: an answer may name peers that do not exist, all of them nearer than anybody honest. So every
/// candidate is booked on the server that named it. Of one server's unproven suggestions only
/// kPerSourceInFlight are under way at once; the rest is passed over without counting among the k nearest, so
/// honest candidates behind them are asked meanwhile. After kSourceFailuresMax failures (and fewer than half
/// as many answers) its unasked suggestions are forgotten, but for those that another server has named too. A
/// liar thus costs three requests and no waiting.
///
/// A request without an answer for a while is *stalled*: it gives up its place among the alpha and no longer
/// holds the end back, but its answer still counts when it comes.
class Lookup {
 public:
  struct Tuning {
    std::size_t k = 20;
    std::size_t alpha = 10;
  };
  Lookup(const KadId& target, const PeerId& self, Tuning tuning)
      : target_(target), self_(self), tuning_(tuning) {}

  /// What a failure has told about the server that named the failed one.
  struct Discarded {
    PeerId server;
    std::size_t suggestions = 0;
  };
  /// How a candidate came to be known.
  struct Origin {
    std::size_t depth = 1;               ///< 1: our own table
    std::optional<PeerId> suggested_by;  ///< nothing: our own table
  };

  /// How to look at a neighbourhood that is crowded beyond belief: it is cut into `cells` of `cell_width` (as
  /// distance_prefix() counts), and only the nearest `per_cell` of each count. However many ids somebody has
  /// made for the target, they fill the cells that they are in, and honest servers farther out count again.
  struct Spread {
    std::uint64_t cell_width = 1;
    std::size_t cells = 0;
    std::size_t per_cell = 0;
  };

  /// Candidates of our own table: nobody's suggestions.
  void seed(std::vector<PeerInfo> peers);
  /// The next to ask, now marked as being asked; nothing when all places are taken or nobody is eligible.
  std::optional<PeerInfo> next();
  /// From now on `k nearest` means those that count by `spread`, and at least k. Never taken back.
  void spread(const Spread& spread) noexcept { spread_ = spread; }
  /// False when it was not being asked: nothing changes then.
  bool on_answer(const PeerId& from, std::vector<PeerInfo> named);
  /// Both: who has lost the rest of its suggestions by this.
  std::optional<Discarded> on_failure(const PeerId& peer);
  std::optional<Discarded> on_stall(const PeerId& peer);

  /// The `count` nearest that have neither failed nor stalled have all answered, or there is nobody left to
  /// ask.
  bool converged(std::size_t count) const;
  /// Nobody is being asked and nobody is left to ask.
  bool exhausted() const;
  /// The nearest that answered, nearest first: `count` of them, or all that count once spread() was called
  /// and `count` is k.
  std::vector<PeerInfo> answered(std::size_t count) const;
  std::size_t answer_count() const noexcept { return answers_; }
  /// Nothing for peers that are no candidates.
  std::optional<Origin> origin(const PeerId& peer) const;
  const KadId& target() const noexcept { return target_; }

 private:
  enum class State : std::uint8_t { heard, asked, stalled, answered, failed };
  static constexpr std::uint16_t kNobody = 0xffff;
  struct Candidate {
    KadId place;
    PeerInfo peer;
    State state = State::heard;
    std::uint16_t source = kNobody;  ///< index into sources_: who answers for it; kNobody = our own table
    std::uint16_t backup = kNobody;  ///< another who named it, should the source fall; kNobody = none
    std::uint16_t depth = 1;
  };
  struct Source {
    PeerId server;
    std::uint16_t depth = 1;
    std::uint16_t failures = 0;
    std::uint16_t answers = 0;
    std::uint16_t asked = 0;
    bool discredited() const noexcept;
    bool saturated() const noexcept;
  };

  /// Counts candidates from the nearest outwards.
  class Census {
   public:
    Census(const Lookup& lookup, std::size_t count) noexcept;
    /// Nobody from here on matters.
    bool complete(const Candidate& candidate) noexcept;
    /// Its cell is full.
    bool crowded() const noexcept { return limited_ && in_cell_ >= per_cell_; }
    void add() noexcept;

   private:
    const Lookup& lookup_;
    std::size_t count_;
    bool limited_;
    std::size_t per_cell_ = 0;
    std::uint64_t cell_ = 0;
    std::size_t in_cell_ = 0;
    std::size_t counted_ = 0;
  };

  std::size_t position(const KadId& place) const;
  const Candidate* find(const PeerId& peer) const;
  Candidate* find(const PeerId& peer);
  void insert(PeerInfo peer, std::uint16_t source);
  /// Books a heard candidate on a voucher with room; false when none has.
  bool book(Candidate& candidate);
  void merge(Candidate& known, PeerInfo peer, std::uint16_t source);
  void settle(Candidate& candidate, State state);
  std::optional<Discarded> forget_suggestions(std::uint16_t source);

  KadId target_;
  PeerId self_;
  Tuning tuning_;
  std::optional<Spread> spread_;
  std::vector<Candidate> candidates_;
  std::vector<Source> sources_;
  std::size_t answers_ = 0;
  std::size_t asked_ = 0;
  std::size_t stalled_ = 0;
};

}  // namespace starling::kad
