// fuzz-depends: agent
// SignedDelegation: any bytes. What passes has one encoding only, and its typed data can be shown to its
// owner.
#include "agent/delegation.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace starling;
  using namespace starling::agent;
  const ByteView input{data, size};
  if (const auto alone = decode_delegation(input)) STARLING_ASSERT(equal(encode(*alone), input));

  auto wire = decode_signed_delegation(input);
  if (!wire) return 0;
  const auto again = decode_signed_delegation(encode(*wire));
  STARLING_ASSERT(again && *again == *wire);
  const auto checked = check_fields(*std::move(wire), NetworkName());
  if (!checked) return 0;
  STARLING_ASSERT(equal(encode(checked->fields), checked->wire.delegation));
  STARLING_ASSERT(checked->fields.not_before < checked->fields.not_after);
  STARLING_ASSERT(checked->fields.epoch <= checked->fields.not_before.ms());
  STARLING_ASSERT(!typed_data_json(checked->fields).empty());
  STARLING_ASSERT(checked->fields.peer_id().inline_key().has_value());
  // The verdict about a signature may be anything; reaching it must be safe.
  static_cast<void>(verify_wallet(*checked, real_signatures()));
  return 0;
}
