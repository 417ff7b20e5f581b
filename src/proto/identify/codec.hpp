#pragma once
// The Identify protobuf. Spec: libp2p/specs identify/README.md; signedPeerRecord = 8 as all stacks have it.
#include <vector>

#include "identify/info.hpp"

namespace starling::identify {

/// The messages of one identify or push, each with its length prefix, to be sent in order before closing the
/// stream. One message when all fits kSingleMessageBytesMax; else the signed record comes in a message of its
/// own, the last. No message exceeds kSentMessageBytesMax: more protocols and addresses go into further
/// messages, protocols first. What does not fit kSentMessagesMax messages is left out, and so is a signed
/// record too large for one message.
std::vector<Bytes> encode(const Info& info);

/// Merges one message into `info`: single fields replace, lists grow up to their limits, what exceeds a limit
/// or cannot be read (addresses of unknown protocols, overlong names) is dropped. Errc::malformed,
/// Errc::bad_public_key.
Result<void> decode_into(ByteView message, Info& info);

}  // namespace starling::identify
