// fuzz-depends: agent
// SignedReceipt: any bytes through decoding and judging.
#include "agent/limits.hpp"
#include "agent/receipt.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace starling;
  using namespace starling::agent;
  const ByteView input{data, size};
  if (const auto alone = decode_receipt(input)) {
    const auto again = decode_receipt(encode(*alone));
    STARLING_ASSERT(again && encode(*again) == encode(*alone));
  }
  Trust trust(NetworkName(), real_signatures());
  const auto judged = judge_receipt(input, trust, WallTime::from_ms(1'795'000'000'000));
  STARLING_ASSERT(judged.receipt.has_value() == (judged.verdict.row > 5));
  if (!judged.receipt) return 0;
  const Receipt& fields = judged.receipt->fields;
  STARLING_ASSERT(fields.hint.size() <= kReceiptHintBytesMax);
  const Awaited message{fields.id, fields.from, fields.to, {fields.digest}};
  if (counts_for(*judged.receipt, message))
    STARLING_ASSERT(judged.receipt->delegation.fields.wallet == fields.to);
  STARLING_ASSERT(decode_signed_receipt(encode(judged.receipt->wire)).has_value());
  return 0;
}
