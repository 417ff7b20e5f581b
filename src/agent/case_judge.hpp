#pragma once
// Judges one case of the vector format (tests/conformance/vectors/agent/README.md) in plain types, for the
// conformance test and `starling inspect --cases FILE`, which both only parse JSON.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/receipt.hpp"
#include "crypto/x25519.hpp"

namespace starling::agent {

struct CaseState {
  std::vector<std::pair<EthAddress, std::uint64_t>> floors;
  std::vector<EthAddress> met;
  std::vector<crypto::Hash256> cached;
  struct Known {
    EthAddress wallet;
    std::uint64_t epoch = 0, seq = 0;
    crypto::Hash256 sha256{};
  };
  std::vector<Known> known;
  struct Forwarded {
    EthAddress from;
    EnvelopeId id{};
    std::uint64_t published_at = 0;
    std::uint64_t at = 0;
  };
  std::vector<Forwarded> forwarded;
  struct Delivered {
    EthAddress from;
    EnvelopeId id{};
    std::uint64_t until = 0;
  };
  std::vector<Delivered> delivered;
  std::vector<Bytes> seen;  ///< pubsub message ids
  bool queue_full = false;
  std::vector<std::string>
      spent;  ///< forwarder, recovers, envelopes, broadcasts, announcements, statuses, strangers
};

/// Fields that a kind does not need stay empty.
struct Case {
  std::string kind;
  std::string name;
  NetworkName network;
  EthAddress me;
  std::optional<crypto::X25519KeyPair> seal_key;
  WallTime now;
  std::vector<Bytes> inputs;  ///< one, but for selector (values) and dial (addresses)
  Bytes key;
  Bytes author;
  std::vector<Awaited> outbox;
  std::uint64_t frame_max = 0;
  std::vector<std::string> own;  ///< loopback, link-local, private
  CaseState state;
};

/// What the kinds say; what one does not say stays empty. Field names are those of the file.
struct CaseResult {
  std::string verdict;
  std::optional<int> check;
  std::optional<bool> deliver, valid, seen_after;
  std::optional<std::uint32_t> state_answered, code;
  std::optional<Bytes> body;
  std::optional<std::vector<std::uint64_t>> lengths;
  std::string explanation;  ///< the rule that decided, for people
};

/// Never fails: an unknown kind has the verdict `unknown kind`.
CaseResult judge_case(const Case& one);

/// A case that fails in row 3 or 5 is rejected either way: they may be taken as one.
enum class RowRule : std::uint8_t { exact, three_or_five };
/// What differs between the file's expectation and a result, one line each; empty: it passes. Only what the
/// expectation states is compared.
std::vector<std::string> differences(const CaseResult& expected, const CaseResult& got, RowRule rule);

}  // namespace starling::agent
