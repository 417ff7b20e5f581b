#include "agent/errors.hpp"

namespace starling::agent {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::too_large: return "over the size limit";
    case Errc::bad_network_name: return "a network's name is 1 to 32 bytes of a-z, 0-9 and -";
    case Errc::bad_presence_key: return "not /eth/0x and 40 lowercase hex digits";
    case Errc::no_delegation: return "no delegation";
    case Errc::bad_wallet: return "the wallet is not 20 bytes";
    case Errc::bad_node_key: return "the node key is not a canonical secp256k1 or Ed25519 public key";
    case Errc::not_canonical: return "the delegation bytes are not canonical";
    case Errc::other_network: return "the delegation is for another network";
    case Errc::bad_window: return "the delegation's window is empty or over 90 days";
    case Errc::epoch_after_start: return "the epoch lies after not_before";
    case Errc::node_key_is_wallet: return "the node key is the wallet's own key";
    case Errc::bad_wallet_signature_size: return "the wallet signature is not 65 bytes";
    case Errc::forged_delegation: return "the wallet signature is not by that wallet";
    case Errc::delegation_ended: return "the delegation has ended";
    case Errc::delegation_not_started: return "the delegation starts in the future";
    case Errc::revoked: return "the delegation is revoked: its epoch is below the wallet's floor";
    case Errc::not_the_delegation: return "wallet, epoch or sender differ from the delegation's";
    case Errc::bad_seq: return "seq lies after issued_at";
    case Errc::bad_life: return "expires_at is outside its limits";
    case Errc::too_many_addrs: return "over 16 addresses";
    case Errc::addr_too_long: return "an address over 200 bytes";
    case Errc::text_too_long: return "a text over its limit";
    case Errc::bad_seal_key: return "the seal key is not 32 bytes or has low order";
    case Errc::bad_card_hash: return "card_hash is neither absent nor 32 bytes";
    case Errc::bad_withdrawal: return "a withdrawn record has no addresses, no seal key and the longest life";
    case Errc::bad_node_signature: return "not signed by the delegated node key";
    case Errc::key_of_another_wallet: return "the record is of another wallet than its key";
    case Errc::no_version: return "version 0 or absent";
    case Errc::later_version: return "a later version";
    case Errc::bad_id: return "the id is not 16 bytes";
    case Errc::bad_to: return "to is neither absent nor 20 bytes";
    case Errc::body_and_sealed: return "not exactly one of body and sealed";
    case Errc::sealed_without_to: return "sealed without an addressee";
    case Errc::field_outside_seal: return "a field beside sealed that belongs inside";
    case Errc::bad_sealed: return "the parts of sealed are not 32, 32 and at least 16 bytes";
    case Errc::bad_conversation: return "the conversation is over 32 bytes";
    case Errc::bad_in_reply_to: return "in_reply_to is not 16 bytes, or missing in a response";
    case Errc::published_at_on_stream: return "published_at has no place off gossip";
    case Errc::not_the_author: return "the author is not the delegated node key";
    case Errc::broadcast_on_stream: return "a broadcast has no place on a stream";
    case Errc::bad_from: return "from is not 20 bytes";
    case Errc::bad_digest: return "the digest is not 32 bytes";
    case Errc::too_many_topics: return "over 16 topics";
    case Errc::not_a_receipt: return "not an envelope that carries a receipt";
    case Errc::unknown_seal_key: return "sealed to a key that is not ours";
    case Errc::cannot_open: return "the sealed content cannot be opened";
    case Errc::no_seal_key: return "the addressee cannot receive sealed messages";
    case Errc::clock_behind: return "the clock is behind the last published record";
    case Errc::not_our_delegation: return "the delegation is for another node key";
    case Errc::wallet_is_cold: return "the wallet's key is not here";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"agent", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::too_large: return Kind::limit;
    case Errc::later_version: return Kind::unsupported;
    case Errc::delegation_ended:
    case Errc::delegation_not_started:
    case Errc::revoked:
    case Errc::no_seal_key:
    case Errc::unknown_seal_key:
    case Errc::wallet_is_cold:
    case Errc::clock_behind: return Kind::refused;
    case Errc::forged_delegation:
    case Errc::bad_node_signature:
    case Errc::not_the_author:
    case Errc::key_of_another_wallet:
    case Errc::broadcast_on_stream: return Kind::misbehaviour;
    default: return Kind::malformed;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::agent
