#include "multistream/listener.hpp"

#include "base/assert.hpp"

namespace starling::multistream {

Listener::Listener(const Protocols& protocols, Instant now, const Limits& limits)
    : protocols_(&protocols), proposals_left_(limits.proposals), deadline_(now + limits.time) {}

void Listener::sent(std::size_t count) noexcept {
  STARLING_ASSERT(count <= to_send().size());
  sent_ += count;
  if (sent_ != out_.size()) return;
  out_.clear();
  sent_ = 0;
}

Result<std::size_t> Listener::receive(ByteView bytes) {
  const std::size_t offered = bytes.size();
  while (!outcome_) {
    const auto text = reader_.next(bytes);
    if (!text) return end(text.error());
    if (!*text) break;
    STARLING_TRY(on_message(**text));
  }
  return offered - bytes.size();
}

Result<void> Listener::on_message(std::string_view text) {
  if (!header_seen_) {
    if (text != kHeader) return end(make_error(Errc::bad_header));
    header_seen_ = true;
    put_message(out_, kHeader);
    return {};
  }
  if (proposals_left_ == 0) return end(make_error(Errc::too_many_proposals));
  --proposals_left_;
  if (!protocols_->supports(text)) {
    refused_ = true;
    put_message(out_, kNotAvailable);
    return {};
  }
  put_message(out_, text);
  outcome_ = Agreed{std::string(text)};
  return {};
}

tl::unexpected<Error> Listener::end(Error error) {
  // Behind a `na` there may be the data of a lazy initiator, which is no message and nobody's fault.
  if (refused_ && error.kind() == Kind::malformed) error = make_error(Errc::no_common_protocol);
  outcome_ = fail(error);
  return fail(error);
}

Result<void> Listener::on_deadline(Instant now) {
  if (outcome_ || now < deadline_) return {};
  return end(make_error(Errc::timed_out));
}

}  // namespace starling::multistream
