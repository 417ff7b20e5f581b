// threats E.2 #3 and E.3 #17, #20, #24: whatever a peer can do wrong in a handshake, one test each.
#include <functional>
#include <memory>

#include "format/peer_id.hpp"
#include "format/protobuf.hpp"
#include "noise/fixtures.hpp"
#include "testkit/json.hpp"

namespace starling::noise {
namespace {

// An honest handshake as a function of nothing, so that each manipulation can be tried on the same bytes.
struct Recorded {
  Bytes message[3];
};

class Scene {
 public:
  explicit Scene(crypto::KeyType type = crypto::KeyType::ed25519)
      : a_(identity(1, type)), b_(identity(2, type)) {
    config_.muxers = {std::string(kYamux)};
    auto initiator = make(Role::initiator);
    auto responder = make(Role::responder);
    recorded.message[0] = drain(*initiator);
    EXPECT_TRUE(responder->receive(recorded.message[0]));
    recorded.message[1] = drain(*responder);
    EXPECT_TRUE(initiator->receive(recorded.message[1]));
    recorded.message[2] = drain(*initiator);
    EXPECT_TRUE(responder->receive(recorded.message[2]));
    EXPECT_TRUE(responder->complete());
  }
  // The machine that waits for message `index`, in the very state of the recording.
  std::unique_ptr<Handshake> waiting_for(int index) {
    auto machine = make(index == 1 ? Role::initiator : Role::responder);
    if (index == 2) {
      EXPECT_TRUE(machine->receive(recorded.message[0]));
    }
    drain(*machine);
    return machine;
  }
  Recorded recorded;

