#include <utility>

#include "format/protobuf.hpp"
#include "proto/gossip/errors.hpp"
#include "proto/gossip/message_layout.hpp"
#include "proto/gossip/rpc_codec.hpp"
#include "proto/gossip/rpc_fields.hpp"

namespace starling::gossip {
namespace {

/// Calls `take(field)` for every field; any failure is Errc::malformed.
template <class Take>
Result<void> each_field(ByteView message, Take take) {
  pb::Reader reader(message);
  while (true) {
    const auto field = reader.next();
    if (!field) return fail(Errc::malformed);
    if (!*field) return {};
    STARLING_TRY(take(**field));
  }
}

Result<ByteView> bytes_of(const pb::Field& field) noexcept {
  if (field.type != pb::WireType::length_delimited) return fail(Errc::malformed);
  return field.payload;
}

Result<std::uint64_t> number_of(const pb::Field& field) noexcept {
  if (field.type != pb::WireType::varint) return fail(Errc::malformed);
  return field.number;
}

/// Views of one Message; the last of a repeated singular field counts, as in every protobuf library.
struct MessageView {
  ByteView from, data, seqno, topic, signature, key;
};

Result<MessageView> view_message(ByteView bytes) {
  MessageView view;
  STARLING_TRY(each_field(bytes, [&view](const pb::Field& f) -> Result<void> {
    ByteView* target = nullptr;
    switch (f.id) {
      case field::kMessageFrom: target = &view.from; break;
      case field::kMessageData: target = &view.data; break;
      case field::kMessageSeqno: target = &view.seqno; break;
      case field::kMessageTopic: target = &view.topic; break;
      case field::kMessageSignature: target = &view.signature; break;
      case field::kMessageKey: target = &view.key; break;
      default: return {};
    }
    STARLING_ASSIGN(*target, bytes_of(f));
    return {};
  }));
  return view;
}

bool within_limits(const MessageView& view) noexcept {
  return view.from.size() <= kAuthorBytesMax && view.seqno.size() <= kSeqnoKeptBytesMax &&
         view.topic.size() <= kTopicBytesMax && view.signature.size() <= kSignatureBytesMax &&
         view.key.size() <= kKeyBytesMax;
}

Message own_message(const MessageView& view) {
  Message out;
  out.from = to_bytes(view.from);
  out.seqno = to_bytes(view.seqno);
  out.topic = to_text(view.topic);
  out.signature = to_bytes(view.signature);
  out.key = to_bytes(view.key);
  lay_out(out, view.data);
  return out;
}

/// One walk over an RPC with what is left of each limit.
class Decoder {
 public:
  explicit Decoder(const DecodeLimits& limits) : limits_(limits), ids_left_(limits.ids_max) {}

  Result<Rpc> decode(ByteView body) {
    STARLING_TRY(each_field(body, [this](const pb::Field& f) -> Result<void> {
      switch (f.id) {
        case field::kRpcSubscriptions: return subscription(f);
        case field::kRpcPublish: return message(f);
        case field::kRpcControl: return control(f);
        default: return {};
      }
    }));
    return std::move(rpc_);
  }

 private:
  Result<void> skip() noexcept {
    ++rpc_.skipped_count;
    return {};
  }

  static bool good_topic(ByteView topic) noexcept { return !topic.empty() && topic.size() <= kTopicBytesMax; }

  Result<void> subscription(const pb::Field& f) {
    STARLING_ASSIGN(const ByteView body, bytes_of(f));
    if (rpc_.subscriptions.size() >= limits_.subscriptions_max) return skip();
    ByteView topic;
    Subscription change = Subscription::unsubscribe;
    STARLING_TRY(each_field(body, [&](const pb::Field& inner) -> Result<void> {
      if (inner.id == field::kSubOptsSubscribe) {
        STARLING_ASSIGN(const auto flag, number_of(inner));
        change = flag != 0 ? Subscription::subscribe : Subscription::unsubscribe;
      } else if (inner.id == field::kSubOptsTopic) {
        STARLING_ASSIGN(topic, bytes_of(inner));
      }
      return {};
    }));
    if (!good_topic(topic)) return skip();
    rpc_.subscriptions.push_back({to_text(topic), change});
    return {};
  }

  Result<void> message(const pb::Field& f) {
    STARLING_ASSIGN(const ByteView body, bytes_of(f));
    if (rpc_.messages.size() >= limits_.messages_max) return skip();
    STARLING_ASSIGN(const MessageView view, view_message(body));
    if (!within_limits(view)) return skip();
    rpc_.messages.push_back(std::make_shared<const Message>(own_message(view)));
    return {};
  }

  Result<void> control(const pb::Field& f) {
    STARLING_ASSIGN(const ByteView body, bytes_of(f));
    return each_field(body, [this](const pb::Field& inner) -> Result<void> {
      switch (inner.id) {
        case field::kControlIhave: return ihave(inner);
        case field::kControlIwant: return iwant(inner);
        case field::kControlGraft: return graft(inner);
        case field::kControlPrune: return prune(inner);
        default: return {};  // IDONTWANT and extensions of newer peers
      }
    });
  }

