#pragma once
#include "agent/delegation.hpp"

namespace starling::agent {

/// What presences and receipts look like on the wire: a payload, the node key's signature over it, and the
/// delegation that says whose key that is. PROTOCOL.md §3 and §6.
struct NodeSigned {
  SignedDelegation delegation;
  Bytes payload;
  Bytes signature;
};
Bytes encode(const NodeSigned& signed_by_node);
/// Unknown fields are skipped; what a bound of the whole is, the caller knows. Errors: malformed protobuf.
Result<NodeSigned> decode_node_signed(ByteView bytes);

}  // namespace starling::agent
