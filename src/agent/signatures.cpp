#include "agent/signatures.hpp"

namespace starling::agent {
namespace {

Bytes join(std::string_view prefix, ByteView message) {
  Bytes out;
  out.reserve(prefix.size() + message.size());
  append(out, as_bytes(prefix));
  append(out, message);
  return out;
}

class RealSignatures final : public Signatures {
 public:
  Result<EthAddress> recover(const crypto::Hash256& digest, ByteView signature65) const override {
    return crypto::recover_address(digest, signature65).map([](const crypto::AddressBytes& a) {
      return EthAddress(a);
    });
  }
  crypto::RecoverableSignature sign_as_wallet(const crypto::PrivateKey& wallet,
                                              const crypto::Hash256& digest) const override {
    return crypto::sign_recoverable(wallet, digest);
  }
  Result<void> verify(const crypto::PublicKey& key, std::string_view prefix, ByteView message,
                      ByteView signature) const override {
    return key.verify(join(prefix, message), signature);
  }
  Bytes sign(const crypto::PrivateKey& key, std::string_view prefix, ByteView message) const override {
    return key.sign(join(prefix, message));
  }
};

}  // namespace

const Signatures& real_signatures() noexcept {
  static const RealSignatures kInstance;
  return kInstance;
}

}  // namespace starling::agent
