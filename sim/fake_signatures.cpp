#include "sim/fake_signatures.hpp"

#include "base/assert.hpp"
#include "crypto/errors.hpp"
#include "crypto/recoverable.hpp"

namespace starling::sim {
namespace {

Bytes tag(ByteView key, ByteView prefix, ByteView message) {
  Bytes out;
  put_u64_be(out, hash_bytes(key) ^ 0x5354415254494e47ULL);
  put_u64_be(out, hash_bytes(prefix) * 31 + hash_bytes(message));
  return out;
}

}  // namespace

Result<EthAddress> FakeSignatures::recover(const crypto::Hash256& digest, ByteView signature65) const {
  if (signature65.size() != 65 || signature65[64] != 27) return fail(crypto::Errc::bad_signature);
  const ByteView address = signature65.first(20);
  if (!equal(signature65.subspan(32, 16), tag(address, {}, digest))) return fail(crypto::Errc::bad_signature);
  return EthAddress::from_bytes(address);
}

crypto::RecoverableSignature FakeSignatures::sign_as_wallet(const crypto::PrivateKey& wallet,
                                                            const crypto::Hash256& digest) const {
  const auto address = crypto::ethereum_address_of(wallet.public_key());
  STARLING_ASSERT(address.has_value());
  crypto::RecoverableSignature signature{};
  std::copy(address->begin(), address->end(), signature.begin());
  const Bytes proof = tag(*address, {}, digest);
  std::copy(proof.begin(), proof.end(), signature.begin() + 32);
  signature[64] = 27;
  return signature;
}

Result<void> FakeSignatures::verify(const crypto::PublicKey& key, std::string_view prefix, ByteView message,
                                    ByteView signature) const {
  if (!equal(signature, tag(key.data(), as_bytes(prefix), message))) return fail(crypto::Errc::bad_signature);
  return {};
}

Bytes FakeSignatures::sign(const crypto::PrivateKey& key, std::string_view prefix, ByteView message) const {
  return tag(key.public_key().data(), as_bytes(prefix), message);
}

}  // namespace starling::sim
