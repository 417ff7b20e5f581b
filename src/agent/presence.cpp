#include "agent/presence.hpp"

#include "agent/limits.hpp"
#include "agent/times.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

/// A text within its limit, measured before it is copied.
Result<std::string> text_of(const pb::Field& field, std::size_t bytes_max) {
  STARLING_ASSIGN(const ByteView payload, pb::as_bytes(field));
  if (payload.size() > bytes_max) return fail(Errc::text_too_long);
  return pb::as_string(field);
}

Result<void> add_addr(Presence& presence, const pb::Field& field) {
  STARLING_ASSIGN(const ByteView addr, pb::as_bytes(field));
  if (presence.addrs.size() >= kPresenceAddrsMax) return fail(Errc::too_many_addrs);
  if (addr.size() > kPresenceAddrBytesMax) return fail(Errc::addr_too_long);
  presence.addrs.push_back(to_bytes(addr));
  return {};
}

Result<void> set_wallet(Presence& presence, const pb::Field& field) {
  STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
  const auto wallet = to_fixed<20>(bytes);
  if (!wallet) return fail(Errc::bad_wallet);
  presence.wallet = EthAddress(*wallet);
  return {};
}

Result<void> set_seal_key(Presence& presence, const pb::Field& field) {
  STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
  if (bytes.empty()) return {};
  const auto key = to_fixed<kSealKeyBytes>(bytes);
  if (!key || crypto::x25519_is_low_order(*key)) return fail(Errc::bad_seal_key);
  presence.seal_key = *key;
  return {};
}

Result<void> set_card_hash(Presence& presence, const pb::Field& field) {
  STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
  if (bytes.empty()) return {};
  presence.card_hash = to_fixed<32>(bytes);
  if (!presence.card_hash) return fail(Errc::bad_card_hash);
  return {};
}

Result<void> set_field(Presence& presence, const pb::Field& field) {
  switch (field.id) {
    case 1: return set_wallet(presence, field);
    case 2: {
      STARLING_ASSIGN(presence.epoch, pb::as_u64(field));
      return {};
    }
    case 3: {
      STARLING_ASSIGN(presence.seq, pb::as_u64(field));
      return {};
    }
    case 4: {
      STARLING_ASSIGN(const auto ms, pb::as_u64(field));
      presence.issued_at = WallTime::from_ms(ms);
      return {};
    }
    case 5: {
      STARLING_ASSIGN(const auto ms, pb::as_u64(field));
      presence.expires_at = WallTime::from_ms(ms);
      return {};
    }
    case 6: return add_addr(presence, field);
    case 7: {
      STARLING_ASSIGN(presence.name, text_of(field, kPresenceNameBytesMax));
      return {};
    }
    case 8: {
      STARLING_ASSIGN(const auto role, pb::as_i32(field));
      presence.role = static_cast<Role>(role);
      return {};
    }
    case 9: return set_seal_key(presence, field);
    case 10: {
      STARLING_ASSIGN(presence.agent_version, text_of(field, kAgentVersionBytesMax));
      return {};
    }
    case 11: {
      STARLING_ASSIGN(presence.withdrawn, pb::as_bool(field));
      return {};
    }
    default: return set_card_hash(presence, field);
  }
}

WallTime longest_life(const Presence& presence, const Delegation& delegation) noexcept {
  return earlier(presence.issued_at + kPresenceLifeMax, delegation.not_after);
}

}  // namespace

Bytes encode(const Presence& presence) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, presence.wallet.bytes());
  writer.varint_if(2, presence.epoch);
  writer.varint_if(3, presence.seq);
  writer.varint_if(4, presence.issued_at.ms());
  writer.varint_if(5, presence.expires_at.ms());
  for (const Bytes& addr : presence.addrs) writer.bytes(6, addr);
  writer.string_if(7, presence.name);
  if (presence.role != Role::agent) writer.int32(8, static_cast<std::int32_t>(presence.role));
  if (presence.seal_key) writer.bytes(9, *presence.seal_key);
  writer.string_if(10, presence.agent_version);
  writer.boolean_if(11, presence.withdrawn);
  if (presence.card_hash) writer.bytes(12, *presence.card_hash);
  return out;
}

