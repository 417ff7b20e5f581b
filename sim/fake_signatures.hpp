#pragma once
#include "agent/signatures.hpp"

namespace starling::sim {

/// Signatures that cost nothing and prove nothing outside the simulator: a hash of key and message, with the
/// signer's address written into the place of r. They fail for altered bytes and for other keys, as real ones
/// do, so that every rule above them behaves as in production.
class FakeSignatures final : public agent::Signatures {
 public:
  Result<EthAddress> recover(const crypto::Hash256& digest, ByteView signature65) const override;
  crypto::RecoverableSignature sign_as_wallet(const crypto::PrivateKey& wallet,
                                              const crypto::Hash256& digest) const override;
  Result<void> verify(const crypto::PublicKey& key, std::string_view prefix, ByteView message,
                      ByteView signature) const override;
  Bytes sign(const crypto::PrivateKey& key, std::string_view prefix, ByteView message) const override;
};

}  // namespace starling::sim
