// HPKE (RFC 9180) base mode, in the one suite that PROTOCOL.md §4 names.
#include "base/assert.hpp"
#include "crypto/aead.hpp"
#include "crypto/errors.hpp"
#include "crypto/hash.hpp"
#include "crypto/x25519.hpp"

namespace starling::crypto {
namespace {

constexpr std::string_view kVersionLabel = "HPKE-v1";
constexpr std::uint8_t kKemSuite[] = {'K', 'E', 'M', 0x00, 0x20};  // DHKEM(X25519, HKDF-SHA256)
constexpr std::uint8_t kHpkeSuite[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03};
constexpr std::uint8_t kModeBase[] = {0};

Hash256 labeled_extract(ByteView suite, ByteView salt, std::string_view label, ByteView key_material) {
  return hmac_sha256(salt, {as_bytes(kVersionLabel), suite, as_bytes(label), key_material});
}

Bytes labeled_expand(ByteView suite, const Hash256& key, std::string_view label,
                     std::initializer_list<ByteView> info, std::size_t length) {
  Bytes joined;
  for (const auto part : info) append(joined, part);
  const std::uint8_t size[] = {static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
  return hkdf_expand(key, {size, as_bytes(kVersionLabel), suite, as_bytes(label), joined}, length);
}

struct KeySchedule {
  AeadKey key;
  AeadNonce nonce;  // of sequence number 0: the base nonce itself
  ~KeySchedule() { wipe(key); }
};

// ExtractAndExpand of the KEM (§4.1), then KeySchedule of the base mode (§5.1).
KeySchedule derive(X25519Key& dh, const X25519Key& enc, const X25519Key& recipient, ByteView info) {
  auto prk = labeled_extract(kKemSuite, {}, "eae_prk", dh);
  auto shared = labeled_expand(kKemSuite, prk, "shared_secret", {enc, recipient}, 32);
  const auto psk_id_hash = labeled_extract(kHpkeSuite, {}, "psk_id_hash", {});
  const auto info_hash = labeled_extract(kHpkeSuite, {}, "info_hash", info);
  auto secret = labeled_extract(kHpkeSuite, shared, "secret", {});
  auto key = labeled_expand(kHpkeSuite, secret, "key", {kModeBase, psk_id_hash, info_hash}, 32);
  const auto nonce =
      labeled_expand(kHpkeSuite, secret, "base_nonce", {kModeBase, psk_id_hash, info_hash}, 12);
  KeySchedule out{*to_fixed<32>(key), *to_fixed<12>(nonce)};
  wipe(dh);
  wipe(prk);
  wipe(shared);
  wipe(secret);
  wipe(key);
  return out;
}

}  // namespace

Result<HpkeSealed> hpke_seal(const X25519Key& recipient, ByteView info, ByteView aad, ByteView plaintext,
                             const X25519KeyPair& ephemeral) {
  STARLING_ASSIGN(X25519Key dh, x25519(ephemeral.secret, recipient));
  const auto schedule = derive(dh, ephemeral.public_key, recipient, info);
  HpkeSealed out{ephemeral.public_key, Bytes(plaintext.size() + kAeadTagBytes)};
  ChaChaPoly(schedule.key).seal(schedule.nonce, aad, std::span(&plaintext, 1), out.ciphertext);
  return out;
}

Result<Bytes> hpke_open(const X25519KeyPair& recipient, const X25519Key& enc, ByteView info, ByteView aad,
                        ByteView ciphertext) {
  STARLING_ASSIGN(X25519Key dh, x25519(recipient.secret, enc));
  const auto schedule = derive(dh, enc, recipient.public_key, info);
  Bytes out = to_bytes(ciphertext);
  STARLING_ASSIGN(const auto plaintext, ChaChaPoly(schedule.key).open_in_place(schedule.nonce, aad, out));
  out.resize(plaintext.size());
  return out;
}

}  // namespace starling::crypto
