// Signed envelopes and peer records. threats E.2 #7, E.3 #19 (RUSTSEC-2022-0009), #25.
#include "identify/signed_record.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "format/protobuf.hpp"
#include "format/varint.hpp"
#include "identify/info.hpp"
#include "testkit/json.hpp"

namespace starling::identify {
namespace {

using testkit::array_at;
using testkit::hex_at;
using testkit::text_at;

crypto::PrivateKey identity(std::uint64_t seed, crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(type, rng);
}
PeerId id_of(const crypto::PrivateKey& key) { return PeerId::of(key.public_key()); }

PeerRecord sample(const crypto::PrivateKey& key) {
  return {id_of(key),
          42,
          {*Multiaddr::parse("/ip4/192.0.2.1/tcp/4001"), *Multiaddr::parse("/ip6/2001:db8::1/tcp/1")}};
}

void expect_same(const PeerRecord& a, const PeerRecord& b) {
  EXPECT_EQ(a.peer, b.peer);
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.addrs, b.addrs);
}

TEST(SignedRecord, OpensWhatItSealedInBothForms) {
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    const auto key = identity(1, type);
    for (const auto& form : {kPeerRecordType, kPeerRecordTypeRfc}) {
      const auto record = open_record(seal_record(sample(key), key, form));
      ASSERT_TRUE(record.has_value()) << record.error().to_string();
      expect_same(*record, sample(key));
    }
  }
}

TEST(SignedRecord, OpensRecordsOfGoOfEveryKeyTypeAndMakesTheSame) {
  const auto file = testkit::read_json("tests/conformance/vectors/identify/signed_records.json");
  const auto& records = array_at(file, "records");
  ASSERT_EQ(records.size(), 4u);
  for (const auto& vector : records) {
    SCOPED_TRACE(text_at(vector, "key_type"));
    const Bytes envelope = hex_at(vector, "envelope");
    const auto record = open_record(envelope);
    ASSERT_TRUE(record.has_value()) << record.error().to_string();
    EXPECT_EQ(record->peer.to_string(), text_at(vector, "peer_id"));
    EXPECT_EQ(std::to_string(record->seq), text_at(vector, "seq"));
    const auto& addrs = array_at(vector, "addrs");
    ASSERT_EQ(record->addrs.size(), addrs.size());
    for (std::size_t i = 0; i < addrs.size(); ++i)
      EXPECT_EQ(record->addrs[i].to_string(), std::string(addrs[i].as_string().c_str()));
    const auto type = text_at(vector, "key_type");
    if (type != "ed25519" && type != "secp256k1") continue;
    const auto key = crypto::PrivateKey::from_data(
        type == "ed25519" ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1, hex_at(vector, "secret"));
    EXPECT_EQ(to_hex(seal_record(*record, *key)), to_hex(envelope));
  }
}

TEST(SignedRecord, UsesTheConstantsOfTheField) {
  const auto key = identity(1);
  const auto envelope = Envelope::decode(seal_record(sample(key), key));
  ASSERT_TRUE(envelope.has_value());
  EXPECT_EQ(to_hex(envelope->payload_type), "0301");
  EXPECT_TRUE(envelope->verify(kPeerRecordType).has_value());
  const auto rfc = Envelope::decode(seal_record(sample(key), key, kPeerRecordTypeRfc));
  EXPECT_EQ(as_text(rfc->payload_type), "/libp2p/routing-state-record");
}

TEST(SignedRecord, IsBoundToItsDomain) {
  const auto key = identity(1);
  const Bytes payload = to_bytes("payload");
  const auto envelope = Envelope::seal(key, kPeerRecordType, payload);
  EXPECT_TRUE(
      envelope.verify({"libp2p-relay-rsvp", kPeerRecordType.payload_type}).error().is(Errc::bad_signature));
  EXPECT_TRUE(envelope.verify({kPeerRecordType.domain, std::string_view("\x03\x02", 2)})
                  .error()
                  .is(Errc::unknown_record_type));
  // The one form's domain with the other's type is neither.
  const RecordType mixed{kPeerRecordTypeRfc.domain, kPeerRecordType.payload_type};
  EXPECT_TRUE(open_record(seal_record(sample(key), key, mixed)).error().is(Errc::bad_signature));
}

