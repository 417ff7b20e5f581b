#include "crypto/recoverable.hpp"

#include "base/assert.hpp"
#include "crypto/errors.hpp"
#include "crypto/secp256k1.hpp"

namespace starling::crypto {
namespace {

AddressBytes address_of(const FixedBytes<64>& point) noexcept {
  const Hash256 hash = keccak256(point);
  AddressBytes out;
  std::copy(hash.end() - 20, hash.end(), out.begin());
  return out;
}

}  // namespace

RecoverableSignature sign_recoverable(const PrivateKey& key, const Hash256& digest) {
  STARLING_ASSERT(key.type() == KeyType::secp256k1);
  auto scalar = *to_fixed<32>(key.secret());
  const auto signature = secp256k1::sign_recoverable(scalar, digest);
  wipe(scalar);
  return signature;
}

Result<AddressBytes> recover_address(const Hash256& digest, ByteView signature65) {
  const auto point = secp256k1::recover(digest, signature65);
  if (!point) return fail(Errc::bad_signature);
  return address_of(*point);
}

Result<AddressBytes> ethereum_address_of(const PublicKey& key) {
  if (key.type() != KeyType::secp256k1) return fail(Errc::unsupported_key);
  const auto point = secp256k1::uncompressed(key.data());
  if (!point) return fail(Errc::bad_key);
  return address_of(*point);
}

}  // namespace starling::crypto