 private:
  std::unique_ptr<Handshake> make(Role role) {
    const bool initiates = role == Role::initiator;
    rngs_.push_back(std::make_unique<SeededRng>(initiates ? 100 : 200));
    return std::make_unique<Handshake>(role, initiates ? a_ : b_, *rngs_.back(), config_, kStart);
  }
  crypto::PrivateKey a_;
  crypto::PrivateKey b_;
  Config config_;
  std::vector<std::unique_ptr<SeededRng>> rngs_;
};

bool refused(Handshake& machine, ByteView bytes) { return !machine.receive(bytes).has_value(); }

TEST(NoiseHostile, EveryTruncationOfEveryMessageIsRefused) {
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    Scene scene(type);
    for (int index = 0; index < 3; ++index) {
      const Bytes& whole = scene.recorded.message[index];
      for (std::size_t body = 0; body + kFrameHeaderBytes < whole.size(); ++body) {
        const Bytes shorter = framed(ByteView(whole).subspan(kFrameHeaderBytes, body));
        auto machine = scene.waiting_for(index);
        ASSERT_TRUE(refused(*machine, shorter)) << "message " << index + 1 << " cut to " << body;
        ASSERT_FALSE(machine->complete());
      }
      // Without a shorter length it simply does not end; the deadline is the driver's tool.
      auto machine = scene.waiting_for(index);
      ASSERT_TRUE(machine->receive(ByteView(whole).first(whole.size() - 1)));
      EXPECT_FALSE(machine->complete());
    }
  }
}

TEST(NoiseHostile, EveryLongerMessageIsRefused) {
  Scene scene;
  for (int index = 0; index < 3; ++index) {
    Bytes body = to_bytes(ByteView(scene.recorded.message[index]).subspan(kFrameHeaderBytes));
    body.push_back(0);
    auto machine = scene.waiting_for(index);
    EXPECT_TRUE(refused(*machine, framed(body))) << "message " << index + 1;
  }
}

TEST(NoiseHostile, EveryBitFlipOfMessages2And3IsRefused) {
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    Scene scene(type);
    for (int index = 1; index < 3; ++index) {
      const Bytes& whole = scene.recorded.message[index];
      for (std::size_t bit = 8 * kFrameHeaderBytes; bit < 8 * whole.size(); ++bit) {
        Bytes altered = whole;
        altered[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
        auto machine = scene.waiting_for(index);
        ASSERT_TRUE(refused(*machine, altered)) << "message " << index + 1 << " bit " << bit;
        ASSERT_FALSE(machine->complete());
      }
    }
  }
}

// Message 1 is not authenticated by itself: a flipped bit shows when the initiator reads the answer.
TEST(NoiseHostile, EveryBitFlipOfMessage1EndsTheHandshake) {
  Scene scene;
  const Bytes& whole = scene.recorded.message[0];
  for (std::size_t bit = 8 * kFrameHeaderBytes; bit < 8 * whole.size(); ++bit) {
    Bytes altered = whole;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    auto responder = scene.waiting_for(0);
    ASSERT_TRUE(responder->receive(altered));
    auto initiator = scene.waiting_for(1);
    const auto result = initiator->receive(drain(*responder));
    ASSERT_FALSE(result.has_value()) << "bit " << bit;
    ASSERT_TRUE(result.error().is(Errc::decrypt_failed));
  }
}

TEST(NoiseHostile, EveryWrongLengthPrefixIsRefusedOrNeverCompletes) {
  Scene scene;
  for (int index = 0; index < 3; ++index) {
    for (std::size_t bit = 0; bit < 8 * kFrameHeaderBytes; ++bit) {
      Bytes altered = scene.recorded.message[index];
      altered[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      auto machine = scene.waiting_for(index);
      (void)machine->receive(altered);
      EXPECT_FALSE(machine->complete()) << "message " << index + 1 << " bit " << bit;
    }
  }
}

TEST(NoiseHostile, PrefixOf0Or1IsRefusedAtOnceAnd65535WithoutABody) {
  Scene scene;
  for (int index = 0; index < 3; ++index) {
    auto empty = scene.waiting_for(index);
    EXPECT_TRUE(empty->receive(testkit::hex("0000")).error().is(Errc::truncated));
    auto one = scene.waiting_for(index);
    EXPECT_TRUE(one->receive(testkit::hex("000100")).error().is(Errc::truncated));
    auto huge = scene.waiting_for(index);
    EXPECT_TRUE(huge->receive(testkit::hex("ffff")).error().is(Errc::message_too_large));
    EXPECT_TRUE(huge->receive(testkit::hex("00")).error().is(Errc::broken));
  }
}

TEST(NoiseHostile, MessageAtTheLimitIsReadAndAboveItRefused) {
  Scene scene;
  auto machine = scene.waiting_for(1);
  Bytes frame = framed(Bytes(kHandshakeMessageBytesMax));
  frame[2] = 9;  // the basepoint: not of low order, so that the message is read to its first tag
  EXPECT_TRUE(machine->receive(frame).error().is(Errc::decrypt_failed));
  auto other = scene.waiting_for(1);
  EXPECT_TRUE(other->receive(testkit::hex("1001")).error().is(Errc::message_too_large));
}

TEST(NoiseHostile, Message1WithAPayloadIsRefusedBeforeItsBodyArrives) {
  Scene scene;
  auto machine = scene.waiting_for(0);
  EXPECT_TRUE(machine->receive(testkit::hex("0021")).error().is(Errc::unexpected_payload));
  auto other = scene.waiting_for(0);
  Liar liar(Role::initiator, 7);
  EXPECT_TRUE(other->receive(liar.speak(as_bytes("early"))).error().is(Errc::unexpected_payload));
}

// Points whose multiples are all zero: RFC 7748 §6.1. With and without the top bit, which X25519 ignores.
std::vector<crypto::X25519Key> low_order_points() {
  std::vector<crypto::X25519Key> points;
  for (const auto* text : {"0000000000000000000000000000000000000000000000000000000000000000",
                           "0100000000000000000000000000000000000000000000000000000000000000",
                           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    points.push_back(*to_fixed<32>(testkit::hex(text)));
    points.push_back(points.back());
    points.back()[31] |= 0x80;
  }
  return points;
}

TEST(NoiseHostile, LowOrderEphemeralsAreRefused) {
  Scene scene;
  for (const auto& point : low_order_points()) {
    auto responder = scene.waiting_for(0);
    EXPECT_TRUE(responder->receive(framed(point)).error().is(Errc::low_order_point));
    Bytes second = to_bytes(ByteView(scene.recorded.message[1]).subspan(kFrameHeaderBytes));
    std::copy(point.begin(), point.end(), second.begin());
    auto initiator = scene.waiting_for(1);
    EXPECT_TRUE(initiator->receive(framed(second)).error().is(Errc::low_order_point));
  }
}

// The static key is encrypted by who knows the session so far, so the lie is a well-formed message.
TEST(NoiseHostile, LowOrderStaticKeysAreRefused) {
  Scene scene;
  for (const auto& point : low_order_points()) {
    SeededRng rng(9);
    const auto ephemeral = crypto::x25519_generate(rng);
    const crypto::X25519KeyPair lie{ephemeral.secret, point};
    const Bytes payload = make_payload(identity(5), point, {});

    auto initiator = scene.waiting_for(1);
    HandshakeState responder(Role::responder, {}, lie, ephemeral);
    Bytes first = to_bytes(ByteView(scene.recorded.message[0]).subspan(kFrameHeaderBytes));
    ASSERT_TRUE(responder.read_message(first));
    Bytes second;
    ASSERT_TRUE(responder.write_message(payload, second));
    EXPECT_TRUE(initiator->receive(framed(second)).error().is(Errc::low_order_point));

    auto victim = scene.waiting_for(0);
    HandshakeState attacker(Role::initiator, {}, lie, ephemeral);
    Bytes hello;
    ASSERT_TRUE(attacker.write_message({}, hello));
    ASSERT_TRUE(victim->receive(framed(hello)));
    Bytes answer = to_bytes(drain(*victim));
    answer.erase(answer.begin(), answer.begin() + 2);
    ASSERT_TRUE(attacker.read_message(answer));
    Bytes third;
    ASSERT_TRUE(attacker.write_message(payload, third));
    EXPECT_TRUE(victim->receive(framed(third)).error().is(Errc::low_order_point));
  }
}

// What an initiator and a responder say to the same payload of the other side: it is one rule for both.
std::vector<Result<std::size_t>> answers_to(const std::function<Bytes(const crypto::X25519Key&)>& payload_for,
                                            const Config& config = {}) {
  std::vector<Result<std::size_t>> out;
  SeededRng rng(21);
  const auto own = identity(3);
  Handshake initiator(Role::initiator, own, rng, config, kStart);
  Liar responder(Role::responder, 22);
  EXPECT_TRUE(responder.listen(drain(initiator)));
  out.push_back(initiator.receive(responder.speak(payload_for(responder.static_key.public_key))));

  Handshake victim(Role::responder, own, rng, config, kStart);
  Liar attacker(Role::initiator, 23);
  EXPECT_TRUE(victim.receive(attacker.speak({})));
  EXPECT_TRUE(attacker.listen(drain(victim)));
  out.push_back(victim.receive(attacker.speak(payload_for(attacker.static_key.public_key))));
  EXPECT_EQ(initiator.complete(), out[0].has_value());
  EXPECT_EQ(victim.complete(), out[1].has_value());
  return out;
}
void expect_refused(Errc code, const std::function<Bytes(const crypto::X25519Key&)>& payload_for) {
  for (const auto& answer : answers_to(payload_for)) {
    ASSERT_FALSE(answer.has_value());
    EXPECT_TRUE(answer.error().is(code)) << answer.error().to_string();
  }
}

Bytes text_to_sign(const crypto::X25519Key& static_public) {
  Bytes out = to_bytes(kSignaturePrefix);
  append(out, static_public);
  return out;
}
Bytes payload_of(std::optional<Bytes> key, std::optional<Bytes> signature, const Bytes& behind = {}) {
  Bytes out;
  pb::Writer writer(out);
  if (key) writer.bytes(1, *key);
  if (signature) writer.bytes(2, *signature);
  append(out, behind);
  return out;
}
Bytes key_proto(const crypto::PrivateKey& key) { return format::encode_public_key(key.public_key()); }

TEST(NoiseHostile, HonestPayloadIsAcceptedHere) {  // or the refusals below would prove nothing
  for (const auto& answer : answers_to([](const auto& key) { return make_payload(identity(5), key, {}); }))
    EXPECT_TRUE(answer.has_value());
}

TEST(NoiseHostile, MissingKeyOrSignatureIsRefused) {
  const auto key = identity(5);
  expect_refused(Errc::bad_payload, [&](const auto&) { return Bytes(); });
  expect_refused(Errc::bad_payload, [&](const auto&) { return payload_of(key_proto(key), std::nullopt); });
  expect_refused(Errc::bad_payload,
                 [&](const auto& s) { return payload_of(std::nullopt, key.sign(text_to_sign(s))); });
  expect_refused(Errc::bad_identity_key,
                 [&](const auto& s) { return payload_of(Bytes(), key.sign(text_to_sign(s))); });
  expect_refused(Errc::bad_identity_signature,
                 [&](const auto&) { return payload_of(key_proto(key), Bytes()); });
}

TEST(NoiseHostile, SignatureOverAnotherStaticKeyIsRefused) {
  const auto key = identity(5);
  expect_refused(Errc::bad_identity_signature, [&](const auto& s) {
    auto other = s;
    other[0] ^= 1;
    return payload_of(key_proto(key), key.sign(text_to_sign(other)));
  });
}

// E.3 #24: the signature is really verified, and over the prefix too.
TEST(NoiseHostile, SignatureByAnotherKeyOrWithoutThePrefixIsRefused) {
  const auto key = identity(5);
  const auto other = identity(6);
  expect_refused(Errc::bad_identity_signature,
                 [&](const auto& s) { return payload_of(key_proto(key), other.sign(text_to_sign(s))); });
  expect_refused(Errc::bad_identity_signature,
                 [&](const auto& s) { return payload_of(key_proto(key), key.sign(s)); });
}

// E.3 #20: no signature of garbage passes for any type.
TEST(NoiseHostile, GarbageSignaturesAreRefusedForEveryKeyTypeWeSignWith) {
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    const auto key = identity(5, type);
    for (const std::size_t size : {1u, 63u, 64u, 65u, 70u, 72u, 1024u, 1025u})
      expect_refused(Errc::bad_identity_signature,
                     [&](const auto&) { return payload_of(key_proto(key), Bytes(size, 0x30)); });
  }
}

TEST(NoiseHostile, WrongPeerIsRefusedByWhoDialled) {
  SeededRng rng(31);
  const auto a = identity(1);
  const auto b = identity(2);
  Config config;
  config.expected_peer = PeerId::of(identity(4).public_key());
  Handshake initiator(Role::initiator, a, rng, config, kStart);
  Handshake responder(Role::responder, b, rng, {}, kStart);
  ASSERT_TRUE(responder.receive(drain(initiator)));
  const auto result = initiator.receive(drain(responder));
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::wrong_peer));
  EXPECT_EQ(result.error().kind(), Kind::refused);
  EXPECT_TRUE(initiator.to_send().empty()) << "our identity does not go to somebody else";
  EXPECT_FALSE(initiator.complete());
}

