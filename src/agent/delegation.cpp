#include "agent/delegation.hpp"

#include "agent/limits.hpp"
#include "agent/times.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

constexpr std::string_view kTypeText =
    "Delegation(address wallet,bytes nodeKey,string network,uint64 notBefore,uint64 notAfter,uint64 epoch)";
constexpr std::string_view kDomainName = "Starling";
constexpr std::string_view kDomainVersion = "1";

/// The fields as they stand; views into the bytes.
struct RawDelegation {
  ByteView wallet, node_key, network;
  std::uint64_t not_before = 0, not_after = 0, epoch = 0;
};

Result<RawDelegation> read_raw(ByteView bytes) {
  RawDelegation raw;
  pb::Reader reader(bytes);
  pb::Once once;
  while (true) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return raw;
    // Re-encoding would find an unknown field too; saying so here keeps Once within its range.
    if (field->id > 6) return fail(Errc::not_canonical);
    STARLING_TRY(once.check(field->id));
    switch (field->id) {
      case 1: {
        STARLING_ASSIGN(raw.wallet, pb::as_bytes(*field));
        break;
      }
      case 2: {
        STARLING_ASSIGN(raw.node_key, pb::as_bytes(*field));
        break;
      }
      case 3: {
        STARLING_ASSIGN(raw.network, pb::as_bytes(*field));
        break;
      }
      case 4: {
        STARLING_ASSIGN(raw.not_before, pb::as_u64(*field));
        break;
      }
      case 5: {
        STARLING_ASSIGN(raw.not_after, pb::as_u64(*field));
        break;
      }
      default: {
        STARLING_ASSIGN(raw.epoch, pb::as_u64(*field));
        break;
      }
    }
  }
}

bool is_allowed(crypto::KeyType type) noexcept {
  return type == crypto::KeyType::secp256k1 || type == crypto::KeyType::ed25519;
}

}  // namespace

Bytes encode(const Delegation& delegation) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, delegation.wallet.bytes());
  writer.bytes(2, format::encode_public_key(delegation.node_key));
  writer.string_if(3, delegation.network);
  writer.varint_if(4, delegation.not_before.ms());
  writer.varint_if(5, delegation.not_after.ms());
  writer.varint_if(6, delegation.epoch);
  return out;
}

Result<Delegation> decode_delegation(ByteView bytes) {
  if (bytes.empty()) return fail(Errc::no_delegation);
  STARLING_ASSIGN(const RawDelegation raw, read_raw(bytes));
  const auto wallet = to_fixed<20>(raw.wallet);
  if (!wallet) return fail(Errc::bad_wallet);
  auto key = format::decode_public_key(raw.node_key);
  if (!key || !is_allowed(key->type())) return fail(Errc::bad_node_key);
  // Before it is copied: the name is bounded by its own rule, which check_relations() tells from "not ours".
  if (!NetworkName::parse(as_text(raw.network))) return fail(Errc::bad_network_name);
  Delegation out{EthAddress(*wallet),
                 std::move(*key),
                 to_text(raw.network),
                 WallTime::from_ms(raw.not_before),
                 WallTime::from_ms(raw.not_after),
                 raw.epoch};
  if (!equal(encode(out), bytes)) return fail(Errc::not_canonical);
  return out;
}

crypto::Hash256 delegation_type_hash() noexcept { return crypto::keccak256(as_bytes(kTypeText)); }
crypto::Hash256 delegation_domain_separator() noexcept {
  return format::eip712_domain(kDomainName, kDomainVersion);
}

crypto::Hash256 struct_hash(const Delegation& delegation) {
  static const crypto::Hash256 kTypeHash = delegation_type_hash();
  return crypto::keccak256({kTypeHash, format::abi_word(delegation.wallet),
                            crypto::keccak256(format::encode_public_key(delegation.node_key)),
                            crypto::keccak256(as_bytes(delegation.network)),
                            format::abi_word(delegation.not_before.ms()),
                            format::abi_word(delegation.not_after.ms()), format::abi_word(delegation.epoch)});
}

crypto::Hash256 digest(const Delegation& delegation) {
  static const crypto::Hash256 kSeparator = delegation_domain_separator();
  return format::eip712_digest(kSeparator, struct_hash(delegation));
}

