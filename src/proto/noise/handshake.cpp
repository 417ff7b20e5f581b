#include "noise/handshake.hpp"

#include "base/assert.hpp"

namespace starling::noise {
namespace {

constexpr std::size_t kFirstMessageBytes = 32;  // an ephemeral key and nothing else

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// The first of the initiator's that both know; nothing when a side named none and leaves it to
// multistream-select.
Result<std::optional<std::string>> choose_muxer(const std::vector<std::string>& initiators,
                                                const std::vector<std::string>& responders) {
  if (initiators.empty() || responders.empty()) return std::optional<std::string>();
  for (const auto& muxer : initiators)
    if (contains(responders, muxer)) return std::optional<std::string>(muxer);
  return fail(Errc::no_common_muxer);
}

}  // namespace

Handshake::Handshake(Role role, const crypto::PrivateKey& identity, Rng& rng, Config config, Instant now)
    : role_(role),
      identity_(&identity),
      rng_(&rng),
      config_(std::move(config)),
      deadline_(now + config_.time) {
  STARLING_ASSERT(config_.muxers.size() <= kMuxersMax);
  STARLING_ASSERT(config_.static_key == nullptr || config_.static_key->identity() == identity.public_key());
  if (role_ != Role::initiator) return;
  begin();
  const auto written = write({});
  STARLING_ASSERT(written.has_value());  // nothing of the peer's goes into message 1
}

// Keys are made no earlier than this side must write: a responder spends nothing on who only connects.
void Handshake::begin() {
  auto static_key =
      config_.static_key != nullptr ? config_.static_key->pair() : crypto::x25519_generate(*rng_);
  auto ephemeral = crypto::x25519_generate(*rng_);
  static_public_ = static_key.public_key;
  state_.emplace(role_, config_.prologue, static_key, ephemeral);
  crypto::wipe(static_key.secret);
  crypto::wipe(ephemeral.secret);
}

// Signed only when it is sent: an initiator signs for a responder that has proved who it is.
Bytes Handshake::own_payload() const {
  if (config_.static_key != nullptr) return config_.static_key->payload(config_.muxers);
  return make_payload(*identity_, static_public_, config_.muxers);
}

Result<void> Handshake::write(ByteView payload) {
  const std::size_t start = out_.size();
  put_u16_be(out_, 0);
  STARLING_TRY(state_->write_message(payload, out_));
  const std::size_t body_bytes = out_.size() - start - kFrameHeaderBytes;
  STARLING_ASSERT(body_bytes <= kHandshakeMessageBytesMax);
  out_[start] = static_cast<std::uint8_t>(body_bytes >> 8);
  out_[start + 1] = static_cast<std::uint8_t>(body_bytes & 0xff);
  return {};
}

void Handshake::sent(std::size_t count) noexcept {
  STARLING_ASSERT(count <= to_send().size());
  sent_ += count;
  if (sent_ != out_.size()) return;
  out_.clear();
  sent_ = 0;
}

Result<std::size_t> Handshake::receive(ByteView bytes) {
  if (failed_) return fail(Errc::broken);
  const std::size_t offered = bytes.size();
  while (!complete() && !bytes.empty()) {
    // What is wanted grows from the prefix to the whole message; no byte behind it is ever taken.
    const std::size_t wanted = Transport::wanted_bytes(in_);
    const std::size_t taken = std::min(wanted - in_.size(), bytes.size());
    append(in_, bytes.first(taken));
    bytes = bytes.subspan(taken);
    if (in_.size() < kFrameHeaderBytes) break;
    const std::size_t whole = Transport::wanted_bytes(in_);
    const bool first = role_ == Role::responder && !state_;
    Result<void> result;
    if (whole - kFrameHeaderBytes > kHandshakeMessageBytesMax) {
      result = fail(Errc::message_too_large);
    } else if (first && whole - kFrameHeaderBytes > kFirstMessageBytes) {
      result = fail(Errc::unexpected_payload);
    } else if (in_.size() == whole) {
      result = on_message(MutableByteView(in_).subspan(kFrameHeaderBytes));
      in_.clear();
    }
    if (result) continue;
    failed_ = true;
    state_.reset();
    return fail(result.error());
  }
  return offered - bytes.size();
}

Result<void> Handshake::on_message(MutableByteView message) {
  if (role_ == Role::responder && !state_) {
    begin();
    STARLING_TRY(state_->read_message(message));
    return write(own_payload());
  }
  STARLING_ASSIGN(const MutableByteView payload, state_->read_message(message));
  STARLING_TRY(on_peer_payload(payload));
  if (role_ == Role::initiator) STARLING_TRY(write(own_payload()));
  finish();
  return {};
}

Result<void> Handshake::on_peer_payload(ByteView bytes) {
  STARLING_ASSIGN(auto payload, read_payload(bytes, state_->remote_static()));
  peer_ = PeerId::of(payload.identity);
  peer_key_ = std::move(payload.identity);
  if (config_.expected_peer && *config_.expected_peer != peer_) return fail(Errc::wrong_peer);
  const bool initiator = role_ == Role::initiator;
  STARLING_ASSIGN(muxer_, choose_muxer(initiator ? config_.muxers : payload.muxers,
                                       initiator ? payload.muxers : config_.muxers));
  return {};
}

void Handshake::finish() {
  auto [sends, receives] = state_->split();
  secured_.emplace(Secured{peer_, std::move(*peer_key_), std::move(muxer_),
                           Transport(std::move(sends), std::move(receives))});
  state_.reset();
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
  failed_ = true;
  state_.reset();
  return fail(Errc::timed_out);
}

}  // namespace starling::noise
