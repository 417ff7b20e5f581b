// fuzz-depends: agent
// The judge under random operations with small tables: three actors publish, retry, copy, forge, revoke and
// speak for one another while time passes. Checked after every step: nothing forged or revoked is accepted,
// nothing is delivered twice, every table keeps its bound, and every judgement is counted once.
#include <map>
#include <numeric>

#include "agent/agent_fixtures.hpp"
#include "agent/judge.hpp"
#include "agent/limits.hpp"
#include "base/assert.hpp"

namespace {

using namespace starling;
using namespace starling::agent;

constexpr std::size_t kActors = 3;
constexpr std::size_t kStepsMax = 200;

TableLimits small_tables() {
  TableLimits out;
  out.delegation_cache = 2;
  out.floor_strangers = 2;
  out.floor_met = 2;
  out.publications = 16;
  out.delivered = 16;
  out.delivered_per_sender = 8;
  out.known_presences = 2;
  out.rated_wallets = 2;
  out.rated_forwarders = 2;
  return out;
}

const fixtures::CheapSignatures& signatures() {
  static const fixtures::CheapSignatures kInstance;
  return kInstance;
}
const std::vector<fixtures::Actor>& actors() {
  static const std::vector<fixtures::Actor> kInstance = [] {
    std::vector<fixtures::Actor> out;
    for (const char* name : {"alice", "bob", "carol"}) out.emplace_back(name, signatures());
    return out;
  }();
  return kInstance;
}

class World {
 public:
  World(const std::uint8_t* data, std::size_t size) : input_{data, size} {}

  void run() {
    for (std::size_t step = 0; step < kStepsMax && !input_.empty(); ++step) {
      one_step();
      check_tables();
    }
  }

 private:
  std::uint8_t next() {
    if (input_.empty()) return 0;
    const std::uint8_t byte = input_.front();
    input_ = input_.subspan(1);
    return byte;
  }
  const fixtures::Actor& actor() { return actors()[next() % kActors]; }

  void one_step() {
    switch (next() % 8) {
      case 0: now_ += std::chrono::seconds(next()); return;
      case 1: now_ += std::chrono::minutes(next()); return;
      case 2: gossip(Topic::messages); return;
      case 3: gossip(Topic::announcements); return;
      case 4: gossip(Topic::status); return;
      case 5: stream(); return;
      case 6: trust_.floors().meet(actor().address(), now().wall); return;
      default: revoke(); return;
    }
  }
  Now now() const { return fixtures::now_at(now_); }

  Envelope envelope_of(const fixtures::Actor& from) {
    Envelope out = from.envelope(next() % 4, actors()[1].address());
    const std::uint8_t flags = next();
    if ((flags & 1) != 0) out.to.reset();
    if ((flags & 2) != 0) out.to = actors()[2].address();
    forged_ = (flags & 4) != 0;
    if (forged_) out.delegation.signature[next() % 32] ^= 1;
    out.published_at = fixtures::kNow + now_ + std::chrono::seconds(static_cast<std::int8_t>(next()));
    return out;
  }

  void gossip(Topic topic) {
    const fixtures::Actor& from = actor();
    forged_ = false;
    Slice data;
    if (topic == Topic::messages) data = Slice::copy(encode(envelope_of(from)));
    if (topic == Topic::announcements) data = from.record(fixtures::kNow + std::chrono::minutes(next()));
    if (topic == Topic::status) data = from.status(fixtures::kNow + std::chrono::minutes(next()));
    const fixtures::Actor& author = next() % 8 == 0 ? actor() : from;
    bool changed = false;
    if (next() % 4 == 0) {
      Bytes bytes = to_bytes(data.view());
      const std::uint8_t change = next();
      bytes[(next() * 256U + next()) % bytes.size()] ^= change;
      changed = change != 0;
      data = Slice::copy(bytes);
    }
    const PeerId forwarder = actor().peer();
    const auto judged = judge_.judge_gossip(topic, author.peer(), data, forwarder, now());
    ++judged_;
    if (!judged.verdict.accepted()) {
      STARLING_ASSERT(!judged.deliver);
      return;
    }
    const Candidate& candidate = *judged.candidate;
    // On gossip the envelope's and status' bytes are StrictSign's; a changed delegation or presence never
    // passes.
    STARLING_ASSERT(!forged_ || changed);
    STARLING_ASSERT(candidate.delegation().fields.peer_id() == author.peer());
    STARLING_ASSERT(verify_wallet(candidate.delegation(), signatures()).has_value());
    if (candidate.presence() != nullptr)
      STARLING_ASSERT(verify_node(*candidate.presence(), signatures()).has_value());
    STARLING_ASSERT(!trust_.floors().is_revoked(candidate.wallet(), candidate.delegation().fields.epoch));
    if (judged.deliver) deliver(candidate.envelope()->fields);
  }

  void stream() {
    const fixtures::Actor& from = actor();
    const Envelope envelope = envelope_of(from);
    const auto judged = judge_.judge_stream(from.framed(envelope), actor().peer(), now());
    ++judged_;
    STARLING_ASSERT(!forged_ || judged.ruling == StreamRuling::reset);
    if (judged.ruling == StreamRuling::accept) deliver(judged.envelope->fields);
  }

  void deliver(const Envelope& envelope) {
    STARLING_ASSERT(!judge_.delivered().contains(envelope.key(), now().wall));
    judge_.delivered().remember(envelope.key(), envelope.expires_at, now().wall);
    trust_.floors().meet(envelope.from, now().wall);
    // While the memory has room for all keys so far, each is delivered once in its life.
    const auto [delivered, fresh] = delivered_.emplace(envelope.key(), envelope.expires_at);
    STARLING_ASSERT(fresh || delivered->second <= now().wall || delivered_.size() > 8);
    delivered->second = envelope.expires_at;
  }

  void revoke() {
    const fixtures::Actor& of = actor();
    SeededRng rng(next());
    const auto revocation = revoke_all(of.wallet, NetworkName(), now().wall, rng, signatures());
    STARLING_ASSERT(revocation.has_value());
    const auto judged = judge_.judge_gossip(Topic::announcements, revocation->delegation.fields.peer_id(),
                                            Slice::copy(revocation->record), actor().peer(), now());
    ++judged_;
    if (judged.verdict.accepted())
      STARLING_ASSERT(trust_.floors().is_revoked(of.address(), of.delegation.fields.epoch));
  }

  void check_tables() {
    STARLING_ASSERT(trust_.cache().size() <= 2);
    STARLING_ASSERT(trust_.floors().met_count() <= 2 && trust_.floors().stranger_count() <= 2);
    STARLING_ASSERT(judge_.publications().size() <= 16);
    STARLING_ASSERT(judge_.delivered().size() <= 16);
    STARLING_ASSERT(judge_.known().size() <= 2);
    const auto& counts = judge_.counts();
    STARLING_ASSERT(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) == judged_);
  }

  ByteView input_;
  Duration now_{0};
  Trust trust_{NetworkName(), signatures(), small_tables()};
  Judge judge_{trust_, {actors()[1].address()}, RateLimits{}, small_tables()};
  std::map<MessageKey, WallTime> delivered_;
  std::uint64_t judged_ = 0;
  bool forged_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World(data, size).run();
  return 0;
}
