#pragma once
// Daemons and what their clients ask for.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "daemon/daemon.hpp"
#include "format/multiaddr.hpp"
#include "net/control_client.hpp"
#include "net/hosts.hpp"

namespace starling::net {

using daemon::ConnManagerRequestType;
using daemon::Daemon;
using daemon::DaemonOptions;
using daemon::DhtRequest;
using daemon::DhtRequestType;
using daemon::DhtResponseType;
using daemon::PubsubRequestType;
using daemon::Request;
using daemon::RequestType;
using daemon::Response;

inline DaemonOptions with_everything() {
  DaemonOptions options;
  options.control = "/ip4/127.0.0.1/tcp/0";
  options.echo = DaemonOptions::Echo::on;
  options.host.listen = {kLoopback};
  options.host.dht.emplace();
  options.host.dht->protocol = "/ipfs/kad/1.0.0";
  options.host.dht->mode = DhtOptions::Mode::server;
  options.host.dht->addresses = DhtOptions::Addresses::any;
  options.host.gossip = true;
  options.host.own_messages = HostOptions::OwnMessages::delivered;
  options.host.threads = 1;
  return options;
}

inline std::unique_ptr<Daemon> start_daemon(DaemonOptions options = with_everything()) {
  auto daemon = Daemon::start(std::move(options));
  EXPECT_TRUE(daemon) << daemon.failure().message;
  return *std::move(daemon);
}

inline ControlSocket control(const Daemon& daemon) {
  return ControlSocket::connect(daemon.control_address());
}

inline Response ask(const Daemon& daemon, const Request& request) {
  auto answer = control(daemon).ask(request);
  EXPECT_TRUE(answer.has_value()) << "no answer";
  return answer.value_or(Response());
}

inline Bytes id_bytes(const Daemon& daemon) { return to_bytes(PeerId::parse(daemon.peer_id())->bytes()); }

inline Bytes addr_bytes(const std::string& text) { return to_bytes(Multiaddr::parse(text)->bytes()); }

inline Request connect_to(const Daemon& other) {
  Request request;
  request.type = RequestType::connect;
  request.connect = {id_bytes(other), {}, 10};
  for (const auto& address : other.addresses()) request.connect->addrs.push_back(addr_bytes(address));
  return request;
}

inline Request open_to(const Daemon& other, std::vector<std::string> protocols) {
  Request request;
  request.type = RequestType::stream_open;
  request.stream_open = {id_bytes(other), std::move(protocols), 10};
  return request;
}

inline Request handle(const HandlerSocket& handler, std::vector<std::string> protocols) {
  Request request;
  request.type = RequestType::stream_handler;
  request.stream_handler = {addr_bytes(handler.address()), std::move(protocols)};
  return request;
}

inline Request dht(DhtRequestType type) {
  Request request;
  request.type = RequestType::dht;
  request.dht.emplace().type = type;
  request.dht->timeout_s = 10;
  return request;
}

inline Request pubsub(PubsubRequestType type, const std::string& topic = "news", std::string_view data = {}) {
  Request request;
  request.type = RequestType::pubsub;
  request.pubsub = {type, topic, to_bytes(data)};
  return request;
}

inline Request tag(const Daemon& peer, ConnManagerRequestType type, std::int64_t weight) {
  Request request;
  request.type = RequestType::conn_manager;
  request.conn_manager = {type, id_bytes(peer), "useful", weight};
  return request;
}

inline std::size_t peers_count(const Daemon& daemon) {
  Request request;
  request.type = RequestType::list_peers;
  return ask(daemon, request).peers.size();
}

inline void connect_daemons(const Daemon& from, const Daemon& to) {
  const auto answer = ask(from, connect_to(to));
  ASSERT_FALSE(answer.error) << *answer.error;
  ASSERT_TRUE(eventually([&] { return peers_count(to) > 0; }));
}

/// What STREAM_OPEN has become.
inline ControlSocket open_stream(const Daemon& from, const Daemon& to, const std::string& protocol) {
  auto opener = control(from);
  const auto opened = opener.ask(open_to(to, {protocol}));
  EXPECT_TRUE(opened && !opened->error);
  return opener;
}

/// Both ends of one stream of `/test/1`: what STREAM_OPEN has become, and what the handler got.
struct Ends {
  ControlSocket opener{-1};
  ControlSocket handler{-1};
};
inline Ends open_ends(const Daemon& from, const Daemon& to) {
  HandlerSocket listener;
  EXPECT_FALSE(ask(to, handle(listener, {"/test/1"})).error);
  Ends ends;
  ends.opener = open_stream(from, to, "/test/1");
  ends.handler = listener.accept();
  EXPECT_TRUE(ends.handler.receive_frame().has_value());
  return ends;
}

}  // namespace starling::net
