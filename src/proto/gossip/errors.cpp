#include "proto/gossip/errors.hpp"

namespace starling::gossip {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::malformed: return "not a pubsub RPC";
    case Errc::too_large: return "a field or frame above its limit";
    case Errc::bad_author: return "the author is not an inlined Ed25519 or secp256k1 peer id";
    case Errc::bad_seqno: return "the sequence number is not 8 bytes";
    case Errc::key_mismatch: return "the key field is not the author's key";
    case Errc::bad_signature: return "the message signature does not verify";
    case Errc::duplicate: return "a message with this id was seen before";
    case Errc::bad_topic: return "not a usable topic name";
    case Errc::too_many_topics: return "too many topics";
    case Errc::bad_parameter: return "gossip parameters that contradict each other";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"gossip", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::too_large:
    case Errc::too_many_topics: return Kind::limit;
    case Errc::duplicate: return Kind::refused;
    case Errc::bad_topic:
    case Errc::bad_parameter: return Kind::internal;
    default: return Kind::malformed;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::gossip
