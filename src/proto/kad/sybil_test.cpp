// E.3 #30 (CVE-2023-26248): ten sybils for every honest server, all around one key.
#include <gtest/gtest.h>

#include "proto/kad/simulated_network.hpp"

namespace starling::kad {
namespace {

using testing::at;
using testing::peer;
using testing::seq_key;
using testing::seq_value;
using testing::SimulatedNetwork;
using Member = SimulatedNetwork::Member;

constexpr std::size_t kHonest = 100;
constexpr std::size_t kSybils = 10 * kHonest;
constexpr std::size_t kReaders = 8;

/// Where the attacker puts its ids: all nearer than anybody honest, or evenly over the whole neighbourhood.
enum class Shape : std::uint8_t { tight, even };

class Ring {
 public:
  Ring(std::uint64_t seed_value, Shape shape) : net_(seed_value), rng_(seed_value) {
    net_.grow(kHonest);
    // Everybody has used the DHT for a while and knows how large it is.
    for (std::size_t i = 0; i < kHonest; ++i) use(net_.at_index(i));
    (void)put(net_.at_index(3), 7);
    const KadId target = KadId::of(ByteView(seq_key(1)));
    for (std::uint64_t n = 7'000'000; sybils_.size() < kSybils; ++n) {
      const std::size_t bits = common_prefix_bits(target, KadId::of(peer(n)));
      if (shape == Shape::tight ? bits < 9 : bits < 3) continue;
      Member& sybil = net_.add(Mode::server, {}, peer(n));
      sybil.life = SimulatedNetwork::Life::up;
      sybils_.push_back({sybil.id, sybil.addrs, ConnectionType::connected});
    }
    for (const PeerInfo& sybil : sybils_)
      net_.member(sybil.id).lie = [this](const Message& request) { return lie(request); };
    // Each makes itself known to a fifth of the network.
    for (const PeerInfo& sybil : sybils_)
      for (std::size_t i = 0; i < kHonest / 5; ++i)
        net_.connect(net_.member(sybil.id), net_.at_index(rng_.below(kHonest)));
    net_.run(5s);
  }

  void use(Member& member) {
    for (std::uint64_t n = 0; n < 6; ++n)
      (void)net_.run_query(member, [&](Kad& kad, Now now) {
        return kad.closest_peers(to_bytes("use " + std::to_string(member.n * 100 + n)), now);
      });
  }
  Member& newcomer(bool experienced) {
    Member& out = net_.add(Mode::client);
    net_.connect(out, net_.at_index(rng_.below(kHonest)));
    net_.run(3s);
    if (experienced) use(out);
    return out;
  }
  QueryDone put(Member& writer, std::uint64_t value) {
    return net_.run_query(
        writer, [&](Kad& kad, Now now) { return kad.put_value(seq_key(1), seq_value(value), now); });
  }
  std::size_t readers_that_find(std::uint64_t value, bool experienced) {
    std::size_t found = 0;
    requests_ = 0;
    GetOptions get;
    get.correction = GetOptions::Correction::off;  // every reader sees what the writer left
    for (std::size_t i = 0; i < kReaders; ++i) {
      const auto done = net_.run_query(
          newcomer(experienced), [&](Kad& kad, Now now) { return kad.get_value(seq_key(1), get, now); });
      requests_ += done.stats.requests;
      found += done.result && std::get<ValueDone>(*done.result).value == seq_value(value) ? 1u : 0u;
    }
    return found;
  }
  std::size_t honest_holders(std::uint64_t value) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < kHonest; ++i)
      out += net_.at_index(i).kad->stored_value(seq_key(1), at(net_.now())) == seq_value(value) ? 1u : 0u;
    return out;
  }
  std::size_t requests_per_lookup() const { return requests_ / kReaders; }
  SimulatedNetwork& net() { return net_; }

 private:
  /// Withholds, pretends to store, names its own kind only.
  std::optional<Message> lie(const Message& request) {
    Message out{request.type, request.key, {}, {}, {}};
    for (int i = 0; i < 20; ++i) out.closer_peers.push_back(sybils_[rng_.below(sybils_.size())]);
    if (request.type == MessageType::put_value) out.record = request.record;
    return out;
  }

  SimulatedNetwork net_;
  SeededRng rng_;
  std::vector<PeerInfo> sybils_;
  std::size_t requests_ = 0;
};

struct Least {
  std::size_t before = 0;
  std::size_t after = 0;
};

void measure(const char* name, Shape shape, const Least& least) {
  Ring ring(testkit::seed(150), shape);
  const std::size_t before_plain = ring.readers_that_find(7, false);
  const std::size_t plain_cost = ring.requests_per_lookup();
  const std::size_t before_wide = ring.readers_that_find(7, true);
  const std::size_t wide_cost = ring.requests_per_lookup();
  // A writer who knows nothing of the network's size, and one who does.
  (void)ring.put(ring.newcomer(false), 8);
  const std::size_t plain_holders = ring.honest_holders(8);
  const std::size_t after_plain = ring.readers_that_find(8, false);
  (void)ring.put(ring.newcomer(true), 9);
  ring.net().run(2s);
  const std::size_t wide_holders = ring.honest_holders(9);
  const std::size_t after_wide = ring.readers_that_find(9, true);
  std::printf(
      "%s ring of %zu: published before, plain %zu and wide %zu of %zu; after, plain %zu (%zu honest "
      "holders), wide %zu (%zu); requests a lookup: plain %zu, wide %zu\n",
      name, kSybils, before_plain, before_wide, kReaders, after_plain, plain_holders, after_wide,
      wide_holders, plain_cost, wide_cost);
  EXPECT_GE(before_wide, least.before);
  EXPECT_GE(before_wide + 1, before_plain);
  EXPECT_GE(after_wide, least.after);
  EXPECT_GE(wide_holders, plain_holders);
}

TEST(KadSybilNetwork, ATightRingHidesNeitherWhatWasBeforeNorWhatComesAfter) {
  measure("tight", Shape::tight, {7, 7});
}
TEST(KadSybilNetwork, AnEvenCrowdHidesNeitherWhatWasBeforeNorWhatComesAfter) {
  measure("even", Shape::even, {7, 6});
}

}  // namespace
}  // namespace starling::kad
