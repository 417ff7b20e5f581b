#include "node/sender.hpp"

#include "agent/names.hpp"
#include "agent/sealing.hpp"

namespace starling::node {

std::optional<EthAddress> Sender::start(AskId ask, SendOptions options, Now now) {
  if (sends_.size() >= kSendsMax || host_.pubsub() == nullptr) {
    const auto why = host_.pubsub() == nullptr ? Errc::gossip_off : Errc::too_many_sends;
    out_.push({ask, {}, agent::DeliveryState::failed, {}, make_error(why), 0});
    return std::nullopt;
  }
  const auto id = agent::make_envelope_id(env_.rng);
  auto envelope = identity_.start_envelope(id, options.to, now.wall, options.life);
  if (!envelope) {
    out_.push({ask, id, agent::DeliveryState::failed, {}, envelope.error(), 0});
    return std::nullopt;
  }
  Send& send = sends_[ask];
  send.options = std::move(options);
  send.envelope = *std::move(envelope);
  if (send.options.to) trust_.floors().meet(*send.options.to, now.wall);
  if (send.options.to && send.options.sealing == SendOptions::Sealing::required) return send.options.to;
  launch(ask, std::nullopt, now);
  return std::nullopt;
}

void Sender::on_recipient(AskId ask, const Result<FoundPresence>& found, Now now) {
  const auto it = sends_.find(ask);
  if (it == sends_.end() || it->second.schedule) return;
  if (!found) return end(ask, agent::DeliveryState::failed, found.error());
  const agent::Presence& presence = found->presence.fields;
  if (presence.withdrawn) return end(ask, agent::DeliveryState::failed, make_error(Errc::withdrawn));
  if (!presence.seal_key) return end(ask, agent::DeliveryState::failed, make_error(Errc::no_seal_key));
  launch(ask, presence.seal_key, now);
}

Result<void> Sender::compose(Send& send, const std::optional<crypto::X25519Key>& seal_key) {
  SendOptions& options = send.options;
  agent::Envelope& envelope = send.envelope;
  if (seal_key) {
    const agent::Inner inner{options.content_type, std::move(options.body), options.conversation,
                             options.in_reply_to, options.kind};
    STARLING_TRY(agent::seal_into(envelope, inner, *seal_key, env_.rng));
  } else {
    envelope.content_type = options.content_type;
    envelope.body = Slice::copy(options.body);
    envelope.conversation = options.conversation;
    envelope.in_reply_to = options.in_reply_to;
    envelope.kind = options.kind;
    Bytes().swap(options.body);
  }
  // Every honest node refuses an envelope that breaks a limit, so it is refused here, with the limit's name.
  envelope.published_at = envelope.sent_at;
  const Slice data = Slice::copy(agent::encode(envelope));
  if (data.size() > agent::kEnvelopeGossipBytesMax) return fail(Errc::too_big);
  STARLING_ASSIGN(const auto fields, agent::decode_envelope_fields(data.view()));
  STARLING_ASSIGN(const auto checked,
                  agent::check_fields(fields, data, agent::Path::gossip, identity_.network()));
  static_cast<void>(checked);
  return {};
}

void Sender::launch(AskId ask, const std::optional<crypto::X25519Key>& seal_key, Now now) {
  Send& send = sends_.at(ask);
  if (const auto composed = compose(send, seal_key); !composed)
    return end(ask, agent::DeliveryState::failed, composed.error());
  out_.push({ask, send.envelope.id, agent::DeliveryState::accepted, {}, std::nullopt, 0});
  send.schedule.emplace(send.envelope.expires_at, now);
  arm(ask, send, now.mono);
  on_deadline(now);
}

void Sender::publish_copy(AskId ask, Send& send, Now now) {
  send.envelope.published_at = now.wall;
  const auto published =
      host_.publish(agent::to_string(agent::Topic::messages), Slice::copy(agent::encode(send.envelope)), now);
  const std::size_t handed_to = published ? published->handed_to : 0;
  if (handed_to == 0) {
    send.due = now.mono + kNobodyThereRetry;
    return;
  }
  if (send.handed_over) return;
  send.handed_over = true;
  ++sent_count_;
  out_.push({ask, send.envelope.id, agent::DeliveryState::sent, "gossip", std::nullopt, handed_to});
}

void Sender::arm(AskId ask, Send& send, Instant due) {
  due_.erase({send.due, ask});
  send.due = due;
  if (!due.is_never()) due_.emplace(due, ask);
}

void Sender::end(AskId ask, agent::DeliveryState state, std::optional<Error> error) {
  auto node = sends_.extract(ask);
  if (node.empty()) return;
  due_.erase({node.mapped().due, ask});
  out_.push({ask, node.mapped().envelope.id, state, {}, error, 0});
}

std::optional<agent_event::SendState> Sender::poll() {
  if (out_.empty()) return std::nullopt;
  return out_.pop();
}

Instant Sender::deadline() const { return due_.empty() ? Instant::never() : due_.begin()->first; }

void Sender::on_deadline(Now now) {
  while (!due_.empty() && due_.begin()->first <= now.mono) {
    const AskId ask = due_.begin()->second;
    due_.erase(due_.begin());
    Send& send = sends_.at(ask);
    send.due = Instant::never();
    send.schedule->on_deadline(now.mono);
    bool ended = now.wall >= send.envelope.expires_at;
    bool publish = !send.handed_over;
    while (const auto action = send.schedule->poll()) {
      publish = publish || *action == agent::Outgoing::Action::publish;
      ended = ended || *action == agent::Outgoing::Action::end;
    }
    if (ended) {
      // Nothing better than `sent` can be known without receipts: at its end the message has expired.
      end(ask, agent::DeliveryState::expired, std::nullopt);
      continue;
    }
    Instant again = Instant::never();
    if (publish) {
      publish_copy(ask, send, now);
      again = send.due;
    }
    send.due = Instant::never();
    arm(ask, send, std::min(again, send.schedule->deadline()));
  }
}

}  // namespace starling::node
