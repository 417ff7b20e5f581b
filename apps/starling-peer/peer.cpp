#include "peer.hpp"

#include <unistd.h>

#include <boost/json/array.hpp>

#include "starling/perf.hpp"
#include "streams.hpp"

namespace peer {

using starling::Failure;
using starling::Host;
using starling::HostOptions;
using starling::Outcome;

namespace {

constexpr const char* kAgentVersion = "starling-peer/0.1.0";
constexpr std::size_t kTextBytesMax = 256;

boost::json::array to_array(const std::vector<std::string>& texts) {
  boost::json::array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

/// Whether the bytes are UTF-8 as JSON may carry it.
bool is_utf8(starling::ByteSpan bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const std::uint8_t lead = bytes[i];
    const std::size_t more = lead < 0x80                   ? 0
                             : lead >= 0xc2 && lead < 0xe0 ? 1
                             : lead >= 0xe0 && lead < 0xf0 ? 2
                             : lead >= 0xf0 && lead < 0xf5 ? 3
                                                           : bytes.size();
    if (more >= bytes.size() - i) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if ((bytes[i + k] & 0xc0U) != 0x80U) return false;
    if (lead == 0xe0 && bytes[i + 1] < 0xa0) return false;
    if (lead == 0xed && bytes[i + 1] >= 0xa0) return false;
    if (lead == 0xf0 && bytes[i + 1] < 0x90) return false;
    if (lead == 0xf4 && bytes[i + 1] >= 0x90) return false;
    i += more + 1;
  }
  return true;
}

HostOptions without_limits() {
  HostOptions options;
  options.agent_version = kAgentVersion;
  options.protection = HostOptions::Protection::off;
  return options;
}

}  // namespace

Peer::Peer(Flags flags, Output& output) : flags_(std::move(flags)), output_(output) {
  HostOptions options = without_limits();
  options.key = flags_.key;
  options.listen = flags_.listen;
  options.bootstrap = flags_.bootstrap;
  options.security = {flags_.security};
  options.threads = flags_.threads;
  options.gossip = flags_.gossip;
  if (!flags_.kad.empty()) {
    starling::DhtOptions dht;
    dht.protocol = flags_.kad;
    dht.mode = flags_.kad_client ? starling::DhtOptions::Mode::client : starling::DhtOptions::Mode::server;
    dht.records = starling::DhtOptions::Records::anything;
    dht.addresses = starling::DhtOptions::Addresses::any;
    options.dht = dht;
  }
  options.events.peer_connected = [this](const std::string& id) {
    output_.emit({{"event", "peer:connect"}, {"peerId", id}});
  };
  options.events.peer_disconnected = [this](const std::string& id, const Failure&) {
    output_.emit({{"event", "peer:disconnect"}, {"peerId", id}});
  };
  options.events.message = [this](const starling::Message& message) { on_message(message); };
  host_ = std::make_unique<Host>(std::move(options));
  host_->set_stream_handler(kEchoProtocol, &serve_echo);
  host_->set_stream_handler(kRrProtocol, &serve_rr);
  starling::serve_perf(*host_);
}

void Peer::start() {
  get(host_->start());
  for (const auto& topic : flags_.topics)
    get(starling::wait<void>([&](auto done) { host_->subscribe(topic, done); }));
}

void Peer::stop() {
  release(Request({}));
  host_->stop();
}

Fields Peer::ready() const {
  return {{"event", "ready"},
          {"peerId", host_->peer_id()},
          {"addrs", to_array(host_->addresses())},
          {"pid", ::getpid()},
          {"startMs", ms_since_process_start()}};
}

HostOptions Peer::dialer_options(const starling::EventLoops& loops) const {
  HostOptions options = without_limits();
  options.security = {flags_.security};
  options.loops = loops;
  return options;
}

void Peer::on_message(const starling::Message& message) {
  if (counter_.take(message)) return;
  Fields event{{"event", "msg"},
               {"topic", message.topic},
               {"from", message.author()},
               {"seqno", to_hex(message.seqno)},
               {"bytes", message.data.size()},
               {"sha256", to_hex(starling::sha256(message.data))},
               {"t", static_cast<std::int64_t>(epoch_ms())}};
  if (message.data.size() <= kTextBytesMax && is_utf8(message.data))
    event["text"] = std::string(message.data.begin(), message.data.end());
  output_.emit(event);
}

Fields Peer::run(const std::string& command, const Request& request) {
  const auto found = commands().find(command);
  if (found == commands().end()) throw CommandError("unknown command '" + command + "'");
  return (this->*found->second)(request);
}

const std::map<std::string, Peer::Command, std::less<>>& Peer::commands() {
  static const std::map<std::string, Command, std::less<>> kCommands = {
      {"connect", &Peer::connect},
      {"disconnect", &Peer::disconnect},
      {"identify", &Peer::identify},
      {"ping", &Peer::ping},
      {"peers", &Peer::peers},
      {"echo", &Peer::echo},
      {"subscribe", &Peer::subscribe},
      {"publish", &Peer::publish},
      {"meshpeers", &Peer::mesh_peers},
      {"counter", &Peer::counter},
      {"provide", &Peer::provide},
      {"findproviders", &Peer::find_providers},
      {"put", &Peer::put},
      {"get", &Peer::get_value},
      {"findpeer", &Peer::find_peer},
      {"table", &Peer::table},
      {"stats", &Peer::stats},
      {"bench-handshake", &Peer::bench_handshake},
      {"bench-perf", &Peer::bench_perf},
      {"bench-rr", &Peer::bench_rr},
      {"bench-stream", &Peer::bench_stream},
      {"bench-hold", &Peer::bench_hold},
      {"release", &Peer::release},
      {"bench-pub", &Peer::bench_pub},
      {"bench-fanout", &Peer::bench_fanout},
  };
  return kCommands;
}

// ---------------------------------------------------------------------------------------------- connections

starling::Connection Peer::target(const Request& request) {
  const auto addr = request.optional_text("addr");
  const std::string id =
      addr ? ask<std::string>([&](auto done) { host_->connect(*addr, done); }) : request.text("peerId");
  return ask<starling::Connection>([&](auto done) { host_->connection(id, done); });
}

Fields Peer::connect(const Request& request) {
  const double began = now_ms();
  const std::string addr = request.text("addr");
  const auto id = ask<std::string>([&](auto done) { host_->connect(addr, done); });
  return {{"peerId", id}, {"ms", now_ms() - began}};
}

Fields Peer::disconnect(const Request& request) {
  const std::string id = request.text("peerId");
  ask<void>([&](auto done) { host_->disconnect(id, done); });
  return {};
}

Fields Peer::identify(const Request& request) {
  const std::string id = request.text("peerId");
  const auto info = ask<starling::PeerInfo>([&](auto done) { host_->peer_info(id, done); });
  return {{"agent", info.agent_version},
          {"protocols", to_array(info.protocols)},
          {"addrs", to_array(info.addresses)},
          {"observed", info.observed_address}};
}

Fields Peer::ping(const Request& request) {
  const std::string id = request.text("peerId");
  std::vector<double> times;
  const std::uint64_t count = std::max<std::uint64_t>(request.count("n", 1), 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto rtt = ask<std::chrono::nanoseconds>([&](auto done) { host_->ping(id, done); });
    times.push_back(static_cast<double>(rtt.count()) / 1000);
  }
  std::sort(times.begin(), times.end());
  return {{"p50us", quantile(times, 0.5)}, {"p99us", quantile(times, 0.99)}, {"minUs", times.front()}};
}

Fields Peer::peers(const Request&) {
  return {{"peers", to_array(ask<std::vector<std::string>>([&](auto done) { host_->peers(done); }))}};
}

Fields Peer::echo(const Request& request) {
  const auto connection = target(request);
  const auto data = pseudo_random(static_cast<std::uint32_t>(request.count("seed", 1)),
                                  static_cast<std::size_t>(request.count("bytes", 0)));
  const auto back = ask<Echoed>([&](auto done) { ask_echo(connection, data, done); });
  if (back.bytes != data) throw CommandError("echo differs from what was sent");
  return {{"ms", back.ms}, {"bytes", back.bytes.size()}, {"sha256", to_hex(starling::sha256(back.bytes))}};
}

// ---------------------------------------------------------------------------------------------- gossip

Fields Peer::subscribe(const Request& request) {
  const std::string topic = request.text("topic");
  ask<void>([&](auto done) { host_->subscribe(topic, done); });
  return {};
}

Fields Peer::publish(const Request& request) {
  const std::string topic = request.text("topic");
  std::vector<std::uint8_t> data;
  if (const auto text = request.optional_text("text"))
    data.assign(text->begin(), text->end());
  else
    data = request.hex("hex");
  const auto published = ask<starling::Published>([&](auto done) { host_->publish(topic, data, done); });
  return {{"seqno", to_hex(published.seqno)}, {"handedTo", published.handed_to}};
}

Fields Peer::mesh_peers(const Request& request) {
  const std::string topic = request.text("topic");
  return {
      {"peers", to_array(ask<std::vector<std::string>>([&](auto done) { host_->mesh_peers(topic, done); }))}};
}

Fields Peer::counter(const Request& request) {
  if (!flags_.gossip) throw CommandError("started without --topics");
  if (!request.flag("on")) return counter_.end();
  counter_.begin();
  return {};
}

// ---------------------------------------------------------------------------------------------- DHT

namespace {

std::vector<std::uint8_t> record_key(const Request& request) {
  if (request.find("keyhex") != nullptr) return request.hex("keyhex");
  const std::string key = request.text("key");
  return {key.begin(), key.end()};
}

/// The multihash that a provider command is about; keyhex is taken as it stands.
std::vector<std::uint8_t> provider_key(const Request& request) {
  const auto key = record_key(request);
  return request.find("keyhex") != nullptr ? key : starling::sha256_multihash(key);
}

}  // namespace

Fields Peer::provide(const Request& request) {
  const double began = now_ms();
  const auto key = provider_key(request);
  ask<void>([&](auto done) { host_->dht_provide(key, done); });
  return {{"providers", to_array({host_->peer_id()})}, {"ms", now_ms() - began}};
}

Fields Peer::find_providers(const Request& request) {
  constexpr std::size_t kProvidersWanted = 20;
  const double began = now_ms();
  const auto key = provider_key(request);
  Outcome<std::vector<std::string>> found = starling::wait<std::vector<std::string>>(
      [&](auto done) { host_->dht_find_providers(key, kProvidersWanted, done); });
  std::vector<std::string> providers;
  if (found)
    providers = *found;
  else if (found.failure().kind != "not_found")
    throw CommandError(found.failure().message);
  return {{"providers", to_array(providers)}, {"ms", now_ms() - began}};
}

Fields Peer::put(const Request& request) {
  const double began = now_ms();
  const auto key = record_key(request);
  const auto value = request.hex("value");
  ask<void>([&](auto done) { host_->dht_put(key, value, done); });
  return {{"ms", now_ms() - began}};
}

Fields Peer::get_value(const Request& request) {
  const double began = now_ms();
  const auto key = record_key(request);
  const auto value = ask<std::vector<std::uint8_t>>([&](auto done) { host_->dht_get(key, done); });
  return {{"value", to_hex(value)}, {"ms", now_ms() - began}};
}

Fields Peer::find_peer(const Request& request) {
  const double began = now_ms();
  const std::string id = request.text("peerId");
  const auto addrs = ask<std::vector<std::string>>([&](auto done) { host_->dht_find_peer(id, done); });
  return {{"addrs", to_array(addrs)}, {"ms", now_ms() - began}};
}

Fields Peer::table(const Request&) {
  return {{"size", ask<std::size_t>([&](auto done) { host_->dht_table_size(done); })}};
}

}  // namespace peer
