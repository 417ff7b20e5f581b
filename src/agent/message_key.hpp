#pragma once
// How a message is named: an id unique per sender, so always the pair.
#include <compare>

#include "agent/limits.hpp"
#include "base/bytes.hpp"
#include "base/rng.hpp"
#include "format/eth_address.hpp"

namespace starling::agent {

using EnvelopeId = FixedBytes<kEnvelopeIdBytes>;

/// (from, id): one message over every path and retry.
struct MessageKey {
  EthAddress from;
  EnvelopeId id{};
  friend auto operator<=>(const MessageKey&, const MessageKey&) noexcept = default;
};

inline EnvelopeId make_envelope_id(Rng& rng) { return rng.bytes<kEnvelopeIdBytes>(); }

}  // namespace starling::agent

template <>
struct std::hash<starling::agent::MessageKey> {
  std::size_t operator()(const starling::agent::MessageKey& key) const noexcept {
    return starling::hash_bytes(key.from.bytes()) * 0x9e3779b97f4a7c15ULL ^ starling::hash_bytes(key.id);
  }
};