// n − s for the s of a strict-DER signature: valid mathematics, refused so that a signature has one form.
Bytes with_high_s(const Bytes& der) {
  const Bytes order = testkit::hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  const std::size_t r_size = der[3];
  const std::size_t s_at = 4 + r_size + 2;
  Bytes s(32, 0);
  const ByteView raw = ByteView(der).subspan(s_at);
  for (std::size_t i = 0; i < raw.size() && i < 33; ++i)
    if (raw.size() - i <= 32) s[32 - (raw.size() - i)] = raw[i];
  Bytes high(33, 0);
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference = order[i] - s[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    high[i + 1] = static_cast<std::uint8_t>(difference & 0xff);
  }
  Bytes out(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(s_at));
  out[s_at - 1] = 33;
  append(out, high);
  out[1] = static_cast<std::uint8_t>(out.size() - 2);
  return out;
}

TEST(NoiseHostile, HighSSignatureIsRefused) {
  const auto key = identity(5, crypto::KeyType::secp256k1);
  for (const auto& answer :
       answers_to([&](const auto& s) { return payload_of(key_proto(key), key.sign(text_to_sign(s))); }))
    EXPECT_TRUE(answer.has_value());
  expect_refused(Errc::bad_identity_signature, [&](const auto& s) {
    return payload_of(key_proto(key), with_high_s(key.sign(text_to_sign(s))));
  });
}

