#include "identify/codec.hpp"

#include "format/protobuf.hpp"
#include "format/varint.hpp"

namespace starling::identify {
namespace {

constexpr std::uint32_t kPublicKey = 1;
constexpr std::uint32_t kListenAddrs = 2;
constexpr std::uint32_t kProtocols = 3;
constexpr std::uint32_t kObservedAddr = 4;
constexpr std::uint32_t kProtocolVersion = 5;
constexpr std::uint32_t kAgentVersion = 6;
constexpr std::uint32_t kSignedPeerRecord = 8;

std::size_t field_bytes(std::size_t value_bytes) {
  return 1 + format::varint_size(value_bytes) + value_bytes;
}

// Fills messages one after the other.
class Packer {
 public:
  void add(std::uint32_t field, ByteView value) {
    if (value.empty() || field_bytes(value.size()) > kSentMessageBytesMax) return;
    if (messages_.back().size() + field_bytes(value.size()) > kSentMessageBytesMax) {
      // One place stays free for the signed record.
      if (messages_.size() + 1 >= kSentMessagesMax) return;
      messages_.emplace_back();
    }
    pb::Writer(messages_.back()).bytes(field, value);
  }
  // Beside the rest when that is short, else alone and last: a peer that reads one message has all but the
  // record.
  void add_record(ByteView value) {
    if (value.empty() || field_bytes(value.size()) > kSentMessageBytesMax) return;
    const bool together = messages_.size() == 1 &&
                          messages_.back().size() + field_bytes(value.size()) <= kSingleMessageBytesMax;
    if (!together && !messages_.back().empty()) messages_.emplace_back();
    pb::Writer(messages_.back()).bytes(kSignedPeerRecord, value);
  }
  std::vector<Bytes> frames() const {
    std::vector<Bytes> out;
    for (const auto& message : messages_) out.push_back(format::make_frame(message));
    return out;
  }

 private:
  std::vector<Bytes> messages_{Bytes()};
};

// A text about the peer, for people: absent rather than cut when we would not show it.
Result<void> set_version(std::string& version, ByteView value) {
  version = value.size() <= kVersionBytesMax && pb::is_utf8(value) ? to_text(value) : std::string();
  return {};
}

Result<void> add_address(std::vector<Multiaddr>& addrs, ByteView value) {
  if (addrs.size() >= kAddressesMax) return {};
  auto addr = Multiaddr::from_bytes(value);
  if (addr && !addr->empty()) addrs.push_back(std::move(*addr));
  return {};
}

Result<void> add_protocol(std::vector<std::string>& protocols, ByteView value) {
  if (protocols.size() >= kProtocolsMax || value.empty() || value.size() > kProtocolBytesMax) return {};
  protocols.push_back(to_text(value));
  return {};
}

Result<void> apply(std::uint32_t field, ByteView value, Info& info) {
  switch (field) {
    case kPublicKey: {
      auto key = format::decode_public_key(value);
      if (!key) return fail(Errc::bad_public_key);
      info.public_key = std::move(*key);
      return {};
    }
    case kListenAddrs: return add_address(info.listen_addrs, value);
    case kProtocols: return add_protocol(info.protocols, value);
    case kObservedAddr: {
      auto addr = Multiaddr::from_bytes(value);
      if (addr && !addr->empty()) info.observed_addr = std::move(*addr);
      return {};
    }
    case kProtocolVersion: return set_version(info.protocol_version, value);
    case kAgentVersion: return set_version(info.agent_version, value);
    default: info.signed_peer_record = to_bytes(value); return {};
  }
}

bool is_known(std::uint32_t field) {
  return (field >= kPublicKey && field <= kAgentVersion) || field == kSignedPeerRecord;
}
bool is_list(std::uint32_t field) { return field == kListenAddrs || field == kProtocols; }

}  // namespace

std::vector<Bytes> encode(const Info& info) {
  Packer packer;
  // Single fields first: whatever is left out when there is too much, it is the end of a list.
  if (info.public_key) packer.add(kPublicKey, format::encode_public_key(*info.public_key));
  if (info.observed_addr) packer.add(kObservedAddr, info.observed_addr->bytes());
  packer.add(kProtocolVersion, as_bytes(info.protocol_version));
  packer.add(kAgentVersion, as_bytes(info.agent_version));
  for (const auto& protocol : info.protocols) packer.add(kProtocols, as_bytes(protocol));
  for (const auto& addr : info.listen_addrs) packer.add(kListenAddrs, addr.bytes());
  packer.add_record(info.signed_peer_record);
  return packer.frames();
}

Result<void> decode_into(ByteView message, Info& info) {
  pb::Reader reader(message);
  pb::Once once;
  for (;;) {
    const auto field = reader.next();
    if (!field) return fail(Errc::malformed);
    if (!*field) return {};
    const std::uint32_t id = (*field)->id;
    if (!is_known(id)) continue;
    const auto value = pb::as_bytes(**field);
    if (!value || (!is_list(id) && !once.check(id))) return fail(Errc::malformed);
    STARLING_TRY(apply(id, *value, info));
  }
}

}  // namespace starling::identify
