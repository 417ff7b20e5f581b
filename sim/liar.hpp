#pragma once
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/rng.hpp"
#include "kad/key.hpp"
#include "sim/adversary.hpp"
#include "sim/scenario.hpp"

namespace starling::sim {

/// What all adversaries of a run know together: as much as an attacker can know, which is everything that the
/// network shows. Made by the run, outlives them.
class Gang {
 public:
  struct Contact {
    PeerId id;
    kad::KadId place;
    Multiaddr address;
  };
  explicit Gang(std::uint64_t seed) : rng_(seed) {}

  void know_server(const PeerId& id, const Multiaddr& address) { add(honest_, id, address); }
  void know_member(const PeerId& id, const Multiaddr& address) { add(members_, id, address); }
  const std::vector<Contact>& honest() const noexcept { return honest_; }
  const std::vector<Contact>& members() const noexcept { return members_; }
  std::vector<kad::PeerInfo> nearest(const std::vector<Contact>& among, const kad::KadId& target,
                                     std::size_t count) const;
  /// Ids next to the target that nobody has: the nearest of a stock that was made beforehand, as grinding
  /// keys for every question would be.
  std::vector<kad::PeerInfo> invented(const kad::KadId& target);
  /// The first value that any of them was given for the key; nullptr when there was none.
  const Bytes* first_value(ByteView key) const;
  void remember(ByteView key, ByteView value);
  /// An id whose place shares at least `bits` leading bits with the target, found by trying.
  static PeerId id_near(const kad::KadId& target, std::size_t bits, Rng& rng);
  static PeerId random_id(Rng& rng);

 private:
  static void add(std::vector<Contact>& to, const PeerId& id, const Multiaddr& address) {
    to.push_back({id, kad::KadId::of(id), address});
  }
  SeededRng rng_;
  std::vector<Contact> honest_;
  std::vector<Contact> members_;
  std::map<Bytes, Bytes> first_values_;
  std::vector<Contact> invented_;
};

/// A DHT server that lies, or says nothing at all. It joins like any other, makes itself known to honest
/// servers, takes every record and answers as `Manner` says.
class Liar final : public Adversary {
 public:
  struct Manner {
    bool silent = false;
    LieAboutPeers peers = LieAboutPeers::gang;
    LieAboutRecords records = LieAboutRecords::withhold;
  };
  Liar(PeerId id, Multiaddr address, Manner manner, std::string kad_protocol, Gang& gang, std::uint64_t seed);

  const PeerId& id() const override { return id_; }
  std::shared_ptr<const identify::Info> info() const override { return info_; }
  void start(Now now) override;
  void on(node::EdgeEvent event, Now now) override;
  std::optional<node::EdgeCommand> poll(Now now) override;
  Instant deadline() const override { return dial_due_; }
  void on_deadline(Now now) override;

 private:
  void asked(const node::up::KadAsked& asked);
  std::optional<kad::Record> record_for(ByteView key);
  std::vector<kad::PeerInfo> peers_for(const kad::KadId& target);

  PeerId id_;
  Manner manner_;
  std::shared_ptr<const identify::Info> info_;
  Gang& gang_;
  SeededRng rng_;
  std::deque<node::EdgeCommand> out_;
  Instant dial_due_ = Instant::never();
  std::size_t dials_ = 0;
};

}  // namespace starling::sim
