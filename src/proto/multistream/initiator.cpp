#include "multistream/initiator.hpp"

#include "base/assert.hpp"

namespace starling::multistream {

Initiator::Initiator(std::vector<std::string> proposals, Lazy lazy, Instant now, const Limits& limits)
    : proposals_(std::move(proposals)), lazy_(lazy), deadline_(now + limits.time) {
  STARLING_ASSERT(!proposals_.empty());
  put_message(out_, kHeader);
  put_message(out_, proposals_.front());
}

void Initiator::sent(std::size_t count) noexcept {
  STARLING_ASSERT(count <= to_send().size());
  sent_ += count;
  if (sent_ != out_.size()) return;
  out_.clear();
  sent_ = 0;
}

bool Initiator::may_write() const noexcept {
  if (outcome_) return outcome_->has_value();
  return lazy_ == Lazy::yes && proposals_.size() == 1;
}

Result<std::size_t> Initiator::receive(ByteView bytes) {
  const std::size_t offered = bytes.size();
  while (!outcome_) {
    const auto text = reader_.next(bytes);
    if (!text) {
      outcome_ = fail(text.error());
      return fail(text.error());
    }
    if (!*text) break;
    STARLING_TRY(on_message(**text));
  }
  return offered - bytes.size();
}

Result<void> Initiator::on_message(std::string_view text) {
  if (!header_seen_) {
    if (text != kHeader) return end(Errc::bad_header);
    header_seen_ = true;
    return {};
  }
  if (text == proposals_[index_]) {
    outcome_ = Agreed{proposals_[index_]};
    return {};
  }
  if (text != kNotAvailable) return end(Errc::unexpected_answer);
  if (index_ + 1 == proposals_.size()) {
    outcome_ = fail(Errc::no_common_protocol);
    return {};
  }
  put_message(out_, proposals_[++index_]);
  return {};
}

tl::unexpected<Error> Initiator::end(Errc code) {
  outcome_ = fail(code);
  return fail(code);
}

Result<void> Initiator::on_deadline(Instant now) {
  if (outcome_ || now < deadline_) return {};
  return end(Errc::timed_out);
}

}  // namespace starling::multistream
