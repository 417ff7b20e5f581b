#include "daemon/subscriptions.hpp"

#include "daemon/codec.hpp"
#include "format/varint.hpp"

namespace starling::daemon {

Result<Subscriptions::Id> Subscriptions::add(const std::string& topic, Deliver deliver,
                                             Host::Done<void> done) {
  if (subscriptions_.size() >= limits_.subscriptions) return fail(Errc::too_many_subscriptions);
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
  if (on_the_way_.fetch_add(1) >= limits_.messages_on_the_way) {
    --on_the_way_;
    const std::lock_guard lock(drops_mutex_);
    ++drops_.on_the_way;
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
  std::size_t without_room = 0;
  for (const auto& [id, deliver_to] : all)
    if (!deliver_to(frame)) ++without_room;
  if (without_room > 0) count_unread(std::string(message.topic), without_room);
}

void Subscriptions::count_unread(const std::string& topic, std::size_t subscribers) {
  const std::lock_guard lock(drops_mutex_);
  if (drops_.unread.size() < kDropTopicsMax || drops_.unread.contains(topic))
    drops_.unread[topic] += subscribers;
  else
    drops_.unread_elsewhere += subscribers;
}

Drops Subscriptions::drops() const {
  const std::lock_guard lock(drops_mutex_);
  return drops_;
}

}  // namespace starling::daemon
