#include "node/own_presence.hpp"

#include <algorithm>

#include "agent/names.hpp"

namespace starling::node {
namespace {

std::uint64_t u64_at(ByteView bytes, std::size_t offset) {
  return get_u64_be(bytes.subspan(offset).first<8>());
}

}  // namespace

Bytes encode_seal_keys(const agent::SealKeys& keys) {
  Bytes out;
  for (const auto& entry : keys.entries()) {
    append(out, entry.pair.secret);
    put_u64_be(out, entry.made_at.ms());
    put_u64_be(out, entry.named_until.ms());
  }
  return out;
}

Result<std::vector<agent::SealKeyEntry>> decode_seal_keys(ByteView bytes) {
  constexpr std::size_t kEntryBytes = 48;
  if (bytes.size() % kEntryBytes != 0 || bytes.size() / kEntryBytes > agent::kSealKeysMax)
    return fail(format::Errc::length_out_of_bounds);
  std::vector<agent::SealKeyEntry> out;
  for (; !bytes.empty(); bytes = bytes.subspan(kEntryBytes)) {
    agent::SealKeyEntry entry;
    entry.pair.secret = *to_fixed<32>(bytes.first(32));
    entry.pair.public_key = crypto::x25519_public(entry.pair.secret);
    entry.made_at = WallTime::from_ms(u64_at(bytes, 32));
    entry.named_until = WallTime::from_ms(u64_at(bytes, 40));
    out.push_back(entry);
  }
  return out;
}

Bytes encode_issued(const agent::IssuedState& issued) {
  Bytes out;
  put_u64_be(out, issued.last_issued);
  put_u64_be(out, issued.largest_expiry.ms());
  return out;
}

Result<agent::IssuedState> decode_issued(ByteView bytes) {
  if (bytes.size() != 16) return fail(format::Errc::length_out_of_bounds);
  return agent::IssuedState{u64_at(bytes, 0), WallTime::from_ms(u64_at(bytes, 8))};
}

void OwnPresence::start(Now now) {
  started_ = true;
  make_due_ = now.mono;
}

void OwnPresence::stop() noexcept {
  started_ = false;
  make_due_ = put_due_ = announce_due_ = Instant::never();
}

void OwnPresence::on_addresses_changed(Now now) {
  if (!started_ || record_.empty() || withdrawing_) return;
  make_due_ = std::min(make_due_, std::max(now.mono, last_made_ + kRecordPauseMin));
}

void OwnPresence::on_server_added(Now now) {
  if (!started_) return;
  // A PUT under way meets servers, too: whether they matter is known when it ends.
  if (put_query_)
    server_met_ = true;
  else if (!record_.empty() && few_hold_it())
    put_due_ = std::min(put_due_, now.mono + kPutAgainAfter);
}

bool OwnPresence::few_hold_it() const noexcept {
  return host_.dht() != nullptr && stored_ < host_.dht()->config().enough_stored();
}

void OwnPresence::persist_identity() {
  out_.push(agent_event::Persist{Kept::issued, {}, encode_issued(identity_.issued())});
  out_.push(agent_event::Persist{Kept::delegation, {}, agent::encode(identity_.delegation().wire)});
}

void OwnPresence::persist_seal_keys() {
  if (seal_keys_.revision() == seal_revision_) return;
  seal_revision_ = seal_keys_.revision();
  out_.push(agent_event::Persist{Kept::seal_keys, {}, encode_seal_keys(seal_keys_)});
}

void OwnPresence::make_record(Now now) {
  make_due_ = now.mono + content_.republish;
  if (const auto renewed = identity_.renew(now.wall); !renewed) env_.metrics.add("delegation_renewal_failed");
  agent::PresenceContent content;
  content.addrs = host_.addresses().advertised();
  content.name = content_.name;
  content.role = content_.role;
  content.seal_key = seal_keys_.current(now.wall, env_.rng);
  content.agent_version = content_.version;
  auto record = identity_.make_record(content, now.wall);
  if (!record) {
    // A clock that fell behind the last record: wait for it to catch up instead of publishing what all would
    // ignore.
    env_.metrics.add("presence_not_made");
    make_due_ = now.mono + kPutRetryMax;
    return;
  }
  record_ = *std::move(record);
  record_seq_ = identity_.issued().last_issued;
  last_made_ = now.mono;
  seal_keys_.named(*content.seal_key, identity_.issued().largest_expiry);
  persist_identity();
  persist_seal_keys();
  stored_ = 0;
  put(now);
  announce(now);
}

void OwnPresence::put(Now now) {
  put_due_ = Instant::never();
  kad::Kad* dht = host_.dht();
  if (dht == nullptr || record_.empty()) return;
  kad::QueryOptions options;
  // Who withdraws goes away afterwards: nothing could be completed in the background.
  if (withdrawing_) options.publish = kad::Publish::classic;
  server_met_ = false;
  put_query_ = dht->put_value(agent::presence_key(identity_.wallet()), record_, now, options);
  if (!withdrawing_) {
    const Bytes key = agent::provider_key(identity_.wallet());
    dht->stop_providing(key);
    dht->provide(key, now);
  }
}

void OwnPresence::announce(Now now) {
  announce_due_ = Instant::never();
  if (content_.announce == Announce::no || record_.empty() || host_.pubsub() == nullptr) return;
  const auto published =
      host_.publish(agent::to_string(agent::Topic::announcements), Slice::copy(record_), now);
  if (!published || published->handed_to == 0) announce_due_ = now.mono + kAnnounceRetry;
}

bool OwnPresence::on_query(const kad::QueryDone& done, Now now) {
  if (!put_query_ || done.id != put_query_) return false;
  put_query_ = {};
  const auto* put_done = done.result ? std::get_if<kad::PutDone>(&*done.result) : nullptr;
  if (put_done != nullptr && put_done->stored > 0) {
    failures_ = 0;
    stored_ = put_done->stored;
    better_ = put_done->better;
    out_.push(agent_event::Published{record_seq_, stored_});
    withdrawn_ = withdrawing_;
    if (std::exchange(server_met_, false)) on_server_added(now);
    return true;
  }
  if (put_done != nullptr) better_ = put_done->better;
  const Duration pause = std::min(
      kPutRetryMax, saturating_scale(kPutRetryFirst, static_cast<double>(1U << std::min(failures_, 10U))));
  ++failures_;
  if (withdrawing_)
    withdrawn_ = true;
  else if (started_)
    put_due_ = now.mono + pause;
  env_.metrics.add("presence_put_failed");
  return true;
}

void OwnPresence::withdraw(Now now) {
  withdrawing_ = true;
  make_due_ = put_due_ = announce_due_ = Instant::never();
  if (!started_ || record_.empty()) {
    withdrawn_ = true;
    return;
  }
  auto record = identity_.make_withdrawal(now.wall);
  if (!record) {
    withdrawn_ = true;
    return;
  }
  record_ = *std::move(record);
  record_seq_ = identity_.issued().last_issued;
  persist_identity();
  give_up_at_ = now.mono + kWithdrawTimeMax;
  announce(now);
  announce_due_ = Instant::never();
  if (kad::Kad* dht = host_.dht()) {
    dht->stop_providing(agent::provider_key(identity_.wallet()));
    put(now);
  } else {
    withdrawn_ = true;
  }
}

std::optional<agent_event::Event> OwnPresence::poll() {
  if (out_.empty()) return std::nullopt;
  return out_.pop();
}

Instant OwnPresence::deadline() const noexcept {
  return std::min({make_due_, put_due_, announce_due_, withdrawn_ ? Instant::never() : give_up_at_});
}

void OwnPresence::on_deadline(Now now) {
  if (make_due_ <= now.mono) make_record(now);
  if (put_due_ <= now.mono) put(now);
  if (announce_due_ <= now.mono) announce(now);
  if (give_up_at_ <= now.mono) withdrawn_ = true;
}

}  // namespace starling::node
