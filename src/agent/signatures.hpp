#pragma once
// The four signature operations of the agent layer behind an interface: they are what costs (30 to 100 µs
// each), so the simulator plugs in a cheap stand-in and a node may count or move them.
#include "base/result.hpp"
#include "crypto/keys.hpp"
#include "crypto/recoverable.hpp"
#include "format/eth_address.hpp"

namespace starling::agent {

/// Stateless from the outside: any thread may call any method at any time.
class Signatures {
 public:
  virtual ~Signatures() = default;
  /// The wallet that signed an EIP-712 digest. Any error: v not 27 or 28, r or s out of range, s high, no
  /// such point.
  virtual Result<EthAddress> recover(const crypto::Hash256& digest, ByteView signature65) const = 0;
  virtual crypto::RecoverableSignature sign_as_wallet(const crypto::PrivateKey& wallet,
                                                      const crypto::Hash256& digest) const = 0;
  /// Checks a node key's signature over `prefix ‖ message`.
  virtual Result<void> verify(const crypto::PublicKey& key, std::string_view prefix, ByteView message,
                              ByteView signature) const = 0;
  virtual Bytes sign(const crypto::PrivateKey& key, std::string_view prefix, ByteView message) const = 0;
};

/// The real ones. Use `real_signatures()`; it has no state.
const Signatures& real_signatures() noexcept;

}  // namespace starling::agent
