#include "multistream/messages.hpp"

#include "base/assert.hpp"
#include "format/varint.hpp"

namespace starling::multistream {
namespace {

struct Prefix {
  std::size_t body_bytes;  // newline included
  std::size_t size;        // of the prefix itself
};

// Nothing while the prefix is incomplete. A prefix that does not end within kLengthPrefixBytesMax can only be
// a length that we refuse, so it is refused before the rest of it has arrived.
Result<std::optional<Prefix>> read_prefix(ByteView bytes) {
  const auto varint = format::read_minimal_varint(bytes.first(std::min(bytes.size(), kLengthPrefixBytesMax)));
  if (!varint) {
    const bool incomplete =
        varint.error().is(format::Errc::truncated) && bytes.size() < kLengthPrefixBytesMax;
    if (incomplete) return std::optional<Prefix>();
    return fail(Errc::bad_length);
  }
  if (varint->value == 0 || varint->value > kMessageBytesMax) return fail(Errc::bad_length);
  return Prefix{static_cast<std::size_t>(varint->value), varint->size};
}

}  // namespace

void put_message(Bytes& out, std::string_view text) {
  STARLING_ASSERT(text.size() < kMessageBytesMax && text.find('\n') == std::string_view::npos);
  format::put_varint(out, text.size() + 1);
  append(out, as_bytes(text));
  out.push_back('\n');
}

Result<std::optional<std::string_view>> MessageReader::next(ByteView& bytes) {
  if (spent_) {
    partial_.clear();
    spent_ = false;
  }
  // The prefix first, byte by byte when it comes in pieces: nothing behind the message may be taken.
  std::optional<Prefix> prefix;
  if (partial_.empty()) {
    STARLING_ASSIGN(prefix, read_prefix(bytes));
    if (prefix && bytes.size() >= prefix->size + prefix->body_bytes) {
      const ByteView body = bytes.subspan(prefix->size, prefix->body_bytes);
      bytes = bytes.subspan(prefix->size + prefix->body_bytes);
      if (body.back() != '\n') return fail(Errc::missing_newline);
      return as_text(body.first(body.size() - 1));
    }
  } else {
    STARLING_ASSIGN(prefix, read_prefix(partial_));
  }
  while (!prefix && !bytes.empty()) {
    partial_.push_back(bytes.front());
    bytes = bytes.subspan(1);
    STARLING_ASSIGN(prefix, read_prefix(partial_));
  }
  if (!prefix) return std::optional<std::string_view>();
  const std::size_t whole = prefix->size + prefix->body_bytes;
  const std::size_t taken = std::min(whole - partial_.size(), bytes.size());
  append(partial_, bytes.first(taken));
  bytes = bytes.subspan(taken);
  if (partial_.size() < whole) return std::optional<std::string_view>();
  spent_ = true;
  if (partial_.back() != '\n') return fail(Errc::missing_newline);
  return as_text(ByteView(partial_).subspan(prefix->size, prefix->body_bytes - 1));
}

}  // namespace starling::multistream
