#pragma once
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keys.hpp"
#include "tls/identity.hpp"

namespace starling::node {

/// How a connection over TCP is secured.
enum class Security : std::uint8_t { noise, tls };
/// The protocol id that multistream-select negotiates.
std::string_view protocol_id(Security security) noexcept;
/// From `noise` and `tls`, in order of preference. Nothing when the list is empty or has an unknown name or
/// one twice.
std::optional<std::vector<Security>> parse_security(const std::vector<std::string>& names);

/// A node's certificate and settings of TLS, made when the first connection wants them: a node that never
/// speaks TLS pays nothing.
///
/// Any thread; outlives every connection. Two shards that come first at the same time both make one, and the
/// one that is a little later throws its own away.
class SharedTlsIdentity {
 public:
  SharedTlsIdentity() = default;
  SharedTlsIdentity(const SharedTlsIdentity&) = delete;
  SharedTlsIdentity& operator=(const SharedTlsIdentity&) = delete;
  ~SharedTlsIdentity() { delete identity_.load(); }
  /// `key` is the node's, the same at every call.
  const tls::Identity& get(const crypto::PrivateKey& key, Rng& rng);

 private:
  std::atomic<const tls::Identity*> identity_{nullptr};
};

}  // namespace starling::node
