#include "noise/transport.hpp"

#include <array>

#include "base/assert.hpp"

namespace starling::noise {
namespace {

// Walks over parts and cuts them into records of at most kPlaintextBytesMax bytes and kSlicesPerRecordMax
// slices. Both the size computation and the sealing use it, so that they cannot disagree.
class RecordCutter {
 public:
  explicit RecordCutter(std::span<const ByteView> parts) noexcept : parts_(parts) {}
  /// The slices of the next record; empty at the end. Valid until the next call.
  std::span<const ByteView> next() noexcept {
    std::size_t count = 0;
    bytes_ = 0;
    while (!parts_.empty() && count < slices_.size() && bytes_ < kPlaintextBytesMax) {
      const ByteView rest = parts_.front().subspan(offset_);
      const ByteView slice = rest.first(std::min(rest.size(), kPlaintextBytesMax - bytes_));
      if (!slice.empty()) slices_[count++] = slice;
      bytes_ += slice.size();
      offset_ += slice.size();
      if (slice.size() < rest.size()) break;
      parts_ = parts_.subspan(1);
      offset_ = 0;
    }
    return std::span(slices_).first(count);
  }
  /// Plaintext bytes of the record that next() returned.
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::span<const ByteView> parts_;
  std::size_t offset_ = 0;
  std::size_t bytes_ = 0;
  std::array<ByteView, kSlicesPerRecordMax> slices_;
};

constexpr std::size_t kRecordOverheadBytes = kFrameHeaderBytes + crypto::kAeadTagBytes;

std::size_t frame_bytes(ByteView prefix) noexcept { return get_u16_be(prefix.first<kFrameHeaderBytes>()); }

}  // namespace

std::size_t Transport::sealed_bytes(std::span<const ByteView> parts) noexcept {
  RecordCutter cutter(parts);
  std::size_t total = 0;
  while (!cutter.next().empty()) total += cutter.bytes() + kRecordOverheadBytes;
  return total;
}

Result<void> Transport::seal(std::span<const ByteView> parts, Bytes& out) {
  const std::size_t start = out.size();
  out.resize(start + sealed_bytes(parts));
  const auto written = seal_into(parts, MutableByteView(out).subspan(start));
  if (!written) return fail(written.error());
  return {};
}

Result<std::size_t> Transport::seal_into(std::span<const ByteView> parts, MutableByteView out) {
  RecordCutter cutter(parts);
  std::size_t written = 0;
  for (auto slices = cutter.next(); !slices.empty(); slices = cutter.next()) {
    const std::size_t body_bytes = cutter.bytes() + crypto::kAeadTagBytes;
    STARLING_ASSERT(written + kFrameHeaderBytes + body_bytes <= out.size());
    out[written] = static_cast<std::uint8_t>(body_bytes >> 8);
    out[written + 1] = static_cast<std::uint8_t>(body_bytes & 0xff);
    STARLING_TRY(sends_.seal({}, slices, out.subspan(written + kFrameHeaderBytes, body_bytes)));
    written += kFrameHeaderBytes + body_bytes;
  }
  return written;
}

Result<std::optional<Opened>> Transport::open_next(MutableByteView buffered) {
  if (broken_) return fail(Errc::broken);
  if (buffered.size() < kFrameHeaderBytes) return std::optional<Opened>();
  const std::size_t body_bytes = frame_bytes(buffered);
  // Refused at the prefix: no honest peer sends such a record, so nothing of it is waited for.
  if (body_bytes < crypto::kAeadTagBytes) {
    broken_ = true;
    return fail(Errc::truncated);
  }
  if (buffered.size() < kFrameHeaderBytes + body_bytes) return std::optional<Opened>();
  const auto plaintext = receives_.open({}, buffered.subspan(kFrameHeaderBytes, body_bytes));
  if (!plaintext) {
    broken_ = true;
    return fail(plaintext.error());
  }
  return Opened{*plaintext, kFrameHeaderBytes + body_bytes};
}

std::size_t Transport::wanted_bytes(ByteView buffered) noexcept {
  return buffered.size() < kFrameHeaderBytes ? kFrameHeaderBytes : kFrameHeaderBytes + frame_bytes(buffered);
}

}  // namespace starling::noise
