#include "proto/gossip/strict_sign.hpp"

#include "proto/gossip/limits.hpp"
#include "proto/gossip/message_layout.hpp"

namespace starling::gossip::strict_sign {
namespace {

constexpr std::string_view kPrefix = "libp2p-pubsub:";

}  // namespace

Bytes signed_bytes(const Message& message) {
  Bytes out = to_bytes(kPrefix);
  put_signed_fields(out, message);
  return out;
}

Message make_signed(const crypto::PrivateKey& key, std::string topic, Slice data, std::uint64_t seqno) {
  Message out;
  out.from = to_bytes(PeerId::of(key.public_key()).bytes());
  out.data = std::move(data);
  put_u64_be(out.seqno, seqno);
  out.topic = std::move(topic);
  out.signature = key.sign(signed_bytes(out));
  lay_out(out, Slice(out.data));
  return out;
}

Result<PeerId> check(const Message& message) {
  const auto author = PeerId::from_bytes(message.from);
  if (!author) return fail(Errc::bad_author);
  const auto key = author->inline_key();
  if (!key) return fail(Errc::bad_author);
  if (key->type() != crypto::KeyType::ed25519 && key->type() != crypto::KeyType::secp256k1)
    return fail(Errc::bad_author);
  if (message.seqno.size() != kSeqnoBytes) return fail(Errc::bad_seqno);
  if (!message.key.empty() && !equal(message.key, format::encode_public_key(*key)))
    return fail(Errc::key_mismatch);
  if (!key->verify(signed_bytes(message), message.signature)) return fail(Errc::bad_signature);
  return *author;
}

}  // namespace starling::gossip::strict_sign
