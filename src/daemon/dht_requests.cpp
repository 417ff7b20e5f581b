#include <algorithm>

#include "daemon/limits.hpp"
#include "daemon/requests.hpp"
#include "daemon/texts.hpp"
#include "format/multihash.hpp"
#include "format/peer_id.hpp"

namespace starling::daemon {
namespace {

std::string missing(std::string_view parameter) {
  return "Malformed request; missing " + std::string(parameter) + " parameter";
}

DhtResponse with_value(Bytes value) {
  DhtResponse response;
  response.type = DhtResponseType::value;
  response.value = std::move(value);
  return response;
}

DhtResponse with_peer(const std::string& peer, const std::vector<std::string>& addresses) {
  DhtResponse response;
  response.type = DhtResponseType::value;
  response.peer = {peer_bytes(peer), all_address_bytes(addresses)};
  return response;
}

void answer_dht(const Reply& reply, DhtResponse value) {
  Response response;
  response.dht = std::move(value);
  reply.answer(std::move(response));
}

void answer_value(const Reply& reply, Outcome<Bytes> value) {
  if (value)
    answer_dht(reply, with_value(*std::move(value)));
  else
    reply.fail(value.failure());
}

void find_peer(Host& host, const std::string& peer, const Reply& reply) {
  host.dht_find_peer(peer, [reply, peer](const Outcome<std::vector<std::string>>& addresses) {
    if (addresses)
      answer_dht(reply, with_peer(peer, *addresses));
    else
      reply.fail(addresses.failure());
  });
}

void find_providers(Host& host, ByteView multihash, std::int32_t wanted, const Reply& reply) {
  const std::size_t count =
      wanted > 0 ? std::min<std::size_t>(static_cast<std::size_t>(wanted), kProvidersMax) : kProvidersDefault;
  // What is found on the way is told at once; a lookup that fails in the end has still found that.
  reply.begin_list();
  host.dht_find_providers(
      multihash, count,
      [reply](const PeerAddresses& found) { reply.add_to_list(with_peer(found.peer, found.addresses)); },
      [reply](const Outcome<void>&) { reply.end_list(); });
}

void closest_peers(Host& host, ByteView key, const Reply& reply) {
  host.dht_closest_peers(key, [reply](const Outcome<std::vector<std::string>>& peers) {
    if (!peers) return reply.fail(peers.failure());
    reply.begin_list();
    for (const auto& peer : *peers) reply.add_to_list(with_value(peer_bytes(peer)));
    reply.end_list();
  });
}

/// The best value, and no others on the way to it: every value that servers give is compared before one is
/// told.
void search_value(Host& host, ByteView key, const Reply& reply) {
  host.dht_get(key, [reply](Outcome<Bytes> value) {
    if (!value && value.failure().kind != "not_found") return reply.fail(value.failure());
    reply.begin_list();
    if (value) reply.add_to_list(with_value(*std::move(value)));
    reply.end_list();
  });
}

void run_about_peer(Host& host, const DhtRequest& request, const Reply& reply) {
  if (!request.peer) return reply.fail(missing("peer"));
  const auto peer = PeerId::from_bytes(*request.peer);
  if (!peer) return reply.fail(std::string(peer.error().message()));
  if (request.type == DhtRequestType::find_peer) return find_peer(host, peer->to_string(), reply);
  host.public_key(peer->to_string(), [reply](Outcome<Bytes> key) { answer_value(reply, std::move(key)); });
}

void run_about_cid(Host& host, const DhtRequest& request, const Reply& reply) {
  if (!request.cid) return reply.fail(missing("cid"));
  const auto multihash = format::multihash_of_cid(*request.cid);
  if (!multihash) return reply.fail("invalid cid");
  if (request.type == DhtRequestType::find_providers)
    return find_providers(host, *multihash, request.count, reply);
  host.dht_provide(*multihash, [reply](const Outcome<void>& provided) { reply.settle(provided); });
}

void run_about_key(Host& host, const DhtRequest& request, const Reply& reply) {
  if (!request.key) return reply.fail(missing("key"));
  switch (request.type) {
    case DhtRequestType::get_closest_peers: return closest_peers(host, *request.key, reply);
    case DhtRequestType::search_value: return search_value(host, *request.key, reply);
    case DhtRequestType::put_value:
      if (!request.value) return reply.fail(missing("value"));
      return host.dht_put(*request.key, *request.value,
                          [reply](const Outcome<void>& stored) { reply.settle(stored); });
    default:
      return host.dht_get(*request.key,
                          [reply](Outcome<Bytes> value) { answer_value(reply, std::move(value)); });
  }
}

}  // namespace

void run_dht(Desk& desk, const DhtRequest& request, const Reply& reply) {
  switch (request.type) {
    case DhtRequestType::find_peer:
    case DhtRequestType::get_public_key: return run_about_peer(desk.host, request, reply);
    case DhtRequestType::find_providers:
    case DhtRequestType::provide: return run_about_cid(desk.host, request, reply);
    case DhtRequestType::get_closest_peers:
    case DhtRequestType::get_value:
    case DhtRequestType::search_value:
    case DhtRequestType::put_value: return run_about_key(desk.host, request, reply);
    case DhtRequestType::find_peers_connected_to_peer:
      return reply.fail("not supported");  // nor by go's daemon: the DHT has no such message any more
  }
}

}  // namespace starling::daemon
