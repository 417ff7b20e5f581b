// fuzz-depends: identify
// Signed envelopes. Input: one byte of mode, then 0: an envelope; 1: a record that a fixed key seals, so that
// the bytes behind the signature check are reached; 2: the same in the form of the RFC.
#include <cstdint>

#include "base/assert.hpp"
#include "identify/signed_record.hpp"

namespace {

using namespace starling;
using namespace starling::identify;

const crypto::PrivateKey& signer() {
  static const auto kKey = [] {
    SeededRng rng(1);
    return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng);
  }();
  return kKey;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  const PeerId own = PeerId::of(signer().public_key());
  if (data[0] % 3 == 0) {
    const auto envelope = Envelope::decode(rest);
    if (envelope) {
      const auto again = Envelope::decode(envelope->encode());
      STARLING_ASSERT(again.has_value() && again->signer == envelope->signer &&
                      again->payload == envelope->payload);
    }
    (void)open_record(rest);
    return 0;
  }
  const auto& type = data[0] % 3 == 1 ? kPeerRecordType : kPeerRecordTypeRfc;
  const auto record = open_record(Envelope::seal(signer(), type, rest).encode());
  if (!record) return 0;
  STARLING_ASSERT(record->peer == own && record->addrs.size() <= kRecordAddressesMax);
  const auto again = open_record(seal_record(*record, signer()));
  STARLING_ASSERT(!again || (again->seq == record->seq && again->addrs == record->addrs));
  return 0;
}
