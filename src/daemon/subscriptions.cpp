#include "daemon/subscriptions.hpp"

#include "daemon/codec.hpp"
#include "daemon/limits.hpp"
#include "format/varint.hpp"

namespace starling::daemon {

Result<Subscriptions::Id> Subscriptions::add(const std::string& topic, Deliver deliver,
                                             Host::Done<void> done) {
  if (subscriptions_.size() >= kSubscriptionsMax) return fail(Errc::too_many_subscriptions);
  const Id id = next_id_++;
  // Counted before the host is asked: another client that leaves meanwhile must not end the subscription.
  topics_[topic].emplace(id, std::move(deliver));
  subscriptions_.emplace(id, topic);
  host_.subscribe(topic, std::move(done));
  return id;
}

void Subscriptions::remove(Id id) {
  const auto subscription = subscriptions_.extract(id);
  if (subscription.empty()) return;
  const auto topic = topics_.find(subscription.mapped());
  topic->second.erase(id);
  if (!topic->second.empty()) return;
  host_.unsubscribe(topic->first, [](const Outcome<void>&) {});
  topics_.erase(topic);
}

void Subscriptions::tell(const Message& message) {
  if (on_the_way_.fetch_add(1) >= kMessagesOnTheWayMax) {
    --on_the_way_;
    return;
  }
  loop_.post([this, message] {
    --on_the_way_;
    deliver(message);
  });
}

void Subscriptions::deliver(const Message& message) {
  const auto topic = topics_.find(message.topic);
  if (topic == topics_.end()) return;
  PubsubMessage out;
  out.from = to_bytes(message.author_bytes);
  out.data = to_bytes(message.data);
  out.seqno = to_bytes(message.seqno);
  out.topics.emplace_back(message.topic);
  out.signature = to_bytes(message.signature);
  out.key = to_bytes(message.key);
  const auto frame = std::make_shared<const Bytes>(format::make_frame(encode(out)));
  // Who is told may leave.
  const auto all = topic->second;
  for (const auto& [id, deliver_to] : all) deliver_to(frame);
}

}  // namespace starling::daemon
