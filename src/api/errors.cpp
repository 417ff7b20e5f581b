#include "api/errors.hpp"

namespace starling::api {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::no_node: return "no node is running on this data directory";
    case Errc::bad_request: return "not a request of the control API";
    case Errc::bad_answer: return "the node's answer cannot be read";
    case Errc::bad_config: return "the configuration does not make sense";
    case Errc::bad_input: return "the input cannot be read";
    case Errc::socket_path: return "the control socket's path is too long (107 bytes at most)";
    case Errc::cannot_listen: return "the control socket cannot be opened";
    case Errc::remote_error: return "the node reported an error";
    case Errc::bad_key: return "not a key that the DHT can be asked for";
    case Errc::bad_value: return "not a valid value for this key";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"api", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::no_node: return Kind::unreachable;
    case Errc::socket_path:
    case Errc::cannot_listen: return Kind::storage;
    case Errc::bad_answer:
    case Errc::remote_error: return Kind::internal;
    default: return Kind::malformed;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::api