TEST(SignedRecord, RefusesAnotherPayloadType) {
  const auto key = identity(1);
  const RecordType voucher{"libp2p-relay-rsvp", std::string_view("\x03\x02", 2)};
  const auto result = open_record(seal_record(sample(key), key, voucher));
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::unknown_record_type));
}

TEST(SignedRecord, RefusesEveryBitFlip) {
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    const auto key = identity(1, type);
    const Bytes envelope = seal_record(sample(key), key);
    for (std::size_t bit = 0; bit < 8 * envelope.size(); ++bit) {
      Bytes altered = envelope;
      altered[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      ASSERT_FALSE(open_record(altered).has_value()) << "bit " << bit;
    }
  }
}

TEST(SignedRecord, RefusesEveryTruncation) {
  const auto key = identity(1);
  const Bytes envelope = seal_record(sample(key), key);
  for (std::size_t size = 0; size < envelope.size(); ++size)
    ASSERT_FALSE(open_record(ByteView(envelope).first(size)).has_value()) << size;
}

// The record of A, signed by B: well-formed, well signed, and a lie.
TEST(SignedRecord, RefusesARecordSignedBySomebodyElse) {
  const auto a = identity(1);
  const auto b = identity(2);
  const auto honest = Envelope::decode(seal_record(sample(a), a));
  const Bytes forged = Envelope::seal(b, kPeerRecordType, honest->payload).encode();
  const auto result = open_record(forged);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::foreign_record));
  EXPECT_EQ(result.error().kind(), Kind::misbehaviour);
}

TEST(SignedRecord, RefusesAKeySwappedIntoAnHonestEnvelope) {
  const auto a = identity(1);
  auto envelope = *Envelope::decode(seal_record(sample(a), a));
  envelope.signer = identity(2).public_key();
  EXPECT_TRUE(open_record(envelope.encode()).error().is(Errc::bad_signature));
}

TEST(SignedRecord, RefusesMalformedEnvelopes) {
  const auto key = identity(1);
  const Bytes good = seal_record(sample(key), key);
  EXPECT_TRUE(open_record({}).error().is(Errc::bad_envelope));
  EXPECT_TRUE(open_record(testkit::hex("ff")).error().is(Errc::bad_envelope));
  EXPECT_TRUE(open_record(testkit::hex("0a0208041200")).error().is(Errc::bad_public_key));
  for (const auto* behind :
       {"0a00", "1200", "1a00", "2a00", "2801", "1001"}) {  // twice, or another wire type
    Bytes doubled = good;
    append(doubled, testkit::hex(behind));
    EXPECT_TRUE(open_record(doubled).error().is(Errc::bad_envelope)) << behind;
  }
  Bytes extended = good;
  append(extended, testkit::hex("22003001"));  // fields 4 and 6: unknown
  EXPECT_TRUE(open_record(extended).has_value());
}

TEST(SignedRecord, RefusesAnEnvelopeAboveItsLimitUnread) {
  const auto key = identity(1);
  Bytes huge = seal_record(sample(key), key);
  pb::Writer(huge).bytes(1000, Bytes(kEnvelopeBytesMax));
  EXPECT_TRUE(open_record(huge).error().is(Errc::bad_envelope));
}

Bytes signed_payload(const crypto::PrivateKey& key, const std::function<void(pb::Writer&)>& write) {
  Bytes payload;
  pb::Writer writer(payload);
  write(writer);
  return Envelope::seal(key, kPeerRecordType, payload).encode();
}

