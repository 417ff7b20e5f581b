#include "tls/handshake.hpp"

#include "base/assert.hpp"

namespace starling::tls {
namespace {

constexpr std::uint8_t kHandshakeRecord = 22;

}  // namespace

Handshake::Handshake(Role role, const Identity& identity, Config config, Now now)
    : role_(role),
      identity_(&identity),
      records_per_key_(config.records_per_key),
      began_(now),
      deadline_(now.mono + config.time) {
  judge_.expected_peer = std::move(config.expected_peer);
  judge_.muxers = std::move(config.muxers);
  if (role_ != Role::client) return;
  const auto written = step();
  STARLING_ASSERT(written.has_value());  // nothing of the peer's goes into a ClientHello
}

void Handshake::sent(std::size_t count) noexcept {
  STARLING_ASSERT(count <= to_send().size());
  sent_ += count;
  if (sent_ != out_.size()) return;
  out_.clear();
  sent_ = 0;
}

Result<std::size_t> Handshake::receive(ByteView bytes, Instant now) {
  if (failed_) return fail(Errc::broken);
  const std::size_t offered = bytes.size();
  while (!complete() && !bytes.empty()) {
    // What is wanted grows from the header to the whole record; no byte behind it is ever taken.
    const std::size_t taken = std::min(Transport::wanted_bytes(in_) - in_.size(), bytes.size());
    append(in_, bytes.first(taken));
    bytes = bytes.subspan(taken);
    if (in_.size() < kRecordHeaderBytes) break;
    Result<void> result = check_front();
    if (result && in_.size() == Transport::wanted_bytes(in_)) result = on_record(now);
    if (result) continue;
    end();
    return fail(result.error());
  }
  return offered - bytes.size();
}

// Refused at the header: before a byte of the record is stored.
Result<void> Handshake::check_front() const {
  STARLING_TRY(Transport::check_header(in_));
  if (channel_ == nullptr && in_[0] != kHandshakeRecord) return fail(Errc::bad_record);
  if (received_bytes_ + Transport::wanted_bytes(in_) > kHandshakeBytesMax)
    return fail(Errc::handshake_too_large);
  return {};
}

Result<void> Handshake::on_record(Instant now) {
  received_bytes_ += in_.size();
  judge_.now = began_.wall + std::max(now - began_.mono, Duration::zero());
  const Result<void> result = step();
  in_.clear();
  return result;
}

Result<void> Handshake::step() {
  if (channel_ == nullptr) channel_ = std::make_unique<Channel>(*identity_, role_, judge_.muxers);
  channel_->feed(in_);
  channel_->send_to(&out_);
  const auto step = channel_->handshake(judge_);
  channel_->send_to(nullptr);
  if (!step) return fail(step.error());
  if (!channel_->fed()) return fail(Errc::bad_handshake);
  switch (*step) {
    case Channel::Step::wants_more: return {};
    case Channel::Step::closed: return fail(Errc::refused_by_peer);
    case Channel::Step::done: break;
  }
  return finish();
}

Result<void> Handshake::finish() {
  if (!judge_.key) return fail(Errc::no_certificate);
  std::optional<std::string> muxer;
  // One that both have named: choose_protocol() sees to it here, OpenSSL with a server's answer.
  const std::string_view agreed = channel_->application_protocol();
  if (!agreed.empty() && agreed != kNoMuxer) muxer.emplace(agreed);
  secured_.emplace(Secured{judge_.peer, std::move(*judge_.key), std::move(muxer),
                           Transport(std::move(channel_), records_per_key_)});
  return {};
}

void Handshake::end() {
  failed_ = true;
  channel_.reset();
  Bytes().swap(in_);
}

Secured Handshake::take() {
  STARLING_ASSERT(secured_.has_value());
  Secured out = std::move(*secured_);
  secured_.reset();
  taken_ = true;
  return out;
}

Result<void> Handshake::on_deadline(Instant now) {
  if (complete() || failed_ || now < deadline_) return {};
  end();
  return fail(Errc::timed_out);
}

}  // namespace starling::tls
