#pragma once
// The canonical encoding of a Message, written once for the codec and for signing.
#include "proto/gossip/message.hpp"

namespace starling::gossip {

/// Sets `raw` and `data` of a message whose other fields are set: one allocation, `data` a part of `raw`.
void lay_out(Message& message, ByteView data);
/// Appends the fields that a signature covers: from, data, seqno, topic. `data` and `topic` are written even
/// when empty, as go, rust, js and py do it; the others only when there.
void put_signed_fields(Bytes& out, const Message& message);

}  // namespace starling::gossip