TEST(SignedRecord, RefusesMalformedRecords) {
  const auto key = identity(1);
  const PeerId id = id_of(key);
  const std::function<void(pb::Writer&)> cases[] = {
      [&](pb::Writer& w) { w.bytes(1, testkit::hex("0011")); },
      [&](pb::Writer& w) { w.bytes(1, {}); },
      [&](pb::Writer& w) { w.varint(1, 5); },
      [&](pb::Writer& w) { w.bytes(1, id.bytes()), w.bytes(1, id.bytes()); },
      [&](pb::Writer& w) { w.bytes(1, id.bytes()), w.varint(2, 1), w.varint(2, 1); },
      [&](pb::Writer& w) { w.bytes(1, id.bytes()), w.bytes(2, Bytes(1)); },
      [&](pb::Writer& w) { w.bytes(1, id.bytes()), w.varint(3, 1); },
      [&](pb::Writer& w) { w.bytes(1, id.bytes()), w.bytes(3, testkit::hex("0a")); },
      [&](pb::Writer& w) { w.bytes(1, id.bytes()), w.bytes(3, testkit::hex("0801")); },
  };
  for (const auto& write : cases) {
    const auto result = open_record(signed_payload(key, write));
    ASSERT_FALSE(result.has_value());
    EXPECT_TRUE(result.error().is(Errc::bad_record)) << result.error().to_string();
  }
  EXPECT_TRUE(open_record(signed_payload(key, [](pb::Writer&) {})).error().is(Errc::foreign_record))
      << "no peer id";
}

TEST(SignedRecord, SkipsAddressesThatItCannotReadAndCutsAtItsLimit) {
  const auto key = identity(1);
  const auto good = *Multiaddr::parse("/ip4/1.2.3.4/tcp/5");
  const auto info = [](ByteView addr_bytes) {
    Bytes out;
    pb::Writer(out).bytes(1, addr_bytes);
    return out;
  };
  const auto record = open_record(signed_payload(key, [&](pb::Writer& w) {
    w.bytes(1, id_of(key).bytes());
    w.bytes(3, info(testkit::hex("ffff")));
    w.bytes(3, {});
    w.bytes(3, info({}));
    for (std::size_t i = 0; i < kRecordAddressesMax + 10; ++i) w.bytes(3, info(good.bytes()));
  }));
  ASSERT_TRUE(record.has_value()) << record.error().to_string();
  EXPECT_EQ(record->addrs.size(), kRecordAddressesMax);
  EXPECT_EQ(record->seq, 0u);
}

// E.2 #12: every sequence number is only compared.
TEST(SignedRecord, TakesEverySequenceNumber) {
  const auto key = identity(1);
  for (const std::uint64_t seq : {0ULL, 1ULL, 1ULL << 31, (1ULL << 63) - 1, ~0ULL}) {
    auto record = sample(key);
    record.seq = seq;
    const auto opened = open_record(seal_record(record, key));
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->seq, seq);
  }
}

TEST(CertifiedRecord, IsThatOfTheConnectionsPeer) {
  const auto a = identity(1);
  const auto b = identity(2);
  Info info;
  EXPECT_FALSE(certified_record(info, id_of(a), std::nullopt).value()) << "none given";
  info.signed_peer_record = seal_record(sample(a), a);
  EXPECT_TRUE(certified_record(info, id_of(a), std::nullopt).value());
  // A third party's genuine record would poison what we know of it.
  const auto result = certified_record(info, id_of(b), std::nullopt);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::foreign_record));
}

TEST(CertifiedRecord, NeverGoesBackInSequence) {
  const auto key = identity(1);
  Info info;
  info.signed_peer_record = seal_record(sample(key), key);  // seq 42
  EXPECT_TRUE(certified_record(info, id_of(key), 41).value());
  EXPECT_TRUE(certified_record(info, id_of(key), 42).value());
  EXPECT_FALSE(certified_record(info, id_of(key), 43).value());
  EXPECT_FALSE(certified_record(info, id_of(key), ~0ULL).value());
}

}  // namespace
}  // namespace starling::identify
