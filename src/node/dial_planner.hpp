#pragma once
// Decides which address of a peer is dialled when.
#include <boost/container/flat_map.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/bounded.hpp"
#include "base/env.hpp"
#include "base/fifo.hpp"
#include "format/multiaddr.hpp"
#include "node/errors.hpp"
#include "node/ids.hpp"
#include "node/limits.hpp"

namespace starling::node {

/// Turns "connect to this peer" into staggered dials of its addresses.
///
/// A job tries the addresses in the order given (records list the best first): the first at once, each
/// further one after kDialStagger or as soon as every earlier one has failed; the first that becomes a
/// secured connection wins and the others are cancelled. Jobs for the same peer join. A failed address is
/// left alone for a doubling time, so that a record full of dead addresses costs its victims a packet a while
/// instead of a flood; a caller who insists (a person who typed the address) may skip that. Names are
/// resolved first, by the driver.
///
/// Pure and single-threaded: input → drain poll() → re-arm deadline().
class DialPlanner {
 public:
  struct JobTag;
  using JobId = StrongId<JobTag>;

  struct StartDial {
    DialId dial;
    Multiaddr address;  ///< IP and TCP port, without the peer id
    std::optional<PeerId> peer;
  };
  struct CancelDial {
    DialId dial;
  };
  struct Resolve {
    ResolveId resolve;
    Multiaddr address;
  };
  struct JobDone {
    std::vector<JobId> jobs;
    std::optional<PeerId> peer;
    Result<ConnId> outcome;
  };
  using Action = std::variant<StartDial, CancelDial, Resolve, JobDone>;
  enum class Insist : std::uint8_t { no, yes };

  explicit DialPlanner(Env& env) : env_(env), backoffs_(kAddressBackoffsMax) {}

  /// Starts or joins a job. Without a peer id whoever answers is accepted. Addresses that TCP cannot dial are
  /// skipped; with none left the job ends at once in Errc::no_address. JobDone always follows, through
  /// poll().
  JobId connect(std::optional<PeerId> peer, const std::vector<Multiaddr>& addresses, Insist insist,
                Instant now);
  void on_resolved(ResolveId resolve, Result<std::vector<Multiaddr>> addresses, Instant now);
  void on_dial_failed(DialId dial, Error error, Instant now);
  /// A dial of ours became a secured connection.
  void on_connected(DialId dial, ConnId conn, const PeerId& peer, Instant now);
  /// Another connection to the peer came up, e.g. it dialled us: its job is done.
  void on_peer_connected(const PeerId& peer, ConnId conn);
  /// Ends all jobs with Errc::shutting_down.
  void close();

  std::optional<Action> poll();
  Instant deadline() const;
  void on_deadline(Instant now);

  bool dialling(const PeerId& peer) const { return by_peer_.contains(peer); }
  std::size_t dials_under_way() const noexcept { return dials_.size(); }
  std::size_t jobs_count() const noexcept { return jobs_.size(); }

 private:
  struct Backoff {
    std::uint32_t failures = 0;
    Instant until;
  };
  struct Job {
    std::vector<JobId> joined;
    std::optional<PeerId> peer;
    std::vector<Multiaddr> waiting;
    std::vector<Multiaddr> tried;
    std::size_t under_way = 0;
    std::size_t resolving = 0;
    Insist insist = Insist::no;
    Instant next_at;
    Instant give_up_at;
    bool skipped_by_backoff = false;
    std::optional<Error> last_error;
  };
  struct Dial {
    JobId job;
    Multiaddr address;
    Instant give_up_at;
  };

  void add_address(Job& job, JobId id, const Multiaddr& address);
  void advance(JobId id, Instant now);
  void advance_all(Instant now);
  void finish(JobId id, Result<ConnId> outcome);
  bool backing_off(const Multiaddr& address, Instant now);
  void remember_failure(const Multiaddr& address, Instant now);

  Env& env_;
  LruMap<Multiaddr, Backoff> backoffs_;
  // Ids rise, so what is new stands at the end.
  boost::container::flat_map<JobId, std::unique_ptr<Job>> jobs_;
  boost::unordered_flat_map<PeerId, JobId, std::hash<PeerId>> by_peer_;  ///< never iterated
  boost::container::flat_map<DialId, Dial> dials_;
  std::map<ResolveId, JobId> resolves_;  ///< hardly ever any
  Fifo<Action> actions_;
  std::uint64_t next_job_ = 1;
  std::uint64_t next_dial_ = 1;
  std::uint64_t next_resolve_ = 1;
};

}  // namespace starling::node
