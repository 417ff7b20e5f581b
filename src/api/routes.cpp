#include "api/routes.hpp"

#include <charconv>
#include <future>

#include "api/dht_routes.hpp"
#include "api/errors.hpp"
#include "api/views.hpp"
#include "format/multihash.hpp"

namespace starling::api {

namespace json = boost::json;

namespace {

constexpr std::uint64_t kSendWaitMaxMs = 60'000;
constexpr std::uint64_t kInboxPageMax = 1'000;

Response json_response(const json::value& value) {
  return {200, "application/json", json::serialize(value) + "\n"};
}

std::uint64_t number_of(const Request& request, std::string_view name, std::uint64_t fallback) {
  const auto it = request.query.find(std::string(name));
  if (it == request.query.end()) return fallback;
  std::uint64_t value = 0;
  const auto* end = it->second.data() + it->second.size();
  const auto parsed = std::from_chars(it->second.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end ? value : fallback;
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string()))
                                                : std::string();
}

std::uint64_t number_of(const json::object& object, std::string_view name, std::uint64_t fallback) {
  const auto* value = object.if_contains(name);
  if (value == nullptr) return fallback;
  if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
  if (value->is_uint64()) return value->get_uint64();
  return fallback;
}

Result<json::object> body_of(const Request& request) {
  boost::system::error_code error;
  json::value value = json::parse(request.body, error);
  if (error || !value.is_object()) return fail(Errc::bad_request);
  return std::move(value.get_object());
}

Duration from_ms(std::uint64_t ms) { return std::chrono::milliseconds(static_cast<std::int64_t>(ms)); }

Response find(const Request& request, Service& service) {
  const auto body = body_of(request);
  if (!body) return error_response(body.error());
  const auto wallet = EthAddress::parse(text_of(*body, "address"));
  if (!wallet) return error_response(wallet.error(), text_of(*body, "address"));
  std::promise<FindOutcome> promise;
  auto future = promise.get_future();
  const std::uint64_t cache_ms = std::min<std::uint64_t>(number_of(*body, "cache_ms", 0), 86'400'000);
  service.find(*wallet, from_ms(cache_ms),
               [&promise](FindOutcome outcome) { promise.set_value(std::move(outcome)); });
  const FindOutcome outcome = future.get();
  if (!outcome.found) return error_response(outcome.found.error(), wallet->to_string());
  return json_response(view_of(*outcome.found, outcome.took));
}

Response send(const Request& request, Service& service) {
  const auto body = body_of(request);
  if (!body) return error_response(body.error());
  auto options = send_options(*body);
  if (!options) return error_response(options.error());
  std::promise<SendOutcome> promise;
  auto future = promise.get_future();
  const std::uint64_t wait_ms = std::min(number_of(*body, "wait_ms", 10'000), kSendWaitMaxMs);
  service.send(*std::move(options), from_ms(wait_ms),
               [&promise](SendOutcome outcome) { promise.set_value(std::move(outcome)); });
  const SendOutcome outcome = future.get();
  if (outcome.state.error) return error_response(*outcome.state.error);
  return json_response(view_of(outcome));
}

Response inbox(const Request& request, Service& service) {
  const auto entries = service.inbox(number_of(request, "after", 0),
                                     std::min(number_of(request, "count", 100), kInboxPageMax));
  if (!entries) return error_response(entries.error());
  json::array out;
  for (const auto& entry : *entries) out.push_back(view_of(entry));
  return json_response(out);
}

template <class Items>
Response list(const Items& items) {
  json::array out;
  for (const auto& item : items) out.push_back(view_of(item));
  return json_response(out);
}

Response metrics(Service& service) {
  std::string text;
  for (const auto& [name, value] : service.metrics())
    text += "starling_" + name + " " + std::to_string(value) + "\n";
  return {200, "text/plain; version=0.0.4", std::move(text)};
}

}  // namespace

Response error_response(const Error& error, std::string_view what) {
  return {http_status(error.kind()), "application/json", json::serialize(view_of(error, what)) + "\n"};
}

Request parse_target(std::string method, std::string_view target, std::string body) {
  Request request{std::move(method), std::string(target.substr(0, target.find('?'))), {}, std::move(body)};
  const auto question = target.find('?');
  std::string_view rest =
      question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest = part.size() < rest.size() ? rest.substr(part.size() + 1) : std::string_view{};
    const auto equals = part.find('=');
    if (equals != std::string_view::npos)
      request.query.emplace(std::string(part.substr(0, equals)), std::string(part.substr(equals + 1)));
  }
  return request;
}

Result<node::SendOptions> send_options(const json::object& request) {
  node::SendOptions options;
  const auto* to = request.if_contains("to");
  if (to != nullptr && !to->is_null()) {
    if (!to->is_string()) return fail(Errc::bad_request);
    STARLING_ASSIGN(options.to, EthAddress::parse(std::string_view(to->get_string())));
  }
  const bool has_text = request.contains("text");
  if (has_text == request.contains("body_base64")) return fail(Errc::bad_request);
  if (has_text) {
    options.body = to_bytes(text_of(request, "text"));
  } else {
    std::string text = text_of(request, "body_base64");
    while (!text.empty() && text.back() == '=') text.pop_back();
    STARLING_ASSIGN(options.body, format::decode_base(format::Base::base64, text));
  }
  options.content_type = text_of(request, "content_type");
  const auto* plain = request.if_contains("plain");
  if (plain != nullptr && plain->is_bool() && plain->get_bool())
    options.sealing = node::SendOptions::Sealing::plain;
  if (const auto reply = text_of(request, "in_reply_to"); !reply.empty()) {
    const auto bytes = from_hex(reply);
    const auto id = bytes ? to_fixed<agent::kEnvelopeIdBytes>(*bytes) : std::nullopt;
    if (!id) return fail(Errc::bad_request);
    options.in_reply_to = *id;
  }
  options.life = from_ms(std::min<std::uint64_t>(number_of(request, "life_ms", 86'400'000), 604'800'000));
  options.cache_age = from_ms(std::min<std::uint64_t>(number_of(request, "cache_ms", 0), 86'400'000));
  return options;
}

Response handle(const Request& request, Service& service) {
  if (auto answer = handle_dht(request, service)) return *std::move(answer);
  const std::string route = request.method + " " + request.path;
  if (route == "POST /v1/find") return find(request, service);
  if (route == "POST /v1/send") return send(request, service);
  if (route == "GET /v1/inbox") return inbox(request, service);
  if (route == "GET /v1/announcements") return list(service.announcements());
  if (route == "GET /v1/peers") return list(service.peers());
  if (route == "GET /v1/status") return json_response(view_of(service.status()));
  if (route == "GET /v1/status/network") return list(service.network_status());
  if (route == "GET /v1/metrics") return metrics(service);
  return error_response(make_error(Errc::bad_request), route);
}

}  // namespace starling::api