TEST(NoiseHostile, UnknownKeyTypeAndMalformedKeysAreRefused) {
  const auto key = identity(5);
  for (const auto* proto : {"08041203aabbcc", "087f1203aabbcc", "0801", "08011200", "0801121f", "ffff",
                            "080112200000000000000000000000000000000000000000000000000000000000"}) {
    expect_refused(Errc::bad_identity_key,
                   [&](const auto& s) { return payload_of(testkit::hex(proto), key.sign(text_to_sign(s))); });
  }
  // A key that is right but not canonically encoded would give two peer ids to one key.
  Bytes trailing = key_proto(key);
  append(trailing, testkit::hex("1801"));
  expect_refused(Errc::bad_identity_key,
                 [&](const auto& s) { return payload_of(trailing, key.sign(text_to_sign(s))); });
}

TEST(NoiseHostile, MalformedPayloadsAreRefused) {
  const auto key = identity(5);
  const auto with = [&](const char* behind) {
    return [&, behind](const crypto::X25519Key& s) {
      return payload_of(key_proto(key), key.sign(text_to_sign(s)), testkit::hex(behind));
    };
  };
  for (const auto* behind : {"0a00", "1200", "08", "0801", "22", "220a", "2000", "220300", "22020800ff",
                             "2202120a", "2202107f", "22002200", "ffffffffffffffffffff01", "0300", "00"})
    expect_refused(Errc::bad_payload, with(behind));
}

