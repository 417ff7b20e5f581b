// fuzz-depends: agent
// Envelope, SignedEnvelope and Inner: any bytes; what passes comes back from its own encoding.
#include "agent/envelope.hpp"
#include "agent/limits.hpp"
#include "agent/seal_keys.hpp"
#include "agent/sealing.hpp"
#include "base/assert.hpp"

namespace {

using namespace starling;
using namespace starling::agent;

void check_envelope(const Slice& data, Path path) {
  const auto fields = decode_envelope_fields(data);
  if (!fields) return;
  static_cast<void>(check_version(*fields));
  const auto checked = check_fields(*fields, data, path, NetworkName());
  if (!checked) return;
  const Envelope& envelope = checked->fields;
  STARLING_ASSERT(envelope.body.has_value() != envelope.sealed.has_value());
  STARLING_ASSERT(envelope.sent_at < envelope.expires_at);
  STARLING_ASSERT(path == Path::gossip || envelope.published_at == WallTime{});

  const Slice again = Slice::copy(encode(envelope));
  const auto fields_again = decode_envelope_fields(again);
  STARLING_ASSERT(fields_again.has_value());
  const auto checked_again = check_fields(*fields_again, again, path, NetworkName());
  STARLING_ASSERT(checked_again.has_value());
  STARLING_ASSERT(encode(checked_again->fields) == encode(envelope));
  STARLING_ASSERT(digest_of(checked_again->fields) == digest_of(envelope));

  SealKeys keys;
  static_cast<void>(open_envelope(envelope, keys));
  if (envelope.sealed) static_cast<void>(open_sealed(envelope, {{1}, crypto::x25519_public({1})}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Slice input = Slice::copy({data, size});
  check_envelope(input, Path::gossip);
  if (const auto wire = decode_signed_envelope(input)) check_envelope(wire->envelope, Path::stream);
  if (const auto inner = decode_inner(input)) {
    const Bytes padded = pad_inner(encode(*inner));
    STARLING_ASSERT(padded.size() == padded_size(encode(*inner).size()));
    const auto again = decode_inner(padded);
    STARLING_ASSERT(again && encode(*again) == encode(*inner));
  }
  return 0;
}
