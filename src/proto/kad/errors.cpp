#include "proto/kad/errors.hpp"

namespace starling::kad {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::bad_message: return "not a DHT message";
    case Errc::key_too_long: return "the key is too long";
    case Errc::key_missing: return "the request lacks its key";
    case Errc::record_missing: return "the request lacks its record";
    case Errc::record_key_mismatch: return "message and record name different keys";
    case Errc::value_too_long: return "the record's value is too long";
    case Errc::unexpected_response: return "an answer that was not asked for";
    case Errc::stream_broken: return "the stream ended too early";
    case Errc::backlog: return "more bytes than the stream asked for";
    case Errc::idle: return "the stream was idle for too long";
    case Errc::response_timeout: return "no answer within the time";
    case Errc::bad_namespace: return "the key has no namespace that we know";
    case Errc::invalid_record: return "the record is not valid";
    case Errc::not_serving: return "this node is a DHT client";
    case Errc::over_rate: return "the peer asks too often";
    case Errc::provider_not_sender: return "a provider other than the sender";
    case Errc::store_full: return "no room in the store";
    case Errc::no_peers: return "no DHT server is known or answers";
    case Errc::query_timeout: return "the query took too long";
    case Errc::cancelled: return "the query was cancelled";
    case Errc::too_many_queries: return "too many queries at once";
    case Errc::not_found: return "not found";
    case Errc::no_addresses: return "we have no address to publish";
    case Errc::nobody_stored: return "no server stored the record";
    case Errc::bad_entry: return "a kept entry is damaged or has ended";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"kad", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::bad_message:
    case Errc::key_too_long:
    case Errc::key_missing:
    case Errc::record_missing:
    case Errc::record_key_mismatch:
    case Errc::value_too_long: return Kind::malformed;
    case Errc::unexpected_response:
    case Errc::bad_namespace:
    case Errc::invalid_record:
    case Errc::provider_not_sender: return Kind::misbehaviour;
    case Errc::backlog:
    case Errc::over_rate:
    case Errc::store_full:
    case Errc::too_many_queries: return Kind::limit;
    case Errc::idle:
    case Errc::response_timeout:
    case Errc::query_timeout: return Kind::timeout;
    case Errc::stream_broken:
    case Errc::no_peers: return Kind::unreachable;
    case Errc::not_serving: return Kind::unsupported;
    case Errc::cancelled: return Kind::cancelled;
    case Errc::not_found: return Kind::not_found;
    case Errc::no_addresses:
    case Errc::nobody_stored: return Kind::refused;
    case Errc::bad_entry: return Kind::storage;
  }
  return Kind::internal;
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::kad
