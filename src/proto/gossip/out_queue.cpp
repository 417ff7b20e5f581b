#include "proto/gossip/out_queue.hpp"

#include <algorithm>

#include "format/varint.hpp"

namespace starling::gossip {
namespace {

std::size_t lasting_entries(const Rpc& rpc) noexcept {
  return rpc.subscriptions.size() + rpc.control.graft.size() + rpc.control.prune.size();
}

std::size_t gossip_ids(const Control& control) noexcept {
  std::size_t count = 0;
  for (const IHave& entry : control.ihave) count += entry.ids.size();
  for (const IWant& entry : control.iwant) count += entry.ids.size();
  return count;
}

std::size_t encoded_bytes(const Message& message) {
  const std::size_t body = message.raw.empty() ? encode_message(message).size() : message.raw.size();
  return 1 + format::varint_size(body) + body;
}

/// Whether one RPC may say both and mean the same as two. A receiver takes subscriptions first, then GRAFTs,
/// then PRUNEs.
bool may_merge(const Rpc& waiting, const Rpc& next) noexcept {
  const bool links_wait = !waiting.control.graft.empty() || !waiting.control.prune.empty();
  if (links_wait && !next.subscriptions.empty()) return false;
  return waiting.control.prune.empty() || next.control.graft.empty();
}

template <class T>
void move_all(std::vector<T>& from, std::vector<T>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

Pushed OutQueue::push(Rpc rpc, Lane lane) {
  std::vector<MessagePtr> messages = std::exchange(rpc.messages, {});
  Pushed outcome = rpc.empty() ? Pushed::queued : push_control(std::move(rpc));
  if (!messages.empty())
    outcome = std::max(outcome, lane == Lane::own ? push_own(messages) : push_relay(messages));
  return outcome;
}

Pushed OutQueue::push_control(Rpc rpc) {
  Pushed outcome = Pushed::queued;
  const std::size_t ids = gossip_ids(rpc.control);
  if (gossip_ids_ + ids > limits_.gossip_ids_max) {
    counters_.gossip_dropped += ids;
    rpc.control.ihave.clear();
    rpc.control.iwant.clear();
    outcome = Pushed::trimmed;
  } else {
    gossip_ids_ += ids;
  }
  const std::size_t entries = lasting_entries(rpc);
  if (control_entries_ + entries > limits_.control_entries_max) return Pushed::overflow;
  control_entries_ += entries;
  if (rpc.empty()) return outcome;
  if (!control_.empty() && may_merge(control_.back(), rpc)) {
    Rpc& last = control_.back();
    move_all(rpc.subscriptions, last.subscriptions);
    move_all(rpc.control.graft, last.control.graft);
    move_all(rpc.control.prune, last.control.prune);
    move_all(rpc.control.ihave, last.control.ihave);
    move_all(rpc.control.iwant, last.control.iwant);
  } else {
    control_.push(std::move(rpc));
  }
  return outcome;
}

Pushed OutQueue::push_own(std::vector<MessagePtr>& messages) {
  Pushed outcome = Pushed::queued;
  for (MessagePtr& message : messages) {
    const std::size_t bytes = message->cost_bytes();
    // One message always fits into an empty lane, whatever its size.
    const bool full =
        own_.items.size() >= limits_.own_count_max || own_.bytes + bytes > limits_.own_bytes_max;
    if (full && !own_.items.empty()) {
      ++counters_.own_refused;
      outcome = Pushed::refused;
      continue;
    }
    own_.bytes += bytes;
    own_.items.push(std::move(message));
  }
  return outcome;
}

Pushed OutQueue::push_relay(std::vector<MessagePtr>& messages) {
  Pushed outcome = Pushed::queued;
  for (MessagePtr& message : messages) {
    const std::size_t bytes = message->cost_bytes();
    relay_.bytes += bytes;
    relay_.items.push(std::move(message));
    // What waited longest has most likely reached the peer on another way.
    while (relay_.items.size() > 1 &&
           (relay_.items.size() > limits_.relay_count_max || relay_.bytes > limits_.relay_bytes_max)) {
      relay_.bytes -= relay_.items.pop()->cost_bytes();
      ++counters_.relay_dropped;
      outcome = Pushed::trimmed;
    }
  }
  return outcome;
}

void OutQueue::take_messages(MessageLane& lane, Rpc& out, std::size_t& room_bytes) {
  while (!lane.items.empty() && out.messages.size() < encode_limits_.messages_max) {
    const std::size_t bytes = encoded_bytes(*lane.items.front());
    if (bytes > room_bytes && !out.messages.empty()) return;
    room_bytes -= std::min(bytes, room_bytes);
    lane.bytes -= lane.items.front()->cost_bytes();
    out.messages.push_back(lane.items.pop());
  }
}

std::optional<Frame> OutQueue::next_frame() {
  if (ready_.empty() && !control_.empty()) {
    const Rpc rpc = control_.pop();
    control_entries_ -= lasting_entries(rpc);
    gossip_ids_ -= gossip_ids(rpc.control);
    for (Frame& frame : encode(rpc, encode_limits_)) ready_.push(std::move(frame));
  }
  if (!ready_.empty()) return ready_.pop();
  if (own_.items.empty() && relay_.items.empty()) return std::nullopt;
  Rpc rpc;
  std::size_t room_bytes = encode_limits_.rpc_bytes_max;
  take_messages(own_, rpc, room_bytes);
  if (own_.items.empty()) take_messages(relay_, rpc, room_bytes);
  for (Frame& frame : encode(rpc, encode_limits_)) ready_.push(std::move(frame));
  return ready_.pop();
}

bool OutQueue::empty() const noexcept {
  return ready_.empty() && control_.empty() && own_.items.empty() && relay_.items.empty();
}

}  // namespace starling::gossip
