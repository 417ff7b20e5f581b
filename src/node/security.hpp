#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.hpp"
#include "crypto/keys.hpp"

namespace starling::node {

/// How a connection over TCP is secured.
enum class Security : std::uint8_t { noise, tls };
/// The protocol id that multistream-select negotiates.
std::string_view protocol_id(Security security) noexcept;
/// From `noise` and `tls`, in order of preference. Nothing when the list is empty or has an unknown name or
/// one twice.
std::optional<std::vector<Security>> parse_security(const std::vector<std::string>& names);

/// What a node's handshakes show of its identity, signed once: a static key of Noise, a certificate of TLS.
/// Made when the first connection wants it, so that a node pays only for what it speaks.
///
/// Any thread; outlives every connection. Two shards that come first at the same time both make one, and the
/// one that is a little later throws its own away.
template <class Proof>
class SharedProof {
 public:
  SharedProof() = default;
  SharedProof(const SharedProof&) = delete;
  SharedProof& operator=(const SharedProof&) = delete;
  ~SharedProof() { delete proof_.load(); }
  /// `key` is the node's, the same at every call.
  const Proof& get(const crypto::PrivateKey& key, Rng& rng) {
    if (const Proof* made = proof_.load(std::memory_order_acquire)) return *made;
    auto fresh = std::make_unique<const Proof>(key, rng);
    const Proof* first = nullptr;
    if (proof_.compare_exchange_strong(first, fresh.get(), std::memory_order_acq_rel))
      return *fresh.release();
    return *first;
  }

 private:
  std::atomic<const Proof*> proof_{nullptr};
};

}  // namespace starling::node
