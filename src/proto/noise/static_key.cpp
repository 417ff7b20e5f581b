#include "noise/static_key.hpp"

#include "crypto/hash.hpp"

namespace starling::noise {

StaticKey::StaticKey(const crypto::PrivateKey& identity, Rng& rng)
    : pair_(crypto::x25519_generate(rng)),
      identity_(identity.public_key()),
      proof_(make_proof(identity, pair_.public_key)) {}

StaticKey::~StaticKey() { crypto::wipe(pair_.secret); }

}  // namespace starling::noise
