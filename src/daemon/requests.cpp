#include "daemon/requests.hpp"

#include <algorithm>

#include "daemon/control_address.hpp"
#include "daemon/limits.hpp"
#include "daemon/texts.hpp"
#include "format/multiaddr.hpp"
#include "format/peer_id.hpp"

namespace starling::daemon {
namespace {

/// A connection to the peer: at the addresses given, at those it is remembered by, or where the DHT says that
/// it is.
void reach(Host& host, const std::string& peer, const std::vector<std::string>& addresses,
           const Host::Done<std::string>& done) {
  host.connect(peer, addresses, [&host, peer, done](Outcome<std::string> connected) {
    if (connected) return done(std::move(connected));
    host.dht_find_peer(
        peer, [&host, peer, done, why = connected.failure()](Outcome<std::vector<std::string>> found) {
          if (!found || found->empty()) return done(why);
          host.connect(peer, *std::move(found), done);
        });
  });
}

void run_identify(Desk& desk, const Reply& reply) {
  Response response;
  response.identify = {peer_bytes(desk.host.peer_id()), all_address_bytes(bare_addresses(desk.host))};
  reply.answer(std::move(response));
}

void run_connect(Desk& desk, const ConnectRequest& request, const Reply& reply) {
  const auto peer = PeerId::from_bytes(request.peer);
  if (!peer) return reply.fail(std::string(peer.error().message()));
  std::vector<std::string> addresses;
  for (const auto& bytes : request.addrs) {
    const auto address = Multiaddr::from_bytes(bytes);
    if (!address) return reply.fail(std::string(address.error().message()));
    addresses.push_back(address->to_string());
  }
  reach(desk.host, peer->to_string(), addresses, [reply](const Outcome<std::string>& connected) {
    if (connected)
      reply.answer({});
    else
      reply.fail(connected.failure());
  });
}

void run_disconnect(Desk& desk, const DisconnectRequest& request, const Reply& reply) {
  const auto peer = PeerId::from_bytes(request.peer);
  if (!peer) return reply.fail(std::string(peer.error().message()));
  // Not to be connected is what was asked for.
  desk.host.disconnect(peer->to_string(), [reply](const Outcome<void>&) { reply.answer({}); });
}

bool is_protocol_name(const std::string& name) {
  return !name.empty() && name.size() <= kProtocolNameBytesMax && name.find('\n') == std::string::npos;
}

void run_stream_open(Desk& desk, StreamOpenRequest request, const Reply& reply) {
  const auto peer = PeerId::from_bytes(request.peer);
  if (!peer) return reply.fail(std::string(peer.error().message()));
  if (request.protocols.empty()) return reply.fail(kMissingParameters);
  if (!std::all_of(request.protocols.begin(), request.protocols.end(), is_protocol_name))
    return reply.fail("a protocol's name has 1 to 1023 bytes and no line break");
  Host& host = desk.host;
  reach(host, peer->to_string(), {},
        [&host, reply, protocols = std::move(request.protocols)](const Outcome<std::string>& connected) {
          if (!connected) return reply.fail(connected.failure());
          // A client learns here, and not from a broken stream, that the peer does not speak the protocol.
          host.open_stream(
              *connected, protocols,
              [reply](Outcome<Stream> opened) {
                if (opened)
                  reply.become_stream(*std::move(opened));
                else
                  reply.fail(opened.failure());
              },
              Agreement::awaited);
        });
}

void run_stream_handler(Desk& desk, const StreamHandlerRequest& request, const Reply& reply) {
  const auto where = control_endpoint(ByteView(request.addr));
  if (!where) return reply.fail(std::string(where.error().message()));
  if (!std::all_of(request.protocols.begin(), request.protocols.end(), is_protocol_name))
    return reply.fail("a protocol's name has 1 to 1023 bytes and no line break");
  const auto set = desk.handlers.set(request.protocols, *where,
                                     [reply](const Outcome<void>& outcome) { reply.settle(outcome); });
  if (!set) reply.fail(std::string(set.error().message()));
}

void run_list_peers(Desk& desk, const Reply& reply) {
  desk.host.connections([reply](Outcome<std::vector<ConnectionInfo>> connections) {
    if (!connections) return reply.fail(connections.failure());
    Response response;
    for (const auto& connection : *connections)
      response.peers.push_back({peer_bytes(connection.peer), {address_bytes(connection.remote_address)}});
    reply.answer(std::move(response));
  });
}

void run_conn_manager(Desk& desk, const ConnManagerRequest& request, const Reply& reply) {
  if (request.type == ConnManagerRequestType::trim)
    return desk.host.trim_connections([reply](const Outcome<std::size_t>& trimmed) {
      if (trimmed)
        reply.answer({});
      else
        reply.fail(trimmed.failure());
    });
  const auto peer = PeerId::from_bytes(request.peer);
  if (!peer) return reply.fail(std::string(peer.error().message()));
  if (request.tag.empty()) return reply.fail("Malformed request; missing tag parameter");
  const bool untag = request.type == ConnManagerRequestType::untag_peer;
  const auto weight =
      untag ? 0 : std::clamp<std::int64_t>(request.weight, -kTagWeightMax, std::int64_t{kTagWeightMax});
  desk.host.tag_peer(peer->to_string(), request.tag, static_cast<std::int32_t>(weight),
                     [reply](const Outcome<void>& tagged) { reply.settle(tagged); });
}

void run_pubsub(Desk& desk, const PubsubRequest& request, const Reply& reply) {
  const auto answer_with = [reply](Outcome<std::vector<std::string>> list, bool peers) {
    if (!list) return reply.fail(list.failure());
    Response response;
    response.pubsub.emplace();
    if (!peers)
      response.pubsub->topics = *std::move(list);
    else
      for (const auto& peer : *list) response.pubsub->peer_ids.push_back(peer_bytes(peer));
    reply.answer(std::move(response));
  };
  if (request.type == PubsubRequestType::get_topics)
    return desk.host.topics(
        [answer_with](Outcome<std::vector<std::string>> topics) { answer_with(std::move(topics), false); });
  if (!request.topic) return reply.fail("Malformed request; missing topic parameter");
  switch (request.type) {
    case PubsubRequestType::list_peers:
      return desk.host.topic_peers(*request.topic, [answer_with](Outcome<std::vector<std::string>> peers) {
        answer_with(std::move(peers), true);
      });
    case PubsubRequestType::publish:
      return desk.host.publish(*request.topic, request.data, [reply](const Outcome<Published>& published) {
        if (published)
          reply.answer({});
        else
          reply.fail(published.failure());
      });
    default: return reply.subscribe(*request.topic);
  }
}

}  // namespace

std::chrono::milliseconds time_of(const Request& request, std::chrono::milliseconds otherwise) {
  std::int64_t seconds = 0;
  if (request.type == RequestType::connect && request.connect) seconds = request.connect->timeout_s;
  if (request.type == RequestType::stream_open && request.stream_open)
    seconds = request.stream_open->timeout_s;
  if (request.type == RequestType::dht && request.dht) seconds = request.dht->timeout_s;
  if (seconds <= 0) return otherwise;
  return std::chrono::seconds(std::min<std::int64_t>(seconds, kRequestTimeMax.count()));
}

void run(Desk& desk, Request request, const Reply& reply) {
  const auto with = [&reply](auto& parameters, auto handler) {
    if (parameters)
      handler(*parameters);
    else
      reply.fail(kMissingParameters);
  };
  switch (request.type) {
    case RequestType::identify: return run_identify(desk, reply);
    case RequestType::list_peers: return run_list_peers(desk, reply);
    case RequestType::connect:
      return with(request.connect, [&](const auto& connect) { run_connect(desk, connect, reply); });
    case RequestType::stream_open:
      return with(request.stream_open, [&](auto& open) { run_stream_open(desk, std::move(open), reply); });
    case RequestType::stream_handler:
      return with(request.stream_handler,
                  [&](const auto& handler) { run_stream_handler(desk, handler, reply); });
    case RequestType::dht: return with(request.dht, [&](const auto& dht) { run_dht(desk, dht, reply); });
    case RequestType::conn_manager:
      return with(request.conn_manager, [&](const auto& manager) { run_conn_manager(desk, manager, reply); });
    case RequestType::disconnect:
      return with(request.disconnect, [&](const auto& peer) { run_disconnect(desk, peer, reply); });
    case RequestType::pubsub:
      return with(request.pubsub, [&](const auto& pubsub) { run_pubsub(desk, pubsub, reply); });
  }
}

}  // namespace starling::daemon
