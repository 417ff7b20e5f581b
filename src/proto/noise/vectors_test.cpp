// Published Noise vectors, and libp2p handshakes recorded from go-libp2p. Sources are named in the files.
#include "noise/fixtures.hpp"
#include "testkit/json.hpp"

namespace starling::noise {
namespace {

using testkit::array_at;
using testkit::at;
using testkit::hex_at;
using testkit::text_at;

constexpr const char* kXxVectors = "tests/conformance/vectors/noise/xx_25519_chachapoly_sha256.json";
constexpr const char* kLibp2pVectors = "tests/conformance/vectors/noise/libp2p_handshakes.json";

// Handshake messages alternate, and so do the transport messages of these vector sets.
void replay(const testkit::json::value& vector) {
  const Bytes prologue = hex_at(vector, "prologue");
  HandshakeState initiator(Role::initiator, prologue, key_pair(hex_at(vector, "init_static")),
                           key_pair(hex_at(vector, "init_ephemeral")));
  HandshakeState responder(Role::responder, prologue, key_pair(hex_at(vector, "resp_static")),
                           key_pair(hex_at(vector, "resp_ephemeral")));
  const auto& messages = array_at(vector, "messages");
  ASSERT_GE(messages.size(), 5u);
  for (std::size_t i = 0; i < 3; ++i) {
    auto& writer = i % 2 == 0 ? initiator : responder;
    auto& reader = i % 2 == 0 ? responder : initiator;
    const Bytes payload = hex_at(messages[i], "payload");
    ASSERT_TRUE(writer.my_turn());
    ASSERT_FALSE(reader.my_turn());
    Bytes message;
    ASSERT_TRUE(writer.write_message(payload, message));
    ASSERT_EQ(to_hex(message), text_at(messages[i], "ciphertext")) << "message " << i;
    const auto read = reader.read_message(message);
    ASSERT_TRUE(read.has_value()) << "message " << i;
    EXPECT_EQ(to_hex(*read), to_hex(payload));
  }
  ASSERT_TRUE(initiator.finished() && responder.finished());
  EXPECT_EQ(initiator.handshake_hash(), responder.handshake_hash());
  if (testkit::has(vector, "handshake_hash")) {
    EXPECT_EQ(to_hex(initiator.handshake_hash()), text_at(vector, "handshake_hash"));
  }
  EXPECT_EQ(initiator.remote_static(), key_pair(hex_at(vector, "resp_static")).public_key);
  EXPECT_EQ(responder.remote_static(), key_pair(hex_at(vector, "init_static")).public_key);

  auto [initiator_sends, initiator_receives] = initiator.split();
  auto [responder_sends, responder_receives] = responder.split();
  // flynn/noise numbers its transport messages from the initiator's, the other sets go on alternating.
  const bool from_initiator = text_at(vector, "source").find("flynn") != std::string::npos;
  for (std::size_t i = 3; i < messages.size(); ++i) {
    const bool by_initiator = (i % 2 == 0) != from_initiator;
    auto& sends = by_initiator ? initiator_sends : responder_sends;
    auto& receives = by_initiator ? responder_receives : initiator_receives;
    const Bytes payload = hex_at(messages[i], "payload");
    const ByteView part = payload;
    Bytes sealed(payload.size() + crypto::kAeadTagBytes);
    ASSERT_TRUE(sends.seal({}, std::span(&part, 1), sealed));
    ASSERT_EQ(to_hex(sealed), text_at(messages[i], "ciphertext")) << "message " << i;
    const auto opened = receives.open({}, sealed);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(to_hex(*opened), to_hex(payload));
  }
}

TEST(NoiseXX, ReproducesThePublishedVectors) {
  const auto file = testkit::read_json(kXxVectors);
  const auto& vectors = array_at(file, "vectors");
  ASSERT_EQ(vectors.size(), 6u);
  int without_prologue = 0;
  for (const auto& vector : vectors) {
    SCOPED_TRACE(text_at(vector, "source"));
    without_prologue += text_at(vector, "prologue").empty() ? 1 : 0;
    replay(vector);
  }
  EXPECT_EQ(without_prologue, 2) << "libp2p uses no prologue";
}

TEST(NoiseXX, DependsOnThePrologue) {
  const auto file = testkit::read_json(kXxVectors);
  const auto& vector = array_at(file, "vectors")[0];
  HandshakeState initiator(Role::initiator, as_bytes("one"), key_pair(hex_at(vector, "init_static")),
                           key_pair(hex_at(vector, "init_ephemeral")));
  HandshakeState responder(Role::responder, as_bytes("another"), key_pair(hex_at(vector, "resp_static")),
                           key_pair(hex_at(vector, "resp_ephemeral")));
  Bytes message;
  ASSERT_TRUE(initiator.write_message({}, message));
  ASSERT_TRUE(responder.read_message(message));
  message.clear();
  ASSERT_TRUE(responder.write_message({}, message));
  EXPECT_TRUE(initiator.read_message(message).error().is(Errc::decrypt_failed));
}

struct Side {
  explicit Side(const testkit::json::value& json)
      : rng{hex_at(json, "static_secret"), hex_at(json, "ephemeral_secret")},
        sends(hex_at(json, "sends")),
        peer(*PeerId::parse(text_at(json, "peer_id"))) {
    const auto type = text_at(json, "identity_type");
    if (type == "ed25519" || type == "secp256k1") {
      key = *crypto::PrivateKey::from_data(
          type == "ed25519" ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1,
          hex_at(json, "identity_secret"));
    }
    for (const auto& muxer : array_at(json, "muxers")) config.muxers.emplace_back(muxer.as_string().c_str());
  }
  std::vector<std::string> read_all(Transport& transport, ByteView stream) {
    Bytes buffer = to_bytes(stream);
    MutableByteView rest = buffer;
    std::vector<std::string> texts;
    while (!rest.empty()) {
      const auto opened = transport.open_next(rest);
      EXPECT_TRUE(opened.has_value() && *opened);
      if (!opened || !*opened) break;
      texts.emplace_back(as_text((*opened)->plaintext));
      rest = rest.subspan((*opened)->consumed);
    }
    return texts;
  }
  ScriptedRng rng;
  Bytes sends;
  PeerId peer;
  std::optional<crypto::PrivateKey> key;
  Config config;
};

std::vector<std::string> texts_at(const testkit::json::value& json, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& text : array_at(json, name)) out.emplace_back(text.as_string().c_str());
  return out;
}

// Takes one side's place in the recording: with its randomness we must send, byte for byte, what go sent, and
// understand what the other go sent. RSA and ECDSA identities are the other side's only: we do not sign with
// them.
void take_place(const testkit::json::value& recording, Role role) {
  const bool initiates = role == Role::initiator;
  Side own(at(recording, initiates ? "initiator" : "responder"));
  const Side other(at(recording, initiates ? "responder" : "initiator"));
  if (!own.key) return;
  own.config.expected_peer = other.peer;
  Handshake handshake(role, *own.key, own.rng, own.config, kStart);
  Bytes sent = drain(handshake);
  ByteView incoming = other.sends;
  const auto consumed = handshake.receive(incoming);
  ASSERT_TRUE(consumed.has_value()) << consumed.error().to_string();
  append(sent, drain(handshake));
  ASSERT_TRUE(handshake.complete());
  auto secured = handshake.take();
  EXPECT_EQ(secured.peer, other.peer);
  EXPECT_EQ(secured.muxer.value_or(""),
            text_at(recording, initiates ? "muxer_initiator" : "muxer_responder"));

  EXPECT_EQ(own.read_all(secured.transport, incoming.subspan(*consumed)),
            texts_at(recording, initiates ? "responder_says" : "initiator_says"));
  for (const auto& text : texts_at(recording, initiates ? "initiator_says" : "responder_says")) {
    const ByteView part = as_bytes(text);
    ASSERT_TRUE(secured.transport.seal(std::span(&part, 1), sent));
  }
  // Without muxers go sends an empty extension, and we send none.
  if (!own.config.muxers.empty()) {
    EXPECT_EQ(to_hex(sent), to_hex(own.sends));
  }
}

TEST(NoiseLibp2p, TakesThePlaceOfEitherSideInHandshakesOfGo) {
  const auto file = testkit::read_json(kLibp2pVectors);
  const auto& recordings = array_at(file, "handshakes");
  ASSERT_EQ(recordings.size(), 7u);
  for (const auto& recording : recordings) {
    SCOPED_TRACE(text_at(at(recording, "initiator"), "identity_type") + " to " +
                 text_at(at(recording, "responder"), "identity_type"));
    take_place(recording, Role::initiator);
    take_place(recording, Role::responder);
  }
}

}  // namespace
}  // namespace starling::noise
