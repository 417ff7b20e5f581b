#include "api/views.hpp"

#include <array>
#include <cmath>

#include "agent/names.hpp"
#include "api/errors.hpp"
#include "format/multihash.hpp"
#include "format/protobuf.hpp"
#include "home/errors.hpp"
#include "kad/errors.hpp"
#include "node/errors.hpp"
#include "runtime/errors.hpp"

namespace starling::api {

namespace json = boost::json;

namespace {

double to_ms(Duration duration) {
  return std::round(std::chrono::duration<double, std::milli>(duration).count() * 1000) / 1000;
}

json::array to_array(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::object status_fields(const agent::NodeStatus& status) {
  json::array topics;
  for (const auto& topic : status.topics)
    topics.push_back({{"topic", topic.topic}, {"mesh", topic.mesh}, {"peers", topic.peers}});
  return {{"role", to_string(status.role)},
          {"version", status.version},
          {"sent_at", status.sent_at.ms()},
          {"uptime_s", status.uptime_s},
          {"connections", status.connections},
          {"dht_table", status.dht_table},
          {"dht_records", status.dht_records},
          {"topics", std::move(topics)},
          {"messages_sent", status.messages_sent},
          {"messages_delivered", status.messages_delivered},
          {"messages_rejected", status.messages_rejected},
          {"rss_bytes", status.rss_bytes},
          {"cpu_permille", status.cpu_permille}};
}

struct Hint {
  Error error;
  std::string_view text;
};

const std::array<Hint, 18>& hints() {
  static const std::array<Hint, 18> kTable{{
      {make_error(node::Errc::not_found),
       "check the address; the agent may be offline and its record expired, or it uses another --network"},
      {make_error(kad::Errc::no_peers),
       "no DHT server is reachable: give a bootstrap address with --bootstrap and check that it runs"},
      {make_error(kad::Errc::query_timeout),
       "the DHT servers do not answer; try again or use another --bootstrap"},
      {make_error(kad::Errc::not_found), "nobody in the DHT has it; what was published may have expired"},
      {make_error(kad::Errc::nobody_stored),
       "the servers refused it or did not answer; starling dht trace KEY shows what each of them did"},
      {make_error(Errc::bad_key),
       "write 0x… (an agent), /eth/0x…, /pk/PEER_ID, a peer id or CID, hex:… or text:…; only /eth and /pk "
       "hold values on this network"},
      {make_error(Errc::bad_value), "/eth holds a signed presence, /pk the public key of the peer id"},
      {make_error(node::Errc::no_seal_key), "send --plain if anybody on the network may read the message"},
      {make_error(node::Errc::withdrawn), "the agent left on purpose; try again when it is back"},
      {make_error(node::Errc::too_big), "a message over gossip has at most 32 KiB, sealing included"},
      {make_error(runtime::Errc::address_in_use),
       "choose another --listen address, or port 0 for any free port"},
      {make_error(runtime::Errc::permission_denied), "ports below 1024 need privileges; choose a higher one"},
      {make_error(home::Errc::wrong_password), "check --password-file"},
      {make_error(home::Errc::in_use), "stop the other node, or give this one its own --data-dir"},
      {make_error(home::Errc::unsafe_permissions),
       "chmod 600 the file, and think about who may have read it"},
      {make_error(home::Errc::no_such_wallet), "starling wallet list shows what there is"},
      {make_error(home::Errc::damaged), "restore it from a backup; it is left as it is"},
      {make_error(Errc::no_node), "start one with: starling up"},
  }};
  return kTable;
}

}  // namespace

std::string base64(ByteView bytes) {
  std::string text = format::encode_base(format::Base::base64, bytes);
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::vector<std::string> texts_of(const std::vector<Bytes>& addresses) {
  std::vector<std::string> out;
  for (const auto& bytes : addresses)
    if (const auto address = Multiaddr::from_bytes(bytes)) out.push_back(address->to_string());
  return out;
}

json::object view_of(const agent::CheckedPresence& presence) {
  return {{"address", presence.fields.wallet.to_string()},
          {"peer_id", presence.peer_id().to_string()},
          {"addrs", to_array(texts_of(presence.fields.addrs))},
          {"name", presence.fields.name},
          {"role", to_string(presence.fields.role)},
          {"seq", presence.fields.seq},
          {"expires_at", presence.fields.expires_at.ms()},
          {"withdrawn", presence.fields.withdrawn}};
}

json::object view_of(const node::FoundPresence& found, Duration took) {
  json::object out = view_of(found.presence);
  out["source"] = to_string(found.source);
  out["ms"] = to_ms(took);
  return out;
}

json::object view_of(const SendOutcome& outcome) {
  return {{"id", to_hex(outcome.state.id)},
          {"state", to_string(outcome.state.state)},
          {"path", outcome.state.path.empty() ? json::value(nullptr) : json::value(outcome.state.path)},
          {"ms", to_ms(outcome.took)}};
}

json::object view_of(const home::InboxEntry& entry) {
  const node::Received& message = entry.message;
  json::object out{{"id", to_hex(message.id)},
                   {"from", message.from.to_string()},
                   {"to", message.to ? json::value(message.to->to_string()) : json::value(nullptr)},
                   {"content_type", message.content_type.empty() ? "text/plain" : message.content_type}};
  const bool text = (message.content_type.empty() || message.content_type.starts_with("text/")) &&
                    pb::is_utf8(message.body);
  if (text)
    out["text"] = as_text(message.body);
  else
    out["body_base64"] = base64(message.body);
  out["sent_at"] = message.sent_at.ms();
  out["received_at"] = message.received_at.ms();
  out["sealed"] = message.sealed;
  if (!message.conversation.empty()) out["conversation"] = to_hex(message.conversation);
  if (message.in_reply_to) out["in_reply_to"] = to_hex(*message.in_reply_to);
  out["number"] = entry.number;
  return out;
}

json::object view_of(const PeerView& peer) {
  return {{"peer_id", peer.peer.to_string()},
          {"addr", peer.address.to_string()},
          {"direction", peer.direction == node::Direction::inbound ? "inbound" : "outbound"},
          {"agent", peer.agent},
          {"protocols", to_array(peer.protocols)},
          {"score", peer.score}};
}

json::object view_of(const StatusView& status) {
  json::object out{{"address", status.wallet.to_string()}, {"peer_id", status.peer.to_string()}};
  json::array addresses;
  for (const auto& address : status.addresses) addresses.emplace_back(address.to_string());
  out["addrs"] = std::move(addresses);
  for (auto& member : status_fields(status.status)) out[member.key()] = std::move(member.value());
  out["presence"] = {{"seq", status.presence_seq}, {"stored_by", status.presence_stored}};
  out["agents_known"] = status.agents_known;
  out["superseded_by"] =
      status.superseded_by ? json::value(status.superseded_by->to_string()) : json::value(nullptr);
  return out;
}

json::object view_of(const node::agent_event::Status& status) {
  json::object out{{"address", status.wallet.to_string()}, {"peer_id", status.peer.to_string()}};
  for (auto& member : status_fields(status.status)) out[member.key()] = std::move(member.value());
  return out;
}

json::object view_of(const Error& error, std::string_view what) {
  std::string message(what);
  if (!message.empty()) message += ": ";
  message += error.message();
  return {{"error",
           {{"code", code_of(error)},
            {"kind", to_string(error.kind())},
            {"message", message},
            {"hint", hint_of(error)}}}};
}

std::string code_of(const Error& error) {
  // The hundreds are the module; they never change, because people search for the code.
  static constexpr std::array<std::pair<std::string_view, int>, 14> kModules{{{"crypto", 100},
                                                                              {"format", 200},
                                                                              {"node", 300},
                                                                              {"kad", 400},
                                                                              {"gossip", 500},
                                                                              {"agent", 600},
                                                                              {"runtime", 700},
                                                                              {"home", 800},
                                                                              {"noise", 900},
                                                                              {"yamux", 1000},
                                                                              {"multistream", 1100},
                                                                              {"identify", 1200},
                                                                              {"api", 1300},
                                                                              {"tls", 1400}}};
  for (const auto& [name, base] : kModules)
    if (error.category().name == name) return "ST-" + std::to_string(base + error.code());
  return "ST-" + std::to_string(error.code());
}

std::string_view hint_of(const Error& error) noexcept {
  for (const auto& hint : hints())
    if (hint.error == error) return hint.text;
  return {};
}

int exit_code(Kind kind) noexcept {
  switch (kind) {
    case Kind::malformed: return 2;
    case Kind::not_found: return 4;
    case Kind::timeout: return 5;
    case Kind::unreachable: return 6;
    case Kind::refused: return 7;
    case Kind::limit: return 8;
    case Kind::storage: return 9;
    case Kind::unsupported: return 10;
    case Kind::misbehaviour: return 11;
    case Kind::cancelled: return 12;
    case Kind::internal: return 70;
  }
  return 70;
}

unsigned http_status(Kind kind) noexcept {
  switch (kind) {
    case Kind::malformed: return 400;
    case Kind::not_found: return 404;
    case Kind::timeout: return 504;
    case Kind::unreachable: return 502;
    case Kind::refused: return 403;
    case Kind::limit: return 429;
    case Kind::storage: return 507;
    case Kind::unsupported: return 501;
    case Kind::misbehaviour: return 502;
    case Kind::cancelled: return 503;
    case Kind::internal: return 500;
  }
  return 500;
}

}  // namespace starling::api
