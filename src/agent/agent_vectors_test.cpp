// The other vector files: every number in them is computed here again, from the private keys where there are
// any.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "agent/direct_frames.hpp"
#include "agent/node_status.hpp"
#include "agent/presence.hpp"
#include "agent/sealing.hpp"
#include "conformance/agent_vectors.hpp"
#include "format/peer_id.hpp"
#include "gossip/rpc_codec.hpp"
#include "gossip/strict_sign.hpp"

namespace starling::agent {
namespace {

using namespace vectors;

TEST(AgentVectors, KeysHaveTheirAddressesPeerIdsAndDhtKeys) {
  const auto file = load("keys.json");
  ASSERT_EQ(at(file, "wallets").as_array().size(), 3U);
  for (const auto& entry : at(file, "wallets").as_array()) {
    const auto key =
        crypto::PrivateKey::from_data(crypto::KeyType::secp256k1, bytes(entry, "private")).value();
    const EthAddress address(crypto::ethereum_address_of(key.public_key()).value());
    EXPECT_EQ(to_hex(address.bytes()), text(entry, "address"));
    EXPECT_EQ(address.to_string(), text(entry, "checksum"));
    EXPECT_EQ(to_text(presence_key(address)), text(entry, "presence_key_text"));
    EXPECT_EQ(to_hex(presence_key(address)), text(entry, "presence_key"));
    EXPECT_EQ(to_hex(provider_key(address)), text(entry, "provider_multihash"));
    EXPECT_EQ(parse_presence_key(presence_key(address)).value(), address);
  }
  ASSERT_EQ(at(file, "nodes").as_array().size(), 4U);
  for (const auto& entry : at(file, "nodes").as_array()) {
    const auto key = node_key(text(entry, "name")).public_key();
    EXPECT_EQ(to_hex(key.data()), text(entry, "public"));
    EXPECT_EQ(to_hex(format::encode_public_key(key)), text(entry, "public_key_protobuf"));
    EXPECT_EQ(to_hex(PeerId::of(key).bytes()), text(entry, "peer_id"));
    EXPECT_EQ(PeerId::of(key).to_string(), text(entry, "peer_id_text"));
  }
  for (const auto& entry : at(file, "seal").as_array())
    EXPECT_EQ(to_hex(pair_of(bytes(entry, "private")).public_key), text(entry, "public"));
}

TEST(AgentVectors, TypedDataOfADelegationIsWhatWalletsAreAskedToSign) {
  const auto file = load("delegation.json");
  EXPECT_EQ(to_hex(delegation_domain_separator()), text(file, "domain_separator"));
  EXPECT_EQ(to_hex(delegation_type_hash()), text(file, "type_hash"));
  EXPECT_EQ(to_hex(crypto::keccak256(as_bytes(text(file, "delegation_type")))), text(file, "type_hash"));
  const auto alice = decode_delegation(bytes(named(at(file, "delegations"), "alice"), "delegation")).value();
  EXPECT_EQ(boost::json::parse(typed_data_json(alice)), at(file, "typed_data"));
}

TEST(AgentVectors, DelegationsHaveTheseHashesBytesAndSignatures) {
  const auto file = load("delegation.json");
  int signed_again = 0;
  for (const auto& entry : at(file, "delegations").as_array()) {
    SCOPED_TRACE(text(entry, "name"));
    const auto& fields = at(entry, "fields");
    const Delegation made{
        address(fields, "wallet"), format::decode_public_key(bytes(fields, "node_key")).value(),
        text(fields, "network"),   time(fields, "not_before"),
        time(fields, "not_after"), number(fields, "epoch")};
    EXPECT_EQ(to_hex(encode(made)), text(entry, "delegation"));
    EXPECT_EQ(to_hex(struct_hash(made)), text(entry, "struct_hash"));
    EXPECT_EQ(to_hex(digest(made)), text(entry, "digest"));
    const SignedDelegation wire{bytes(entry, "delegation"), bytes(entry, "signature")};
    EXPECT_EQ(to_hex(encode(wire)), text(entry, "signed_delegation"));
    EXPECT_EQ(decode_signed_delegation(bytes(entry, "signed_delegation")).value(), wire);
    EXPECT_EQ(to_hex(cache_key(wire)), text(entry, "cache_key"));
    const auto checked = check_fields(wire, network(made.network));
    ASSERT_TRUE(checked);
    EXPECT_TRUE(verify_wallet(*checked, real_signatures()));
    for (const char* name : {"alice", "bob", "mallory"}) {
      const auto wallet = wallet_key(name);
      if (EthAddress(crypto::ethereum_address_of(wallet.public_key()).value()) != made.wallet) continue;
      EXPECT_EQ(sign_delegation(made, wallet, real_signatures()), wire);
      ++signed_again;
    }
  }
  EXPECT_EQ(signed_again, static_cast<int>(at(file, "delegations").as_array().size()));
}

TEST(AgentVectors, PresencesAreMadeByteForByte) {
  const auto file = load("presence.json");
  const auto delegations = load("delegation.json");
  ASSERT_EQ(at(file, "records").as_array().size(), 3U);
  for (const auto& entry : at(file, "records").as_array()) {
    SCOPED_TRACE(text(entry, "name"));
    const Bytes value = bytes(entry, "signed_presence");
    const auto wire = decode_signed_presence(value).value();
    EXPECT_EQ(to_hex(wire.payload), text(entry, "presence"));
    EXPECT_EQ(to_hex(wire.signature), text(entry, "signature"));
    const auto checked = check_fields(wire, value, NetworkName()).value();
    EXPECT_EQ(to_hex(checked.rank.sha256), text(entry, "sha256"));
    EXPECT_TRUE(verify_node(checked, real_signatures()));
    EXPECT_EQ(to_hex(presence_key(checked.fields.wallet)), text(entry, "key"));

    const auto& fields = at(entry, "fields");
    Presence made;
    made.wallet = address(fields, "wallet");
    made.epoch = number(fields, "epoch");
    made.seq = number(fields, "seq");
    made.issued_at = time(fields, "issued_at");
    made.expires_at = time(fields, "expires_at");
    if (has(fields, "addrs"))
      for (const auto& addr : at(fields, "addrs").as_array()) made.addrs.push_back(bytes_of(addr));
    if (has(fields, "name")) made.name = text(fields, "name");
    made.role = static_cast<Role>(number(fields, "role"));
    if (!bytes(fields, "seal_key").empty()) made.seal_key = fixed<32>(fields, "seal_key");
    if (has(fields, "agent_version")) made.agent_version = text(fields, "agent_version");
    made.withdrawn = at(fields, "withdrawn").as_bool();
    if (has(fields, "card_hash")) made.card_hash = fixed<32>(fields, "card_hash");
    EXPECT_EQ(to_hex(encode(made)), text(entry, "presence"));
    EXPECT_EQ(std::string(to_hex(as_bytes(kPresencePrefix))) + text(entry, "presence"),
              text(entry, "signed_bytes"));
    for (const char* name : {"alice", "bob", "mallory"}) {
      if (node_key(name).public_key() != checked.delegation.fields.node_key) continue;
      EXPECT_EQ(to_hex(make_presence(made, wire.delegation, node_key(name), real_signatures()).value()),
                to_hex(value));
    }
  }
}

TEST(AgentVectors, EnvelopesAreDecodedAndEncodedByteForByte) {
  const auto file = load("envelope.json");
  ASSERT_EQ(at(file, "envelopes").as_array().size(), 6U);
  for (const auto& entry : at(file, "envelopes").as_array()) {
    SCOPED_TRACE(text(entry, "name"));
    const auto& fields = at(entry, "fields");
    const Slice gossip = Slice::copy(bytes(at(entry, "gossip"), "envelope"));
    const auto checked =
        check_fields(decode_envelope_fields(gossip).value(), gossip, Path::gossip, NetworkName()).value();
    EXPECT_EQ(to_hex(encode(checked.fields)), to_hex(gossip));
    EXPECT_EQ(to_hex(checked.fields.id), text(fields, "id"));
    EXPECT_EQ(checked.fields.published_at, time(fields, "published_at"));
    EXPECT_EQ(to_hex(checked.delegation.fields.peer_id().bytes()), text(at(entry, "gossip"), "author"));
    if (has(entry, "aad")) {
      EXPECT_EQ(to_hex(aad_of(checked.fields)), text(entry, "aad"));
      EXPECT_EQ(to_hex(digest_of(checked.fields)), text(entry, "digest"));
    }
    EXPECT_EQ(to_hex(make_publication(checked.fields, time(fields, "published_at")).value()), to_hex(gossip));

    const auto& stream = at(entry, "stream");
    const Slice frame = Slice::copy(bytes(stream, "signed_envelope"));
    const auto wire = decode_signed_envelope(frame).value();
    EXPECT_EQ(to_hex(wire.envelope), text(stream, "envelope"));
    EXPECT_EQ(to_hex(wire.signature), text(stream, "signature"));
    EXPECT_EQ(to_hex(as_bytes(kEnvelopePrefix)) + text(stream, "envelope"), text(stream, "signed_bytes"));
    EXPECT_TRUE(check_fields(decode_envelope_fields(wire.envelope).value(), wire.envelope, Path::stream,
                             NetworkName()));
    for (const char* name : {"alice", "bob", "mallory"}) {
      if (node_key(name).public_key() != checked.delegation.fields.node_key) continue;
      EXPECT_EQ(to_hex(make_signed_envelope(checked.fields, node_key(name), real_signatures()).value()),
                to_hex(frame));
    }
  }
}

TEST(AgentVectors, SealedEnvelopesAreMadeAndOpenedByteForByte) {
  const auto file = load("envelope.json");
  int sealed_count = 0;
  for (const auto& entry : at(file, "envelopes").as_array()) {
    if (!has(entry, "seal")) continue;
    const auto& seal = at(entry, "seal");
    SCOPED_TRACE(text(entry, "name"));
    ++sealed_count;
    const Slice gossip = Slice::copy(bytes(at(entry, "gossip"), "envelope"));
    Envelope envelope =
        check_fields(decode_envelope_fields(gossip).value(), gossip, Path::gossip, NetworkName())
            .value()
            .fields;
    const auto recipient = pair_of(bytes(load("cases.json"), "bob_seal_private"));
    const Inner inner = open_sealed(envelope, recipient).value();
    const auto& wanted = at(seal, "inner");
    EXPECT_EQ(inner.content_type, has(wanted, "content_type") ? text(wanted, "content_type") : "");
    EXPECT_EQ(inner.conversation, bytes(wanted, "conversation"));
    EXPECT_EQ(inner.in_reply_to, to_fixed<16>(bytes(wanted, "in_reply_to")));
    EXPECT_EQ(static_cast<std::uint64_t>(inner.kind), number(wanted, "kind"));
    EXPECT_EQ(to_hex(inner.body), text(wanted, "body"));
    EXPECT_EQ(to_hex(pad_inner(encode(inner))), text(seal, "plaintext"));

    const Bytes before = encode(envelope);
    envelope.sealed.reset();
    ASSERT_TRUE(seal_into(envelope, inner, recipient.public_key, pair_of(bytes(seal, "ephemeral_private"))));
    EXPECT_EQ(to_hex(encode(envelope)), to_hex(before));
  }
  EXPECT_GT(sealed_count, 0);
}

TEST(AgentVectors, PaddingStepsAreThoseOfTheTable) {
  const auto file = load("envelope.json");
  const auto& rows = at(at(file, "padding"), "rows").as_array();
  ASSERT_EQ(rows.size(), 24U);
  for (const auto& row : rows) {
    Inner inner;
    inner.body.assign(static_cast<std::size_t>(number(row, "body")), 0x61);
    const Bytes encoded = encode(inner);
    EXPECT_EQ(encoded.size(), number(row, "inner"));
    EXPECT_EQ(padded_size(encoded.size()), number(row, "padded"));
    const Bytes padded = pad_inner(encoded);
    EXPECT_EQ(padded.size(), number(row, "padded"));
    EXPECT_EQ(to_hex(crypto::sha256(padded)), text(row, "sha256"));
    EXPECT_EQ(decode_inner(padded).value().body, inner.body);
  }
}

TEST(AgentVectors, HpkeSealsAndOpensAsTheOtherLibraries) {
  const auto file = load("hpke.json");
  const auto& rfc = at(file, "rfc9180_a_2_1");
  const auto opened = crypto::hpke_open(pair_of(bytes(rfc, "skR")), fixed<32>(rfc, "enc"), bytes(rfc, "info"),
                                        bytes(rfc, "aad"), bytes(rfc, "ciphertext"));
  EXPECT_EQ(to_hex(opened.value()), text(rfc, "plaintext"));
  for (const auto& entry : at(file, "cases").as_array()) {
    SCOPED_TRACE(text(entry, "name"));
    EXPECT_EQ(to_hex(bytes(entry, "info")), to_hex(as_bytes(kSealInfo)));
    const auto sealed =
        crypto::hpke_seal(fixed<32>(entry, "recipient_public"), bytes(entry, "info"), bytes(entry, "aad"),
                          bytes(entry, "plaintext"), pair_of(bytes(entry, "ephemeral_private")))
            .value();
    EXPECT_EQ(to_hex(sealed.enc), text(entry, "enc"));
    EXPECT_EQ(to_hex(sealed.ciphertext), text(entry, "ciphertext"));
  }
  for (const auto& point : at(file, "low_order_public_keys").as_array())
    EXPECT_TRUE(crypto::x25519_is_low_order(to_fixed<32>(bytes_of(point)).value()));
}

TEST(AgentVectors, ReceiptsDigestTheEnvelopeAndAreMadeByteForByte) {
  const auto file = load("receipt.json");
  const auto digest_in = [](const json::value& entry) {
    const Slice data = Slice::copy(bytes(entry, "envelope"));
    const auto checked =
        check_fields(decode_envelope_fields(data).value(), data, Path::stream, NetworkName()).value();
    EXPECT_EQ(to_hex(aad_of(checked.fields)), text(entry, "aad"));
    return to_hex(digest_of(checked.fields));
  };
  EXPECT_EQ(digest_in(file), text(file, "digest"));
  EXPECT_EQ(digest_in(at(file, "sealed")), text(at(file, "sealed"), "digest"));
  for (const auto& entry : at(file, "receipts").as_array()) {
    SCOPED_TRACE(text(entry, "name"));
    const auto& fields = at(entry, "fields");
    Receipt made{fixed<16>(fields, "id"),
                 address(fields, "from"),
                 address(fields, "to"),
                 static_cast<DeliveryState>(number(fields, "state")),
                 time(fields, "at"),
                 static_cast<std::uint32_t>(number(fields, "code")),
                 {},
                 fixed<32>(fields, "digest")};
    if (has(fields, "hint")) made.hint = text(fields, "hint");
    EXPECT_EQ(to_hex(encode(made)), text(entry, "receipt"));
    EXPECT_EQ(to_hex(encode(decode_receipt(bytes(entry, "receipt")).value())), text(entry, "receipt"));
    EXPECT_EQ(to_hex(as_bytes(kReceiptPrefix)) + text(entry, "receipt"), text(entry, "signed_bytes"));
    const auto wire = decode_signed_receipt(bytes(entry, "signed_receipt")).value();
    EXPECT_EQ(to_hex(wire.signature), text(entry, "signature"));
    EXPECT_EQ(to_hex(encode(wire)), text(entry, "signed_receipt"));
    const auto signer = check_fields(wire.delegation, NetworkName()).value().fields.node_key;
    for (const char* name : {"alice", "bob", "mallory"}) {
      if (node_key(name).public_key() != signer) continue;
      EXPECT_EQ(to_hex(make_receipt(made, wire.delegation, node_key(name), real_signatures())),
                text(entry, "signed_receipt"));
    }
  }
  for (const auto& [name, value] : at(file, "states").as_object()) {
    std::string lower(name);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_EQ(to_string(static_cast<DeliveryState>(number_of(value))), lower);
  }
}

TEST(AgentVectors, StatusIsDecodedAndEncodedByteForByte) {
  const auto file = load("status.json");
  const Bytes data = bytes(file, "node_status");
  const auto checked = check_fields(decode_status(data).value(), NetworkName()).value();
  EXPECT_EQ(to_hex(encode(checked.fields)), to_hex(data));
  EXPECT_EQ(to_hex(checked.delegation.fields.peer_id().bytes()), text(file, "author"));
}

TEST(AgentVectors, FramesOfTheDirectProtocols) {
  const auto file = load("frames.json");
  const auto keys = load("keys.json");
  const EthAddress bob = address(named(at(keys, "wallets"), "bob"), "address");
  EXPECT_EQ(to_hex(presence_request(bob)), text(file, "presence_request"));
  EXPECT_EQ(to_hex(presence_answer({})), text(file, "empty_answer"));
  format::FrameReader reader(kPresenceAnswerFrameMax);
  reader.receive(bytes(file, "presence_answer"));
  const Bytes record = to_bytes(reader.next().value().value());
  EXPECT_EQ(to_hex(presence_answer(record)), text(file, "presence_answer"));
  const auto presence = check_fields(decode_signed_presence(record).value(), record, NetworkName()).value();
  EXPECT_EQ(presence.fields.wallet, bob);
  EXPECT_TRUE(verify_node(presence, real_signatures()));
  const Bytes envelope =
      bytes(at(named(at(load("envelope.json"), "envelopes"), "plain to bob"), "stream"), "signed_envelope");
  EXPECT_EQ(to_hex(format::make_frame(envelope)), text(file, "message"));
  const Bytes receipt = bytes(named(at(load("receipt.json"), "receipts"), "RECEIVED"), "signed_receipt");
  EXPECT_EQ(to_hex(format::make_frame(receipt)), text(file, "receipt"));
}

TEST(AgentVectors, AWholePubsubMessageHasThisSignatureAndId) {
  const auto file = load("frames.json");
  const auto message = gossip::decode_message(bytes(file, "pubsub_message")).value();
  EXPECT_EQ(to_hex(gossip::strict_sign::signed_bytes(message)), text(file, "pubsub_signed_bytes"));
  EXPECT_EQ(to_hex(gossip::id_from_seqno(message)), text(file, "pubsub_message_id"));
  EXPECT_TRUE(gossip::strict_sign::check(message));
  EXPECT_EQ(to_hex(gossip::encode_message(message)), text(file, "pubsub_message"));
}

}  // namespace
}  // namespace starling::agent
