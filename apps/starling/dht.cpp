// The verbs of the directory: `starling dht …`.
#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "api/dht_keys.hpp"
#include "api/routes.hpp"
#include "api/views.hpp"
#include "asking.hpp"
#include "format/multihash.hpp"
#include "format/protobuf.hpp"

namespace starling::cli {

namespace json = boost::json;

namespace {

/// Whether a question makes sense to a node that leaves again after the answer.
enum class Needs : std::uint8_t { any_node, running_node };

/// POST /v1/dht/`verb` to the running node, or the same to one of its own.
template <class Print>
int ask(const DhtOptions& options, const std::string& verb, const json::object& body, Needs needs,
        const Output& output, Print print) {
  const auto show_it = [&](const json::value& answer) {
    if (output.json())
      output.line(answer);
    else
      print(answer);
  };
  const std::string path = "/v1/dht/" + verb;
  const api::ControlClient client = client_of(options.node);
  if (needs == Needs::running_node || client.reachable())
    return show(client.post(path, body), options.node, output, show_it);
  auto service = short_lived(options.node);
  if (!service) return output.fail(service.error());
  const auto response = api::handle({"POST", path, {}, json::serialize(body)}, **service);
  const json::value answer = json::parse(response.body);
  if (response.status != 200) return output.relay_error(answer);
  show_it(answer);
  return 0;
}

std::string cost_of(const json::value& answer) {
  const auto requests = text_of(answer, "requests");
  return requests + (requests == "1" ? " request, " : " requests, ") + text_of(answer, "ms") + " ms";
}

/// Text as it is, everything else in base64.
std::string value_for_people(const std::string& coded) {
  std::string unpadded = coded;
  while (!unpadded.empty() && unpadded.back() == '=') unpadded.pop_back();
  const auto bytes = format::decode_base(format::Base::base64, unpadded);
  const auto plain = [](std::uint8_t c) { return c >= ' ' || c == '\n' || c == '\t'; };
  if (bytes && pb::is_utf8(*bytes) && std::all_of(bytes->begin(), bytes->end(), plain))
    return to_text(*bytes);
  return coded;
}

/// A peer id with its last characters only, for columns.
std::string short_peer(const std::string& peer) {
  return peer.size() > 10 ? "…" + peer.substr(peer.size() - 8) : peer;
}

void print_addresses(const json::value& peer, const Output& output) {
  for (const auto& address : peer.at("addrs").as_array())
    output.text("  address  " + std::string(std::string_view(address.as_string())));
}

void print_table(const json::value& table, const Output& output) {
  output.text(text_of(table, "peer_id") + "  DHT " + text_of(table, "mode") + ", " + text_of(table, "peers") +
              " servers known, " + text_of(table, "records") + " records and " + text_of(table, "providers") +
              " providers stored");
  for (const auto& bucket : table.at("buckets").as_array()) {
    for (const auto& peer : bucket.at("peers").as_array()) {
      const auto& addrs = peer.at("addrs").as_array();
      output.text(fmt::format(
          "  {:>3} bits  {}  {}  {}{}", text_of(bucket, "shared_bits"), text_of(peer, "peer_id"),
          addrs.empty() ? "-" : std::string_view(addrs[0].as_string()),
          peer.at("connected").as_bool() ? "connected" : "silent " + text_of(peer, "silent_s") + " s",
          text_of(peer, "failures") == "0" ? "" : ", failed last time"));
    }
  }
}

void print_trace(const json::value& trace, const Output& output) {
  output.text("key    " + text_of(trace, "key"));
  output.text("place  " + text_of(trace, "place"));
  output.text("    at ms        ms  bits  depth  verdict         named  peer       suggested by");
  for (const auto& hop : trace.at("hops").as_array()) {
    const std::string suggested = text_of(hop, "suggested_by");
    output.text(fmt::format(
        "{:>9} {:>9}  {:>4}  {:>5}  {:<14}  {:>5}  {}  {}", text_of(hop, "at_ms"), text_of(hop, "ms"),
        text_of(hop, "shared_bits"), text_of(hop, "depth"), text_of(hop, "verdict"), text_of(hop, "named"),
        short_peer(text_of(hop, "peer_id")), suggested.empty() ? "own table" : short_peer(suggested)));
  }
  const std::string error = text_of(trace, "error");
  output.text(text_of(trace, "outcome") + (error.empty() ? "" : ": " + error) + "  (" + cost_of(trace) + ")");
}

}  // namespace

int run_dht_get(const DhtOptions& options, const Output& output) {
  if (const auto key = api::parse_dht_key(options.key, api::KeyUse::value); !key)
    return output.fail({key.error(), options.key});
  return ask(options, "get", {{"key", options.key}}, Needs::any_node, output, [&](const json::value& got) {
    output.text(value_for_people(text_of(got, "value_base64")));
    output.note(text_of(got, "key") + ": " + text_of(got, "holders") + " of " + text_of(got, "answers") +
                " servers that answered have it  (" + cost_of(got) + ")");
  });
}

int run_dht_put(const DhtOptions& options, const Output& output) {
  if (const auto key = api::parse_dht_key(options.key, api::KeyUse::value); !key)
    return output.fail({key.error(), options.key});
  Bytes value = to_bytes(options.value);
  if (options.value == "-") {
    value = to_bytes(std::string(std::istreambuf_iterator<char>(std::cin), {}));
  } else if (options.value.starts_with("hex:")) {
    const auto bytes = from_hex(std::string_view(options.value).substr(4));
    if (!bytes) return output.fail({make_error(api::Errc::bad_value), options.value});
    value = *bytes;
  }
  const json::object body{{"key", options.key}, {"value_base64", api::base64(value)}};
  return ask(options, "put", body, Needs::any_node, output, [&](const json::value& put) {
    output.text("stored by " + text_of(put, "stored") + " of " + text_of(put, "tried") + " servers  (" +
                cost_of(put) + ")");
    if (put.at("better").as_bool()) output.text("  a server knows a better record of this key");
  });
}

int run_dht_provide(const DhtOptions& options, const Output& output) {
  if (const auto key = api::parse_dht_key(options.key, api::KeyUse::provider); !key)
    return output.fail({key.error(), options.key});
  return ask(options, "provide", {{"key", options.key}}, Needs::running_node, output,
             [&](const json::value& provided) {
               output.text("told to " + text_of(provided, "sent") + " of " + text_of(provided, "tried") +
                           " servers, again every 22 h  (" + cost_of(provided) + ")");
             });
}

int run_dht_find_providers(const DhtOptions& options, const Output& output) {
  if (const auto key = api::parse_dht_key(options.key, api::KeyUse::provider); !key)
    return output.fail({key.error(), options.key});
  return ask(options, "findprovs", {{"key", options.key}, {"count", options.count}}, Needs::any_node, output,
             [&](const json::value& found) {
               for (const auto& provider : found.at("providers").as_array()) {
                 output.text(text_of(provider, "peer_id"));
                 print_addresses(provider, output);
               }
               output.note(cost_of(found));
             });
}

int run_dht_find_peer(const DhtOptions& options, const Output& output) {
  if (const auto peer = PeerId::parse(options.key); !peer) return output.fail({peer.error(), options.key});
  return ask(options, "findpeer", {{"peer_id", options.key}}, Needs::any_node, output,
             [&](const json::value& found) {
               output.text(text_of(found, "peer_id") +
                           (found.at("answered").as_bool() ? "" : "  (it did not answer itself)"));
               print_addresses(found, output);
               output.note(cost_of(found));
             });
}

int run_dht_table(const DhtOptions& options, const Output& output) {
  return show(client_of(options.node).get("/v1/dht/table"), options.node, output,
              [&](const json::value& table) {
                if (output.json())
                  output.line(table);
                else
                  print_table(table, output);
              });
}

int run_dht_trace(const DhtOptions& options, const Output& output) {
  return ask(options, "trace", {{"key", options.key}}, Needs::any_node, output,
             [&](const json::value& trace) { print_trace(trace, output); });
}

}  // namespace starling::cli
