#include "node/conn_table.hpp"

#include <algorithm>

namespace starling::node {

ConnTable::IpKey ConnTable::key_of(const IpPort& address) noexcept {
  IpKey key;
  key.v6 = address.v6;
  // IPv4 whole, IPv6 by /56: what one customer of a network usually holds.
  std::copy_n(address.ip.begin(), address.v6 ? 7 : 4, key.prefix.begin());
  return key;
}

bool ConnTable::counted(const IpPort& address) const noexcept {
  return limits_.count_loopback || classify(address) != AddrClass::loopback;
}

Result<void> ConnTable::admit_inbound(const IpPort& remote) {
  if (upgrading_ >= kUpgradesAtOnceMax || conns_.size() + upgrading_ >= limits_.total) {
    env_.metrics.add("conn_refused", "reason=\"total\"");
    return fail(Errc::connection_limit);
  }
  if (counted(remote)) {
    auto& count = per_ip_[key_of(remote)];
    if (count >= limits_.per_ip) {
      env_.metrics.add("conn_refused", "reason=\"ip\"");
      return fail(Errc::ip_limit);
    }
    ++count;
  }
  ++upgrading_;
  return {};
}

void ConnTable::forget_ip(const IpPort& address) {
  if (!counted(address)) return;
  const auto it = per_ip_.find(key_of(address));
  if (it != per_ip_.end() && --it->second == 0) per_ip_.erase(it);
}

void ConnTable::on_upgrade_ended(const IpPort& remote) {
  if (upgrading_ > 0) --upgrading_;
  forget_ip(remote);
}

Result<void> ConnTable::add(Conn conn) {
  auto& ids = peers_[conn.peer].conns;
  if (ids.size() >= kConnectionsPerPeerMax) {
    env_.metrics.add("conn_refused", "reason=\"peer\"");
    return fail(Errc::connection_limit);
  }
  if (conn.direction == Direction::inbound) {
    if (const auto ip = conn.remote.as_tcp(); ip && counted(*ip)) ++per_ip_[key_of(*ip)];
  }
  ids.push_back(conn.id);
  const ConnId id = conn.id;
  conns_[id] = std::move(conn);
  return {};
}

std::optional<ConnTable::Conn> ConnTable::remove(ConnId id) {
  Conn* known = conns_.find(id);
  if (known == nullptr) return std::nullopt;
  Conn conn = std::move(*known);
  conns_.erase(id);
  auto& ids = peers_[conn.peer].conns;
  ids.erase(std::find(ids.begin(), ids.end(), id));
  if (ids.empty()) {
    peers_.erase(conn.peer);
    tags_.erase(conn.peer);
  }
  if (conn.direction == Direction::inbound) {
    if (const auto ip = conn.remote.as_tcp()) forget_ip(*ip);
  }
  return conn;
}

const ConnTable::Conn* ConnTable::find(ConnId id) const { return conns_.find(id); }

std::vector<ConnId> ConnTable::of(const PeerId& peer) const {
  const Peer* known = peers_.find(peer);
  if (known == nullptr) return {};
  return {known->conns.begin(), known->conns.end()};
}

ConnId ConnTable::first_of(const PeerId& peer) const {
  const Peer* known = peers_.find(peer);
  return known == nullptr ? ConnId() : known->conns.front();
}

std::vector<const ConnTable::Conn*> ConnTable::all() const {
  std::vector<const Conn*> out;
  out.reserve(conns_.size());
  conns_.for_each([&](ConnId, const Conn& conn) { out.push_back(&conn); });
  std::sort(out.begin(), out.end(), [](const Conn* a, const Conn* b) { return a->id < b->id; });
  return out;
}

void ConnTable::set_value(const PeerId& peer, char tag, int value) {
  Peer* connected_peer = peers_.find(peer);
  if (connected_peer == nullptr) return;
  auto& values = connected_peer->values;
  const auto known =
      std::find_if(values.begin(), values.end(), [tag](const auto& v) { return v.first == tag; });
  if (known == values.end()) {
    if (value != 0) values.emplace_back(tag, value);
  } else if (value != 0) {
    known->second = value;
  } else {
    values.erase(known);
  }
}

Result<void> ConnTable::set_tag(const PeerId& peer, std::string_view tag, std::int32_t value) {
  if (tag.empty() || tag.size() > kTagBytesMax) return fail(Errc::bad_tag);
  if (!connected(peer)) return {};
  auto& tags = tags_[peer];
  const auto known = tags.find(tag);
  if (known != tags.end()) {
    if (value != 0)
      known->second = value;
    else
      tags.erase(known);
  } else if (value != 0) {
    if (tags.size() >= kTagsPerPeerMax) return fail(Errc::too_many_tags);
    tags.emplace(tag, value);
  }
  if (tags.empty()) tags_.erase(peer);
  return {};
}

std::int64_t ConnTable::value_of(const PeerId& peer) const {
  std::int64_t value = 0;
  if (const Peer* known = peers_.find(peer))
    for (const auto& [tag, amount] : known->values) value += amount;
  if (tags_.empty()) return value;
  if (const auto it = tags_.find(peer); it != tags_.end())
    for (const auto& [tag, amount] : it->second) value += amount;
  return value;
}

void ConnTable::protect(const PeerId& peer) { ++protected_[peer]; }

void ConnTable::unprotect(const PeerId& peer) {
  const auto it = protected_.find(peer);
  if (it != protected_.end() && --it->second == 0) protected_.erase(it);
}

std::vector<ConnId> ConnTable::to_trim(Instant now) {
  if (conns_.size() <= limits_.high) return {};
  if (pressed()) return least_useful(limits_.high, std::min(kPressedTrimGrace, limits_.grace), now);
  return least_useful(limits_.low, limits_.grace, now);
}

std::vector<ConnId> ConnTable::to_trim_to_low(Instant now) {
  return least_useful(limits_.low, limits_.grace, now);
}

std::vector<ConnId> ConnTable::least_useful(std::size_t target, Duration grace, Instant now) {
  std::vector<ConnId> out;
  if (conns_.size() <= target) return out;
  struct Candidate {
    std::int64_t value;
    Instant since;
    ConnId id;
  };
  std::vector<Candidate> candidates;
  conns_.for_each([&](ConnId id, const Conn& conn) {
    if (is_protected(conn.peer) || now - conn.since < grace) return;
    candidates.push_back({value_of(conn.peer), conn.since, id});
  });
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.value != b.value) return a.value < b.value;
    if (a.since != b.since) return a.since > b.since;
    return a.id < b.id;
  });
  const std::size_t excess = conns_.size() - target;
  for (const auto& candidate : candidates) {
    if (out.size() >= excess) break;
    out.push_back(candidate.id);
  }
  env_.metrics.add("conn_trimmed", out.size());
  return out;
}

}  // namespace starling::node
