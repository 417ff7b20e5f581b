#include "agent/node_signed.hpp"

#include "format/protobuf.hpp"

namespace starling::agent {

Bytes encode(const NodeSigned& signed_by_node) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes_if(1, encode(signed_by_node.delegation));
  writer.bytes_if(2, signed_by_node.payload);
  writer.bytes_if(3, signed_by_node.signature);
  return out;
}

Result<NodeSigned> decode_node_signed(ByteView bytes) {
  NodeSigned out;
  STARLING_TRY(pb::each_field(bytes, pb::field_range(1, 3), 0, [&](const pb::Field& field) -> Result<void> {
    STARLING_ASSIGN(const ByteView value, pb::as_bytes(field));
    if (field.id == 1) {
      STARLING_ASSIGN(out.delegation, decode_signed_delegation(value));
      return {};
    }
    (field.id == 2 ? out.payload : out.signature) = to_bytes(value);
    return {};
  }));
  return out;
}

}  // namespace starling::agent
