// fuzz-depends: agent
// SignedPresence: any bytes through decoding, validation, selection and dial policy.
#include "agent/dial_policy.hpp"
#include "agent/limits.hpp"
#include "agent/presence_validator.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace starling;
  using namespace starling::agent;
  const ByteView input{data, size};
  static_cast<void>(parse_presence_key(input));
  if (const auto alone = decode_presence(input)) {
    const auto again = decode_presence(encode(*alone));
    STARLING_ASSERT(again && encode(*again) == encode(*alone));
  }
  Trust trust(NetworkName(), real_signatures());
  const auto judged = validate_presence(input, trust, WallTime::from_ms(1'795'000'000'000));
  const ByteView values[] = {input, input};
  const auto best = select_presence(values, NetworkName());
  STARLING_ASSERT(best.has_value() == (judged.presence.has_value() || judged.verdict.row > 5));
  if (!judged.presence) return 0;
  const Presence& fields = judged.presence->fields;
  STARLING_ASSERT(fields.addrs.size() <= kPresenceAddrsMax && fields.name.size() <= kPresenceNameBytesMax);
  STARLING_ASSERT(fields.issued_at < fields.expires_at && fields.seq <= fields.issued_at.ms());
  STARLING_ASSERT(presence_expiry(input) == fields.expires_at);
  STARLING_ASSERT(decode_signed_presence(encode(judged.presence->wire)).has_value());
  const auto dialable = select_dialable(fields.addrs, {});
  STARLING_ASSERT(dialable.size() <= kDialAddrsMax);
  return 0;
}
