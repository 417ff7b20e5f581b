#pragma once
// StrictSign: row 2 of PROTOCOL.md §5. Runs at the edge, on the connection's shard, never in the router.
#include <cstdint>

#include "base/result.hpp"
#include "crypto/keys.hpp"
#include "format/peer_id.hpp"
#include "proto/gossip/errors.hpp"
#include "proto/gossip/message.hpp"

namespace starling::gossip::strict_sign {

/// What a signature covers: "libp2p-pubsub:" ‖ the canonical Message without `signature` and `key`.
Bytes signed_bytes(const Message& message);

/// A publication of this node, with `raw` set. `seqno` must be unique per author; 8 bytes big-endian on the
/// wire.
Message make_signed(const crypto::PrivateKey& key, std::string topic, Slice data, std::uint64_t seqno);

/// The author, when all of row 2 holds: `from` is the identity-multihash id of an Ed25519 or secp256k1 key,
/// `seqno` has 8 bytes, `key` is absent or the author's own, the signature verifies with low s (js PR 3569
/// and 3578: a key that is not bound to `from` lets anybody speak for anybody). Errc::bad_author, bad_seqno,
/// key_mismatch, bad_signature. One signature check, 30 to 100 µs: look the id up first.
Result<PeerId> check(const Message& message);

}  // namespace starling::gossip::strict_sign
