#include "identify/collector.hpp"

#include <numeric>

#include "base/assert.hpp"

namespace starling::identify {
namespace {

ByteView bytes_of(const std::string& text) { return as_bytes(text); }
ByteView bytes_of(const Multiaddr& addr) { return addr.bytes(); }

// Keeps the first of equal items, in order. By sorting and not by hashing, so that chosen items cost no more
// than others.
template <class Item>
void drop_repeated(std::vector<Item>& items) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto c = compare(bytes_of(items[a]), bytes_of(items[b]));
    return c != 0 ? c < 0 : a < b;
  });
  std::vector<bool> repeated(items.size());
  for (std::size_t i = 1; i < order.size(); ++i)
    repeated[order[i]] = equal(bytes_of(items[order[i - 1]]), bytes_of(items[order[i]]));
  std::size_t index = 0;
  std::erase_if(items, [&](const Item&) { return repeated[index++]; });
}

}  // namespace

tl::unexpected<Error> Collector::end(Error error) {
  failure_ = error;
  done_ = true;
  return fail(error);
}

Result<void> Collector::receive(ByteView bytes) {
  if (failure_) return fail(*failure_);
  STARLING_ASSERT(!done_);
  frames_.receive(bytes);
  for (;;) {
    const auto frame = frames_.next();
    if (!frame) {
      const bool too_large = frame.error().is(format::Errc::length_out_of_bounds);
      return end(make_error(too_large ? Errc::message_too_large : Errc::malformed));
    }
    if (!*frame) return {};
    if (message_count_ == kMessagesMax) return end(make_error(Errc::too_many_messages));
    ++message_count_;
    if (const auto decoded = decode_into(**frame, info_); !decoded) return end(decoded.error());
  }
}

Result<Info> Collector::finish() {
  if (failure_) return fail(*failure_);
  STARLING_ASSERT(!done_);
  if (frames_.in_frame()) return end(make_error(Errc::truncated));
  done_ = true;
  drop_repeated(info_.protocols);
  drop_repeated(info_.listen_addrs);
  return std::move(info_);
}

Result<void> Collector::on_deadline(Instant now) {
  if (done_ || now < deadline_) return {};
  return end(make_error(Errc::timed_out));
}

}  // namespace starling::identify
