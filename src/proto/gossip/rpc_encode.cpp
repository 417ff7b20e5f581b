#include <utility>

#include "format/protobuf.hpp"
#include "format/varint.hpp"
#include "proto/gossip/rpc_codec.hpp"
#include "proto/gossip/rpc_fields.hpp"

namespace starling::gossip {
namespace {

/// Tag and length in front of the control part; a tag is one byte for all fields of an RPC.
std::size_t prefixed_size(std::size_t body) noexcept {
  return body == 0 ? 0 : 1 + format::varint_size(body) + body;
}

/// Room that tag and length of one item may take.
constexpr std::size_t kItemHeaderBytesMax = 8;

/// Fills frames one after the other: an item that does not fit any more starts the next.
class FrameBuilder {
 public:
  explicit FrameBuilder(const EncodeLimits& limits) : limits_(limits) {}

  void add_subscription(const SubOpts& change) {
    Bytes body;
    pb::Writer writer(body);
    writer.varint(field::kSubOptsSubscribe, change.change == Subscription::subscribe ? 1 : 0);
    writer.string(field::kSubOptsTopic, change.topic);
    make_room(prefixed_size(body.size()));
    pb::Writer(subscriptions_).bytes(field::kRpcSubscriptions, body);
  }

  /// What one control item may take at most.
  std::size_t control_item_max() const noexcept {
    const std::size_t limit = std::min(limits_.control_bytes_max, limits_.rpc_bytes_max);
    return limit > 2 * kItemHeaderBytesMax ? limit - 2 * kItemHeaderBytesMax : 1;
  }
  void add_control(std::uint32_t field, const Bytes& body) {
    const std::size_t size = 1 + format::varint_size(body.size()) + body.size();
    if (!control_.empty() && prefixed_size(control_.size() + size) > limits_.control_bytes_max) finish();
    make_room(size + kItemHeaderBytesMax);
    pb::Writer(control_).bytes(field, body);
  }

  void add_message(const MessagePtr& message) {
    Slice raw = message->raw.empty() ? Slice::copy(encode_message(*message)) : message->raw;
    const std::size_t size = prefixed_size(raw.size());
    if (messages_.size() >= limits_.messages_max) finish();
    make_room(size);
    messages_bytes_ += size;
    messages_.push_back(std::move(raw));
  }

  std::vector<Frame> take() {
    finish();
    return std::move(frames_);
  }

 private:
  std::size_t size() const noexcept {
    return subscriptions_.size() + prefixed_size(control_.size()) + messages_bytes_;
  }
  void make_room(std::size_t more) {
    if (size() > 0 && size() + more > limits_.rpc_bytes_max) finish();
  }

  void finish() {
    if (size() == 0) return;
    Frame frame;
    Bytes head;
    format::put_varint(head, size());
    frame.size_bytes = head.size() + size();
    append(head, subscriptions_);
    if (!control_.empty()) pb::Writer(head).bytes(field::kRpcControl, control_);
    for (Slice& raw : messages_) {
      format::put_varint(
          head, field::kRpcPublish << 3 | static_cast<std::uint32_t>(pb::WireType::length_delimited));
      format::put_varint(head, raw.size());
      frame.parts.push_back(Slice::copy(head));
      frame.parts.push_back(std::move(raw));
      head.clear();
    }
    if (!head.empty()) frame.parts.push_back(Slice::copy(head));
    frames_.push_back(std::move(frame));
    subscriptions_.clear();
    control_.clear();
    messages_.clear();
    messages_bytes_ = 0;
  }

  const EncodeLimits& limits_;
  Bytes subscriptions_;
  Bytes control_;
  std::vector<Slice> messages_;
  std::size_t messages_bytes_ = 0;
  std::vector<Frame> frames_;
};

/// A list of ids in as many items as needed; each starts with `head`.
void add_ids(FrameBuilder& builder, std::uint32_t control_field, std::uint32_t id_field, const Bytes& head,
             const std::vector<MessageId>& ids) {
  Bytes body = head;
  for (const MessageId& id : ids) {
    if (id.size() > kMessageIdBytesMax) continue;  // nobody would read it
    if (body.size() > head.size() &&
        body.size() + id.size() + kItemHeaderBytesMax > builder.control_item_max()) {
      builder.add_control(control_field, body);
      body = head;
    }
    pb::Writer(body).bytes(id_field, id);
  }
  if (body.size() > head.size()) builder.add_control(control_field, body);
}

Bytes encode_prune(const Prune& prune, std::size_t peers, bool with_records) {
  Bytes body;
  pb::Writer writer(body);
  writer.string(field::kPruneTopic, prune.topic);
  for (std::size_t i = 0; i < peers; ++i) {
    Bytes peer;
    pb::Writer inner(peer);
    inner.bytes(field::kPxPeerId, prune.peers[i].id);
    if (with_records) inner.bytes_if(field::kPxRecord, prune.peers[i].signed_record);
    writer.bytes(field::kPrunePeers, peer);
  }
  writer.varint_if(field::kPruneBackoff, prune.backoff_s);
  return body;
}

void add_prune(FrameBuilder& builder, const Prune& prune) {
  std::size_t peers = prune.peers.size();
  Bytes body = encode_prune(prune, peers, true);
  if (body.size() > builder.control_item_max()) body = encode_prune(prune, peers, false);
  while (peers > 0 && body.size() > builder.control_item_max()) body = encode_prune(prune, --peers, false);
  builder.add_control(field::kControlPrune, body);
}

Bytes topic_field(std::uint32_t field, std::string_view topic) {
  Bytes out;
  pb::Writer(out).string(field, topic);
  return out;
}

}  // namespace

std::vector<Frame> encode(const Rpc& rpc, const EncodeLimits& limits) {
  FrameBuilder builder(limits);
  for (const SubOpts& change : rpc.subscriptions) builder.add_subscription(change);
  for (const Graft& graft : rpc.control.graft)
    builder.add_control(field::kControlGraft, topic_field(field::kGraftTopic, graft.topic));
  for (const Prune& prune : rpc.control.prune) add_prune(builder, prune);
  for (const IHave& ihave : rpc.control.ihave)
    add_ids(builder, field::kControlIhave, field::kIhaveIds, topic_field(field::kIhaveTopic, ihave.topic),
            ihave.ids);
  for (const IWant& iwant : rpc.control.iwant)
    add_ids(builder, field::kControlIwant, field::kIwantIds, {}, iwant.ids);
  for (const MessagePtr& message : rpc.messages) builder.add_message(message);
  return builder.take();
}

}  // namespace starling::gossip
