#pragma once
#include <map>
#include <set>
#include <vector>

#include "base/bounded.hpp"
#include "format/multiaddr.hpp"
#include "node/limits.hpp"

namespace starling::node {

/// Which addresses we tell others: those we listen on, and those at which enough others see us.
///
/// An observed address counts only with the port of one of our listeners (a dial from an ephemeral port
/// teaches nothing), and only when kObserversNeeded peers on distinct IP addresses agree, so that a handful
/// of sybils on one host cannot make us advertise a victim. Observers that leave stop counting.
class OwnAddresses {
 public:
  /// Replaces the listen addresses (wildcards already expanded by the driver). True when the result changed.
  bool set_listening(std::vector<Multiaddr> addresses);
  /// `observer_at`: where we see the observer.
  bool on_observed(const PeerId& observer, const Multiaddr& observer_at, const Multiaddr& seen_at);
  bool on_observer_gone(const PeerId& observer);
  /// Listen addresses first, then confirmed ones, each once.
  const std::vector<Multiaddr>& advertised() const noexcept { return advertised_; }
  const std::vector<Multiaddr>& listening() const noexcept { return listening_; }

 private:
  struct Observation {
    Multiaddr seen_at;
    FixedBytes<16> observer_ip;
  };
  bool rebuild();
  std::vector<Multiaddr> listening_;
  std::map<PeerId, Observation> observations_;
  std::vector<Multiaddr> advertised_;
};

}  // namespace starling::node
