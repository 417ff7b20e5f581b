#include "tls/transport.hpp"

#include <array>

#include "base/assert.hpp"

namespace starling::tls {
namespace {

constexpr std::uint8_t kRecordTypeFirst = 20;  // change_cipher_spec, alert, handshake, application_data
constexpr std::uint8_t kRecordTypeLast = 23;
constexpr std::uint8_t kMajorVersion = 3;

std::size_t body_bytes(ByteView buffered) noexcept { return get_u16_be(buffered.subspan<3, 2>()); }

}  // namespace

Transport::Transport(std::unique_ptr<Channel> channel, std::uint64_t records_per_key)
    : channel_(std::move(channel)), records_per_key_(records_per_key), records_left_(records_per_key) {}

std::size_t Transport::wanted_bytes(ByteView buffered) noexcept {
  if (buffered.size() < kRecordHeaderBytes) return kRecordHeaderBytes;
  return kRecordHeaderBytes + body_bytes(buffered);
}

Result<void> Transport::check_header(ByteView buffered) {
  const bool good = buffered.size() >= kRecordHeaderBytes && buffered[0] >= kRecordTypeFirst &&
                    buffered[0] <= kRecordTypeLast && buffered[1] == kMajorVersion &&
                    body_bytes(buffered) <= kRecordBytesMax;
  if (!good) return fail(Errc::bad_record);
  return {};
}

Result<void> Transport::seal(std::span<const ByteView> parts, Bytes& out) {
  if (broken_) return fail(Errc::broken);
  append(out, channel_->pending());
  Bytes().swap(channel_->pending());
  channel_->send_to(&out);
  const Result<void> sealed = seal_parts(parts);
  channel_->send_to(nullptr);
  broken_ = !sealed && !closed_;
  return sealed;
}

// Whole records are sealed where they lie; shorter parts are joined first, because each record costs 22 bytes
// and a call of the cipher.
Result<void> Transport::seal_parts(std::span<const ByteView> parts) {
  std::array<std::uint8_t, kPlaintextBytesMax> joined;
  std::size_t size = 0;
  for (ByteView part : parts) {
    while (!part.empty()) {
      if (size == 0 && part.size() >= kPlaintextBytesMax) {
        STARLING_TRY(seal_record(part.first(kPlaintextBytesMax)));
        part = part.subspan(kPlaintextBytesMax);
        continue;
      }
      const std::size_t count = std::min(part.size(), joined.size() - size);
      std::memcpy(joined.data() + size, part.data(), count);
      size += count;
      part = part.subspan(count);
      if (size < joined.size()) continue;
      STARLING_TRY(seal_record(joined));
      size = 0;
    }
  }
  return size == 0 ? Result<void>() : seal_record(std::span(joined).first(size));
}

Result<void> Transport::seal_record(ByteView plaintext) {
  if (closed_) return fail(Errc::closed);
  if (records_left_ == 0) {
    STARLING_TRY(channel_->update_key());
    records_left_ = records_per_key_;
  }
  --records_left_;
  return channel_->write(plaintext);
}

Result<std::optional<Opened>> Transport::open_next(MutableByteView buffered) {
  if (broken_) return fail(Errc::broken);
  if (buffered.size() < kRecordHeaderBytes) return std::optional<Opened>();
  Result<void> good = check_header(buffered);
  if (good && peer_closed_) good = fail(Errc::closed);
  if (!good) {
    broken_ = true;
    return fail(good.error());
  }
  const std::size_t whole = wanted_bytes(buffered);
  if (buffered.size() < whole) return std::optional<Opened>();
  const auto opened = open(buffered.first(whole));
  if (opened) return std::optional<Opened>(*opened);
  broken_ = true;
  return fail(opened.error());
}

Result<Opened> Transport::open(MutableByteView record) {
  channel_->feed(record);
  std::size_t size = 0;
  // The plaintext is shorter than its record, which OpenSSL has taken to its own memory by then.
  STARLING_ASSIGN(const auto step, channel_->read(record, size));
  peer_closed_ = step == Channel::Step::closed;
  if (size != 0) {
    control_records_ = 0;
    control_bytes_ = 0;
    return Opened{record.first(size), record.size()};
  }
  const std::size_t bytes = control_bytes_ + record.size();
  if (++control_records_ > kControlRecordsMax || bytes > kControlBytesMax)
    return fail(Errc::too_many_control_records);
  control_bytes_ = static_cast<std::uint16_t>(bytes);
  return Opened{record.first(0), record.size()};
}

void Transport::close() {
  if (broken_ || closed_) return;
  closed_ = true;
  channel_->close();
}

}  // namespace starling::tls
