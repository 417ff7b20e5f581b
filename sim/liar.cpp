#include "sim/liar.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace starling::sim {
namespace {

/// Honest servers that a liar makes itself known to, one every kDialPause.
constexpr std::size_t kDialsMax = 40;
constexpr Duration kDialPause = 250ms;
constexpr std::size_t kNamedPeers = 20;
/// Invented ids at hand: in a network of fewer servers their nearest are nearer than anybody who exists.
constexpr std::size_t kInventedStock = 4096;
/// First octets of their addresses, at which nobody is.
constexpr std::uint64_t kInventedOctet = 200;

}  // namespace

std::vector<kad::PeerInfo> Gang::nearest(const std::vector<Contact>& among, const kad::KadId& target,
                                         std::size_t count) const {
  std::vector<const Contact*> order;
  order.reserve(among.size());
  for (const Contact& contact : among) order.push_back(&contact);
  const std::size_t taken = std::min(count, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(taken), order.end(),
      [&](const Contact* a, const Contact* b) { return kad::nearer(target, a->place, b->place); });
  std::vector<kad::PeerInfo> out;
  for (std::size_t i = 0; i < taken; ++i)
    out.push_back({order[i]->id, {order[i]->address}, kad::ConnectionType::connected});
  return out;
}

PeerId Gang::random_id(Rng& rng) {
  for (;;) {
    const auto key = crypto::PublicKey::from_data(crypto::KeyType::ed25519, rng.bytes<32>());
    if (key) return PeerId::of(*key);
  }
}

PeerId Gang::id_near(const kad::KadId& target, std::size_t bits, Rng& rng) {
  for (;;) {
    const PeerId id = random_id(rng);
    if (kad::common_prefix_bits(kad::KadId::of(id), target) >= bits) return id;
  }
}

std::vector<kad::PeerInfo> Gang::invented(const kad::KadId& target) {
  while (invented_.size() < kInventedStock) {
    IpPort ip;
    ip.ip[0] = static_cast<std::uint8_t>(kInventedOctet + rng_.below(16));
    for (std::size_t byte = 1; byte < 4; ++byte) ip.ip[byte] = static_cast<std::uint8_t>(rng_.below(256));
    ip.port = 4001;
    add(invented_, random_id(rng_), Multiaddr::tcp(ip));
  }
  return nearest(invented_, target, kNamedPeers);
}

const Bytes* Gang::first_value(ByteView key) const {
  const auto it = first_values_.find(to_bytes(key));
  return it == first_values_.end() ? nullptr : &it->second;
}

void Gang::remember(ByteView key, ByteView value) {
  first_values_.try_emplace(to_bytes(key), to_bytes(value));
}

Liar::Liar(PeerId id, Multiaddr address, Manner manner, std::string kad_protocol, Gang& gang,
           std::uint64_t seed)
    : id_(id), manner_(manner), gang_(gang), rng_(seed) {
  auto info = std::make_shared<identify::Info>();
  info->agent_version = "starling/0.1.0";
  info->listen_addrs = {std::move(address)};
  info->protocols = {std::string(identify::kProtocolId), std::move(kad_protocol)};
  info_ = std::move(info);
}

void Liar::start(Now now) { dial_due_ = now.mono; }

void Liar::on_deadline(Now now) {
  const auto& honest = gang_.honest();
  if (dials_ >= kDialsMax || honest.empty()) {
    dial_due_ = Instant::never();
    return;
  }
  const auto& pick = honest[rng_.below(honest.size())];
  out_.emplace_back(node::down::Dial{node::DialId(++dials_), pick.address, pick.id});
  dial_due_ = now.mono + kDialPause;
}

void Liar::on(node::EdgeEvent event, Now) {
  if (const auto* kad = std::get_if<node::up::KadAsked>(&event)) {
    asked(*kad);
  } else if (const auto* presence = std::get_if<node::up::PresenceAsked>(&event)) {
    if (!manner_.silent) out_.emplace_back(node::down::AnswerPresence{presence->from, {}});
  }
}

std::optional<node::EdgeCommand> Liar::poll(Now) {
  if (out_.empty()) return std::nullopt;
  std::optional<node::EdgeCommand> command(std::move(out_.front()));
  out_.pop_front();
  return command;
}

std::optional<kad::Record> Liar::record_for(ByteView key) {
  const Bytes* first = gang_.first_value(key);
  if (first == nullptr || manner_.records == LieAboutRecords::withhold) return std::nullopt;
  kad::Record record{to_bytes(key), *first, {}};
  if (manner_.records == LieAboutRecords::forge) record.value[rng_.below(record.value.size())] ^= 1;
  return record;
}

std::vector<kad::PeerInfo> Liar::peers_for(const kad::KadId& target) {
  switch (manner_.peers) {
    case LieAboutPeers::honest: return gang_.nearest(gang_.honest(), target, kNamedPeers);
    case LieAboutPeers::gang: return gang_.nearest(gang_.members(), target, kNamedPeers);
    case LieAboutPeers::invent: return gang_.invented(target);
  }
  return {};
}

void Liar::asked(const node::up::KadAsked& asked) {
  const kad::Message& request = asked.request;
  if (request.record && !request.record->value.empty()) gang_.remember(request.key, request.record->value);
  if (manner_.silent) return;
  kad::Message answer;
  answer.type = request.type;
  answer.key = request.key;
  switch (request.type) {
    case kad::MessageType::put_value: answer.record = request.record; break;  // "stored"
    case kad::MessageType::get_value:
      answer.record = record_for(request.key);
      answer.closer_peers = peers_for(kad::KadId::of(request.key));
      break;
    case kad::MessageType::find_node:
    case kad::MessageType::get_providers: answer.closer_peers = peers_for(kad::KadId::of(request.key)); break;
    case kad::MessageType::add_provider:
      out_.emplace_back(node::down::AnswerKad{asked.from, std::nullopt});
      return;
    case kad::MessageType::ping: break;
  }
  out_.emplace_back(node::down::AnswerKad{asked.from, std::optional<kad::Message>(std::move(answer))});
}

}  // namespace starling::sim