Result<Presence> decode_presence(ByteView bytes) {
  Presence out;
  bool has_wallet = false;
  constexpr std::uint64_t kAddrs = pb::field_bit(6);
  STARLING_TRY(pb::each_field(bytes, pb::field_range(1, 12) & ~kAddrs, kAddrs, [&](const pb::Field& field) {
    has_wallet = has_wallet || field.id == 1;
    return set_field(out, field);
  }));
  if (!has_wallet) return fail(Errc::bad_wallet);
  return out;
}

Result<void> check_relations(const Presence& presence, const Delegation& delegation) {
  if (presence.wallet != delegation.wallet || presence.epoch != delegation.epoch)
    return fail(Errc::not_the_delegation);
  if (presence.seq > presence.issued_at.ms()) return fail(Errc::bad_seq);
  if (presence.expires_at <= presence.issued_at || presence.expires_at > longest_life(presence, delegation))
    return fail(Errc::bad_life);
  if (presence.withdrawn && (!presence.addrs.empty() || presence.seal_key ||
                             presence.expires_at != longest_life(presence, delegation)))
    return fail(Errc::bad_withdrawal);
  return {};
}

Result<SignedPresence> decode_signed_presence(ByteView value) {
  if (value.size() > kPresenceBytesMax) return fail(Errc::too_large);
  return decode_node_signed(value);
}

Result<CheckedPresence> check_fields(SignedPresence wire, ByteView value, const NetworkName& network) {
  STARLING_ASSIGN(CheckedDelegation delegation, check_fields(wire.delegation, network));
  STARLING_ASSIGN(Presence fields, decode_presence(wire.payload));
  STARLING_TRY(check_relations(fields, delegation.fields));
  const PresenceRank rank{fields.epoch, fields.seq, crypto::sha256(value)};
  return CheckedPresence{std::move(fields), std::move(delegation), std::move(wire), rank};
}

Result<Bytes> make_presence(const Presence& presence, const SignedDelegation& delegation,
                            const crypto::PrivateKey& node_key, const Signatures& signatures) {
  STARLING_ASSIGN(const Delegation fields, decode_delegation(delegation.delegation));
  if (fields.node_key != node_key.public_key()) return fail(Errc::not_our_delegation);
  SignedPresence wire{delegation, encode(presence), {}};
  // Our own record meets the rules that everybody will apply to it.
  STARLING_TRY(decode_presence(wire.payload));
  STARLING_TRY(check_relations(presence, fields));
  wire.signature = signatures.sign(node_key, kPresencePrefix, wire.payload);
  Bytes value = encode(wire);
  if (value.size() > kPresenceBytesMax) return fail(Errc::too_large);
  return value;
}

Result<void> verify_node(const CheckedPresence& presence, const Signatures& signatures) {
  if (!signatures.verify(presence.delegation.fields.node_key, kPresencePrefix, presence.wire.payload,
                         presence.wire.signature))
    return fail(Errc::bad_node_signature);
  return {};
}

std::optional<std::size_t> select_presence(std::span<const ByteView> values, const NetworkName& network) {
  std::optional<std::size_t> best;
  PresenceRank best_rank;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto wire = decode_signed_presence(values[i]);
    if (!wire) continue;
    const auto checked = check_fields(std::move(*wire), values[i], network);
    if (!checked || (best && checked->rank <= best_rank)) continue;
    best = i;
    best_rank = checked->rank;
  }
  return best;
}

std::optional<WallTime> presence_expiry(ByteView value) {
  const auto wire = decode_signed_presence(value);
  if (!wire) return std::nullopt;
  const auto fields = decode_presence(wire->payload);
  if (!fields) return std::nullopt;
  return fields->expires_at;
}

}  // namespace starling::agent
