#include "api/dht_routes.hpp"

#include <cmath>
#include <future>

#include "api/dht_keys.hpp"
#include "api/errors.hpp"
#include "api/views.hpp"
#include "format/multihash.hpp"
#include "kad/key.hpp"

namespace starling::api {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kProvidersAsked = 20;

double ms_of(Duration duration) {
  return std::round(std::chrono::duration<double, std::milli>(duration).count() * 1000) / 1000;
}

Response json_response(const json::object& object) {
  return {200, "application/json", json::serialize(object) + "\n"};
}

/// What every answer ends with.
json::object with_cost(json::object out, const kad::QueryStats& stats) {
  out["requests"] = stats.requests;
  out["ms"] = ms_of(stats.took);
  return out;
}

json::array addresses(const std::vector<Multiaddr>& addrs) {
  json::array out;
  for (const auto& addr : addrs) out.emplace_back(addr.to_string());
  return out;
}

dht::Outcome ask(Service& service, dht::Question question, kad::QueryOptions options = {}) {
  std::promise<dht::Outcome> promise;
  auto future = promise.get_future();
  service.ask_dht(std::move(question), options,
                  [&promise](dht::Outcome outcome) { promise.set_value(std::move(outcome)); });
  return future.get();
}

/// A mistake of the asker, where a peer that made it would have misbehaved.
Error for_asker(const Error& error) {
  if (error.is(kad::Errc::bad_namespace)) return make_error(Errc::bad_key);
  if (error.is(kad::Errc::invalid_record) || error.is(kad::Errc::value_too_long))
    return make_error(Errc::bad_value);
  return error;
}

struct Asked {
  json::object body;
  std::string text;  ///< the key as it was written
};

Result<Asked> asked(const Request& request, std::string_view member) {
  boost::system::error_code error;
  json::value value = json::parse(request.body, error);
  if (error || !value.is_object()) return fail(Errc::bad_request);
  Asked out{std::move(value.get_object()), {}};
  const auto* key = out.body.if_contains(member);
  if (key == nullptr || !key->is_string()) return fail(Errc::bad_request);
  out.text = std::string(std::string_view(key->get_string()));
  return out;
}

/// The value of a PUT: {"text"} or {"value_base64"}.
Result<Bytes> value_of(const json::object& body) {
  if (const auto* text = body.if_contains("text"); text != nullptr && text->is_string())
    return to_bytes(std::string_view(text->get_string()));
  const auto* coded = body.if_contains("value_base64");
  if (coded == nullptr || !coded->is_string()) return fail(Errc::bad_request);
  std::string text(std::string_view(coded->get_string()));
  while (!text.empty() && text.back() == '=') text.pop_back();
  return format::decode_base(format::Base::base64, text);
}

/// The end of a question whose answer is a `Done`, shown by `show`.
template <class Done, class Show>
Response answer(const dht::Outcome& outcome, const std::string& what, Show show) {
  if (!outcome.result) return error_response(for_asker(outcome.result.error()), what);
  const auto* done = std::get_if<Done>(&*outcome.result);
  if (done == nullptr) return error_response(make_error(Errc::bad_answer), what);
  return show(*done);
}

Response get(const Asked& about, const Bytes& key, Service& service) {
  const auto outcome = ask(service, dht::Get{key});
  return answer<kad::ValueDone>(outcome, about.text, [&](const kad::ValueDone& done) {
    if (!done.value) {
      return error_response(make_error(kad::Errc::not_found),
                            about.text + " (asked " + std::to_string(done.answers) + " servers)");
    }
    return json_response(with_cost({{"key", dht_key_text(key)},
                                    {"value_base64", base64(*done.value)},
                                    {"answers", done.answers},
                                    {"holders", done.holders},
                                    {"corrected", done.corrected}},
                                   outcome.stats));
  });
}

Response put(const Asked& about, const Bytes& key, Service& service) {
  auto value = value_of(about.body);
  if (!value) return error_response(value.error(), about.text);
  const auto outcome = ask(service, dht::Put{key, *std::move(value)});
  return answer<kad::PutDone>(outcome, about.text, [&](const kad::PutDone& done) {
    return json_response(with_cost({{"key", dht_key_text(key)},
                                    {"stored", done.stored},
                                    {"tried", done.tried},
                                    {"better", done.better.has_value()}},
                                   outcome.stats));
  });
}

Response provide(const Asked& about, const Bytes& key, Service& service) {
  const auto outcome = ask(service, dht::Provide{key});
  return answer<kad::ProvideDone>(outcome, about.text, [&](const kad::ProvideDone& done) {
    return json_response(
        with_cost({{"key", dht_key_text(key)}, {"sent", done.sent}, {"tried", done.tried}}, outcome.stats));
  });
}

Response find_providers(const Asked& about, const Bytes& key, Service& service) {
  dht::FindProviders question{key, kProvidersAsked};
  const auto* count = about.body.if_contains("count");
  if (count != nullptr && count->is_int64() && count->get_int64() > 0)
    question.count = static_cast<std::size_t>(count->get_int64());
  const auto outcome = ask(service, std::move(question));
  return answer<kad::ProvidersDone>(outcome, about.text, [&](const kad::ProvidersDone& done) {
    if (done.providers.empty()) return error_response(make_error(kad::Errc::not_found), about.text);
    json::array providers;
    for (const auto& provider : done.providers)
      providers.push_back({{"peer_id", provider.id.to_string()}, {"addrs", addresses(provider.addrs)}});
    return json_response(
        with_cost({{"key", dht_key_text(key)}, {"providers", std::move(providers)}}, outcome.stats));
  });
}

Response find_peer(const Asked& about, Service& service) {
  const auto peer = PeerId::parse(about.text);
  if (!peer) return error_response(peer.error(), about.text);
  const auto outcome = ask(service, dht::FindPeer{*peer});
  return answer<kad::PeerDone>(outcome, about.text, [&](const kad::PeerDone& done) {
    return json_response(with_cost({{"peer_id", done.peer.id.to_string()},
                                    {"addrs", addresses(done.peer.addrs)},
                                    {"answered", done.answered}},
                                   outcome.stats));
  });
}

Response table(Service& service) {
  const dht::TableView view = service.dht_table();
  json::array buckets;
  for (const auto& [entry, silent] : view.members) {
    if (buckets.empty() || buckets.back().at("shared_bits").to_number<std::size_t>() != entry.bucket)
      buckets.push_back({{"shared_bits", entry.bucket}, {"peers", json::array()}});
    const bool connected = entry.peer.connection == kad::ConnectionType::connected;
    buckets.back().at("peers").as_array().push_back(
        {{"peer_id", entry.peer.id.to_string()},
         {"addrs", addresses(entry.peer.addrs)},
         {"connected", connected},
         {"silent_s", std::chrono::duration_cast<std::chrono::seconds>(silent).count()},
         {"failures", entry.failures}});
  }
  return json_response({{"peer_id", view.self.to_string()},
                        {"mode", view.mode == kad::Mode::server ? "server" : "client"},
                        {"peers", view.members.size()},
                        {"records", view.records},
                        {"providers", view.providers},
                        {"buckets", std::move(buckets)}});
}

std::string_view name_of(kad::MessageType type) noexcept { return kad::to_string(type); }

json::object view_of_hop(const kad::QueryHop& hop) {
  return {
      {"at_ms", ms_of(hop.started)},
      {"ms", ms_of(hop.took)},
      {"peer_id", hop.peer.to_string()},
      {"request", name_of(hop.request)},
      {"verdict", kad::to_string(hop.verdict)},
      {"shared_bits", hop.shared_bits},
      {"depth", hop.depth},
      {"path", hop.path},
      {"named", hop.named},
      {"suggested_by", hop.suggested_by ? json::value(hop.suggested_by->to_string()) : json::value(nullptr)}};
}

/// What came of a traced question, in one word.
std::string_view outcome_of(const dht::Outcome& outcome) noexcept {
  if (!outcome.result) return outcome.result.error().is(kad::Errc::not_found) ? "not_found" : "failed";
  if (const auto* value = std::get_if<kad::ValueDone>(&*outcome.result))
    return value->value ? "found" : "not_found";
  return std::holds_alternative<kad::PeerDone>(*outcome.result) ? "found" : "closest";
}

Response trace(const Asked& about, Service& service) {
  dht::Question question;
  Bytes key;
  if (const auto peer = PeerId::parse(about.text)) {
    question = dht::FindPeer{*peer};
    key = to_bytes(peer->bytes());
  } else if (auto value = parse_dht_key(about.text, KeyUse::value)) {
    key = *value;
    const bool holds_values = as_text(key).starts_with("/eth/") || as_text(key).starts_with("/pk/");
    question = holds_values ? dht::Question(dht::Get{key}) : dht::Question(dht::Closest{key});
  } else if (auto other = parse_dht_key(about.text, KeyUse::provider)) {
    key = *other;
    question = dht::Closest{key};
  } else {
    return error_response(value.error(), about.text);
  }
  kad::QueryOptions options;
  options.trace = kad::QueryOptions::Trace::on;
  const auto outcome = ask(service, std::move(question), options);
  if (outcome_of(outcome) == "failed" && outcome.hops.empty())
    return error_response(for_asker(outcome.result.error()), about.text);
  json::array hops;
  for (const auto& hop : outcome.hops) hops.push_back(view_of_hop(hop));
  json::object out{
      {"key", dht_key_text(key)},
      {"place", to_hex(kad::KadId::of(ByteView(key)).bytes)},
      {"outcome", outcome_of(outcome)},
      {"error", outcome.result ? json::value(nullptr) : json::value(outcome.result.error().message())},
      {"hops", std::move(hops)},
      {"hops_untold", outcome.stats.hops_untold},
      {"depth", outcome.stats.hops},
      {"answers", outcome.stats.answers},
      {"failures", outcome.stats.failures}};
  return json_response(with_cost(std::move(out), outcome.stats));
}

}  // namespace

std::optional<Response> handle_dht(const Request& request, Service& service) {
  constexpr std::string_view kFolder = "/v1/dht/";
  if (!request.path.starts_with(kFolder)) return std::nullopt;
  const std::string_view verb = std::string_view(request.path).substr(kFolder.size());
  if (request.method == "GET" && verb == "table") return table(service);
  if (request.method != "POST") return std::nullopt;
  const auto about = asked(request, verb == "findpeer" ? "peer_id" : "key");
  if (!about) return error_response(about.error(), request.path);
  if (verb == "findpeer") return find_peer(*about, service);
  if (verb == "trace") return trace(*about, service);
  const bool of_providers = verb == "provide" || verb == "findprovs";
  const auto key = parse_dht_key(about->text, of_providers ? KeyUse::provider : KeyUse::value);
  if (!key) return error_response(key.error(), about->text);
  if (verb == "get") return get(*about, *key, service);
  if (verb == "put") return put(*about, *key, service);
  if (verb == "provide") return provide(*about, *key, service);
  if (verb == "findprovs") return find_providers(*about, *key, service);
  return std::nullopt;
}

}  // namespace starling::api