std::string typed_data_json(const Delegation& delegation) {
  // Every value is hex, digits or [a-z0-9-]: nothing needs escaping.
  const auto member = [](std::string_view name, std::string_view type) {
    return R"({"name":")" + std::string(name) + R"(","type":")" + std::string(type) + R"("})";
  };
  const auto value = [](std::string_view name, std::string_view text) {
    return '"' + std::string(name) + R"(":")" + std::string(text) + '"';
  };
  const std::string domain_type = member("name", "string") + "," + member("version", "string");
  const std::string type = member("wallet", "address") + "," + member("nodeKey", "bytes") + "," +
                           member("network", "string") + "," + member("notBefore", "uint64") + "," +
                           member("notAfter", "uint64") + "," + member("epoch", "uint64");
  const std::string domain = value("name", kDomainName) + "," + value("version", kDomainVersion);
  const std::string message =
      value("wallet", delegation.wallet.to_string()) + "," +
      value("nodeKey", "0x" + to_hex(format::encode_public_key(delegation.node_key))) + "," +
      value("network", delegation.network) + "," +
      value("notBefore", std::to_string(delegation.not_before.ms())) + "," +
      value("notAfter", std::to_string(delegation.not_after.ms())) + "," +
      value("epoch", std::to_string(delegation.epoch));
  return R"({"types":{"EIP712Domain":[)" + domain_type + R"(],"Delegation":[)" + type +
         R"(]},"primaryType":"Delegation","domain":{)" + domain + R"(},"message":{)" + message + "}}";
}

Result<void> check_relations(const Delegation& delegation, const NetworkName& network) {
  if (delegation.network != network.text()) return fail(Errc::other_network);
  if (delegation.not_after <= delegation.not_before ||
      delegation.not_after > delegation.not_before + kDelegationWindowMax)
    return fail(Errc::bad_window);
  if (delegation.epoch > delegation.not_before.ms()) return fail(Errc::epoch_after_start);
  if (delegation.node_key.type() == crypto::KeyType::secp256k1) {
    // The wallet must be able to stay cold, and a PeerId must not give its public key away.
    STARLING_ASSIGN(const auto own, crypto::ethereum_address_of(delegation.node_key));
    if (EthAddress(own) == delegation.wallet) return fail(Errc::node_key_is_wallet);
  }
  return {};
}

Bytes encode(const SignedDelegation& delegation) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes_if(1, delegation.delegation);
  writer.bytes_if(2, delegation.signature);
  return out;
}

Result<SignedDelegation> decode_signed_delegation(ByteView bytes) {
  SignedDelegation out;
  STARLING_TRY(pb::each_field(bytes, pb::field_range(1, 2), 0, [&](const pb::Field& field) -> Result<void> {
    STARLING_ASSIGN(const ByteView payload, pb::as_bytes(field));
    (field.id == 1 ? out.delegation : out.signature) = to_bytes(payload);
    return {};
  }));
  return out;
}

Result<CheckedDelegation> check_fields(SignedDelegation wire, const NetworkName& network) {
  STARLING_ASSIGN(Delegation fields, decode_delegation(wire.delegation));
  STARLING_TRY(check_relations(fields, network));
  if (wire.signature.size() != kWalletSignatureBytes) return fail(Errc::bad_wallet_signature_size);
  return CheckedDelegation{std::move(fields), std::move(wire)};
}

SignedDelegation sign_delegation(const Delegation& delegation, const crypto::PrivateKey& wallet,
                                 const Signatures& signatures) {
  const auto signature = signatures.sign_as_wallet(wallet, digest(delegation));
  return {encode(delegation), to_bytes(signature)};
}

Result<void> verify_wallet(const CheckedDelegation& delegation, const Signatures& signatures) {
  const auto signer = signatures.recover(digest(delegation.fields), delegation.wire.signature);
  if (!signer || *signer != delegation.fields.wallet) return fail(Errc::forged_delegation);
  return {};
}

crypto::Hash256 cache_key(const SignedDelegation& delegation) noexcept {
  return crypto::sha256({delegation.delegation, delegation.signature});
}

std::optional<Bytes> normalise_wallet_signature(ByteView signature) {
  if (signature.size() != kWalletSignatureBytes) return std::nullopt;
  Bytes out = to_bytes(signature);
  std::uint8_t& v = out.back();
  if (v < 2) v = static_cast<std::uint8_t>(v + 27);
  if (v != 27 && v != 28) return std::nullopt;
  return out;
}

}  // namespace starling::agent