  /// Adds one id as far as the limits allow.
  Result<void> id(const pb::Field& f, std::vector<MessageId>& ids) {
    STARLING_ASSIGN(const ByteView value, bytes_of(f));
    if (ids_left_ == 0 || value.empty() || value.size() > kMessageIdBytesMax) return skip();
    --ids_left_;
    ids.push_back(to_bytes(value));
    return {};
  }

  Result<void> ihave(const pb::Field& f) {
    STARLING_ASSIGN(const ByteView body, bytes_of(f));
    if (rpc_.control.ihave.size() >= limits_.control_entries_max) return skip();
    IHave entry;
    ByteView topic;
    STARLING_TRY(each_field(body, [&](const pb::Field& inner) -> Result<void> {
      if (inner.id == field::kIhaveIds) return id(inner, entry.ids);
      if (inner.id != field::kIhaveTopic) return {};
      STARLING_ASSIGN(topic, bytes_of(inner));
      return {};
    }));
    if (!good_topic(topic)) return skip();
    if (entry.ids.empty()) return {};
    entry.topic = to_text(topic);
    rpc_.control.ihave.push_back(std::move(entry));
    return {};
  }

  Result<void> iwant(const pb::Field& f) {
    STARLING_ASSIGN(const ByteView body, bytes_of(f));
    if (rpc_.control.iwant.size() >= limits_.control_entries_max) return skip();
    IWant entry;
    STARLING_TRY(each_field(body, [&](const pb::Field& inner) -> Result<void> {
      return inner.id == field::kIwantIds ? id(inner, entry.ids) : Result<void>{};
    }));
    if (!entry.ids.empty()) rpc_.control.iwant.push_back(std::move(entry));
    return {};
  }

  Result<void> graft(const pb::Field& f) {
    STARLING_ASSIGN(const ByteView body, bytes_of(f));
    if (rpc_.control.graft.size() >= limits_.control_entries_max) return skip();
    ByteView topic;
    STARLING_TRY(each_field(body, [&](const pb::Field& inner) -> Result<void> {
      if (inner.id != field::kGraftTopic) return {};
      STARLING_ASSIGN(topic, bytes_of(inner));
      return {};
    }));
    if (!good_topic(topic)) return skip();
    rpc_.control.graft.push_back({to_text(topic)});
    return {};
  }

  Result<void> prune(const pb::Field& f) {
    STARLING_ASSIGN(const ByteView body, bytes_of(f));
    if (rpc_.control.prune.size() >= limits_.control_entries_max) return skip();
    Prune entry;
    ByteView topic;
    STARLING_TRY(each_field(body, [&](const pb::Field& inner) -> Result<void> {
      switch (inner.id) {
        case field::kPruneTopic: {
          STARLING_ASSIGN(topic, bytes_of(inner));
          return {};
        }
        case field::kPrunePeers: return px_peer(inner, entry.peers);
        case field::kPruneBackoff: {
          STARLING_ASSIGN(entry.backoff_s, number_of(inner));
          return {};
        }
        default: return {};
      }
    }));
    if (!good_topic(topic)) return skip();
    entry.topic = to_text(topic);
    rpc_.control.prune.push_back(std::move(entry));
    return {};
  }

  Result<void> px_peer(const pb::Field& f, std::vector<PxPeer>& peers) {
    STARLING_ASSIGN(const ByteView body, bytes_of(f));
    if (peers.size() >= kPxPeersPerPruneMax) return skip();
    ByteView peer_id;
    ByteView record;
    STARLING_TRY(each_field(body, [&](const pb::Field& inner) -> Result<void> {
      if (inner.id == field::kPxPeerId) {
        STARLING_ASSIGN(peer_id, bytes_of(inner));
      } else if (inner.id == field::kPxRecord) {
        STARLING_ASSIGN(record, bytes_of(inner));
      }
      return {};
    }));
    if (peer_id.empty() || peer_id.size() > kPxPeerIdBytesMax) return skip();
    if (record.size() > kPxRecordBytesMax) record = {};
    peers.push_back({to_bytes(peer_id), Slice::copy(record)});
    return {};
  }

  const DecodeLimits& limits_;
  std::size_t ids_left_;
  Rpc rpc_;
};

}  // namespace

Result<Rpc> decode(ByteView body, const DecodeLimits& limits) {
  if (body.size() > limits.rpc_bytes_max) return fail(Errc::too_large);
  return Decoder(limits).decode(body);
}

Result<Message> decode_message(ByteView bytes) {
  STARLING_ASSIGN(const MessageView view, view_message(bytes));
  if (!within_limits(view)) return fail(Errc::too_large);
  return own_message(view);
}

}  // namespace starling::gossip
