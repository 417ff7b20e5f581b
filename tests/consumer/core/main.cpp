// Makes a node key and signs with it: base, crypto and format come out of the installed core archive and
// nowhere else.
#include <cstdio>

#include "base/rng.hpp"
#include "crypto/keys.hpp"
#include "format/peer_id.hpp"

int main() {
  starling::SeededRng rng(7);
  const auto key = starling::crypto::PrivateKey::generate(starling::crypto::KeyType::secp256k1, rng);
  const auto message = starling::to_bytes("hello");
  const auto signature = key.sign(message);
  if (!key.public_key().verify(message, signature)) return 1;
  const auto id = starling::PeerId::of(key.public_key());
  const auto parsed = starling::PeerId::parse(id.to_string());
  if (!parsed || *parsed != id) return 1;
  std::printf("core %s\n", id.to_string().c_str());
  return 0;
}
