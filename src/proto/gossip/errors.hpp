#pragma once
#include "base/result.hpp"

namespace starling::gossip {

enum class Errc : std::uint16_t {
  malformed = 1,    ///< bytes that are no RPC or no Message
  too_large,        ///< a frame, message, topic or field above its limit
  bad_author,       ///< `from` is not the identity-multihash id of an Ed25519 or secp256k1 key
  bad_seqno,        ///< `seqno` is not 8 bytes
  key_mismatch,     ///< `key` is given and is not the author's
  bad_signature,    ///< missing, malformed, malleable or wrong
  duplicate,        ///< this message id was published or seen before
  bad_topic,        ///< empty, too long or not UTF-8
  too_many_topics,  ///< kOwnTopicsMax or kFanoutTopicsMax reached
  bad_parameter,    ///< a configuration that contradicts itself
};
Error make_error(Errc code) noexcept;

}  // namespace starling::gossip
