// fuzz-depends: crypto format
// The first byte chooses: 0 a PublicKey message, 1 to 4 the data of one key type, 5 a PrivateKey message, 6
// and 7 a signature under a key that nobody else has, 8 a recoverable signature. A key that is taken has one
// encoding; nothing is forged.
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "base/rng.hpp"
#include "crypto/keys.hpp"
#include "crypto/recoverable.hpp"
#include "format/peer_id.hpp"

namespace {

using namespace starling;  // NOLINT(google-build-using-namespace): one small program

void check_public(const crypto::PublicKey& key) {
  const Bytes encoded = format::encode_public_key(key);
  STARLING_ASSERT(format::decode_public_key(encoded) == key);
  const PeerId id = PeerId::of(key);
  STARLING_ASSERT(PeerId::from_bytes(id.bytes()) == id);
  if (encoded.size() <= kInlinePublicKeyBytesMax) STARLING_ASSERT(id.inline_key() == key);
  STARLING_ASSERT(!key.verify(as_bytes("message"), as_bytes("no signature of anything at all")));
}

void check_signature(crypto::KeyType type, ByteView signature) {
  SeededRng rng(1);
  const auto key = crypto::PrivateKey::generate(type, rng);
  const Bytes good = key.sign(as_bytes("message"));
  STARLING_ASSERT(key.public_key().verify(as_bytes("message"), signature).has_value() ==
                  equal(signature, good));
}

void check_recover(ByteView signature) {
  SeededRng rng(2);
  const auto key = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng);
  const auto digest = crypto::sha256(as_bytes("digest"));
  const auto recovered = crypto::recover_address(digest, signature);
  if (!recovered) return;
  const bool ours = *recovered == crypto::ethereum_address_of(key.public_key());
  STARLING_ASSERT(ours == equal(signature, crypto::sign_recoverable(key, digest)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView input(data + 1, size - 1);
  switch (data[0]) {
    case 0:
      if (const auto key = format::decode_public_key(input)) {
        STARLING_ASSERT(equal(format::encode_public_key(*key), input));
        check_public(*key);
      }
      break;
    case 1:
    case 2:
    case 3:
    case 4:
      if (const auto key = crypto::PublicKey::from_data(static_cast<crypto::KeyType>(data[0] - 1), input)) {
        STARLING_ASSERT(equal(key->data(), input));
        check_public(*key);
      }
      break;
    case 5:
      if (const auto key = format::decode_private_key(input)) {
        const auto again = format::decode_private_key(format::encode_private_key(*key));
        STARLING_ASSERT(again.has_value() && again->public_key() == key->public_key());
        STARLING_ASSERT(key->public_key().verify(input, key->sign(input)).has_value());
      }
      break;
    case 6: check_signature(crypto::KeyType::ed25519, input); break;
    case 7: check_signature(crypto::KeyType::secp256k1, input); break;
    case 8: check_recover(input); break;
    default: break;
  }
  return 0;
}
