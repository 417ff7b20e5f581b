#pragma once
// DHT messages to bytes and back. Spec: libp2p/specs kad-dht/README.md.
#include "base/bytes.hpp"
#include "proto/kad/errors.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

/// The protobuf of `message`, at most kMessageBytesSentMax bytes: at most kAddrsPerPeerSentMax addresses a
/// peer, and peers are left out from the end of their list when there is no room; providers leave half of it
/// to closer peers, without which a lookup could not go on. Key and record are always whole: the caller keeps
/// them within kKeyBytesMax and kValueBytesMax.
Bytes encode(const Message& message);

/// Bounded before anything is kept: at most kMessageBytesMax bytes, kKeyBytesMax, kValueBytesMax,
/// kPeersPerListMax peers a list and kAddrsPerPeerMax addresses a peer (what is more is skipped undecoded).
/// Unknown fields are skipped, so are peers whose id and addresses whose form we do not know: one strange
/// entry must not hide nineteen good ones. Errc::bad_message, Errc::key_too_long, Errc::value_too_long,
/// format errors.
Result<Message> decode(ByteView bytes);

}  // namespace starling::kad
