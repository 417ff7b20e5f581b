#include "proto/gossip/message.hpp"

#include "crypto/hash.hpp"

namespace starling::gossip {

MessageId id_from_seqno(const Message& message) {
  MessageId id;
  id.reserve(message.from.size() + message.seqno.size());
  append(id, message.from);
  append(id, message.seqno);
  return id;
}

MessageId id_from_content(const Message& message) {
  const auto digest = crypto::sha256(message.data);
  return {digest.begin(), digest.end()};
}

}  // namespace starling::gossip