TEST(NoiseHostile, UnknownFieldsAreSkipped) {
  const auto key = identity(5);
  // Field 3 (`data` of old peers), field 1024, certhashes (extension field 1), an unknown extension.
  for (const auto* behind : {"1a03616263", "824002ffff", "22040a02abcd", "2205e20702abcd", "2200", "2800"}) {
    for (const auto& answer : answers_to([&](const auto& s) {
           return payload_of(key_proto(key), key.sign(text_to_sign(s)), testkit::hex(behind));
         }))
      EXPECT_TRUE(answer.has_value()) << behind << " " << (answer ? "" : answer.error().to_string());
  }
}

TEST(NoiseHostile, TooManyOrTooLongMuxersAreRefused) {
  const auto key = identity(5);
  const auto listing = [&](std::size_t count, std::size_t size) {
    return [&, count, size](const crypto::X25519Key& s) {
      return make_payload(key, s, std::vector<std::string>(count, std::string(size, 'm')));
    };
  };
  for (const auto& answer : answers_to(listing(kMuxersMax, kMuxerBytesMax))) EXPECT_TRUE(answer.has_value());
  expect_refused(Errc::bad_payload, listing(kMuxersMax + 1, 1));
  expect_refused(Errc::bad_payload, listing(1, kMuxerBytesMax + 1));
}

// A 2 MB extension does not fit a Noise message; the largest that does is refused at its prefix, unread.
TEST(NoiseHostile, HugeExtensionIsRefusedAtTheLengthPrefix) {
  SeededRng rng(41);
  const auto own = identity(3);
  Handshake initiator(Role::initiator, own, rng, {}, kStart);
  Liar responder(Role::responder, 42);
  ASSERT_TRUE(responder.listen(drain(initiator)));
  Bytes extension;
  pb::Writer(extension).bytes(4, Bytes(60'000));
  const Bytes frame = responder.speak(
      payload_of(key_proto(own), own.sign(text_to_sign(responder.static_key.public_key)), extension));
  ASSERT_GT(frame.size(), 60'000u);
  EXPECT_TRUE(initiator.receive(ByteView(frame).first(2)).error().is(Errc::message_too_large));
}

TEST(NoiseHostile, ReplayedMessage2IsRefused) {
  Scene scene;
  SeededRng rng(51);
  const auto a = identity(1);
  Handshake later(Role::initiator, a, rng, {}, kStart);
  drain(later);
  EXPECT_TRUE(later.receive(scene.recorded.message[1]).error().is(Errc::decrypt_failed));
}

TEST(NoiseHostile, ReplayedMessage3IsRefused) {
  Scene scene;
  SeededRng rng(52);
  const auto b = identity(2);
  Handshake later(Role::responder, b, rng, {}, kStart);
  ASSERT_TRUE(later.receive(scene.recorded.message[0]));
  EXPECT_TRUE(later.receive(scene.recorded.message[2]).error().is(Errc::decrypt_failed));
}

TEST(NoiseHostile, DataBeforeTheHandshakeEndIsNotDataButABrokenHandshake) {
  Scene scene;
  auto responder = scene.waiting_for(2);
  EXPECT_TRUE(refused(*responder, framed(Bytes(100, 0x41))));
  EXPECT_FALSE(responder->complete());
}

TEST(NoiseHostile, AnInitiatorThatMeetsAnInitiatorFails) {  // TCP simultaneous open
  SeededRng rng(61);
  const auto a = identity(1);
  const auto b = identity(2);
  Handshake one(Role::initiator, a, rng, {}, kStart);
  Handshake two(Role::initiator, b, rng, {}, kStart);
  const Bytes first = drain(one);
  EXPECT_TRUE(two.receive(first).error().is(Errc::truncated));
}

// E.3 #17 (CVE-2023-39533): a key that makes verification a weapon is refused by its size.
TEST(NoiseHostile, OversizedAndUndersizedRsaKeysAreRefused) {
  const auto file = testkit::read_json("tests/conformance/vectors/noise/rsa_keys.json");
  const auto key = identity(5);
  for (const auto& entry : testkit::array_at(file, "refused")) {
    SCOPED_TRACE(testkit::text_at(entry, "name"));
    Bytes proto;
    pb::Writer writer(proto);
    writer.varint(1, 0);
    writer.bytes(2, testkit::hex_at(entry, "pkix"));
    expect_refused(Errc::bad_identity_key,
                   [&](const auto& s) { return payload_of(proto, key.sign(text_to_sign(s))); });
  }
}

}  // namespace
}  // namespace starling::noise
