#include "agent/direct_frames.hpp"

#include <algorithm>

namespace starling::agent {
namespace {
constexpr std::size_t kRequestFrameBytes = 1 + kPresenceRequestFrameMax;

void drop_front(Bytes& bytes, std::size_t count) {
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(count, bytes.size())));
}
}  // namespace

Bytes presence_request(const EthAddress& wallet) { return format::make_frame(wallet.bytes()); }
Bytes presence_answer(ByteView value_or_empty) { return format::make_frame(value_or_empty); }

bool PresenceAnswerer::wants_bytes() const noexcept {
  return out_.size() < kPresenceBytesMax &&
         frames_.buffered_bytes() < kPresenceRequestsPending * kRequestFrameBytes;
}

Result<std::optional<EthAddress>> PresenceAnswerer::poll(Instant now) {
  if (out_.size() >= kPresenceBytesMax) return std::nullopt;
  STARLING_ASSIGN(const auto frame, frames_.next());
  if (!frame) return std::nullopt;
  STARLING_ASSIGN(const EthAddress wallet, EthAddress::from_bytes(*frame));
  deadline_ = now + kPresenceExchangeTimeout;
  return wallet;
}

void PresenceAnswerer::answer(ByteView value_or_empty) { format::put_frame(out_, value_or_empty); }

void PresenceAnswerer::sent(std::size_t count, Instant now) {
  drop_front(out_, count);
  if (count > 0) deadline_ = now + kPresenceExchangeTimeout;
}

void PresenceAsker::sent(std::size_t count) { drop_front(out_, count); }

Result<void> PresenceAsker::receive(ByteView bytes) {
  if (done_) return {};
  frames_.receive(bytes);
  STARLING_ASSIGN(const auto frame, frames_.next());
  if (!frame) return {};
  answer_ = to_bytes(*frame);
  done_ = true;
  return {};
}

std::optional<Bytes> PresenceAsker::poll() {
  std::optional<Bytes> out;
  std::swap(out, answer_);
  return out;
}

}  // namespace starling::agent
