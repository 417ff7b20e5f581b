// fuzz-depends: noise
// Both roles of the handshake with fixed randomness. Input: one byte of mode, then material:
//   0, 1  raw bytes to an initiator, to a responder
//   2, 3  a payload that a right Noise peer encrypts for an initiator, for a responder
//   4, 5  edits (16-bit position, xor) of an honest exchange to an initiator, to a responder
// Checked: never a crash, never completion but by the honest exchange or a payload whose signature is right.
#include <cstdint>

#include "base/assert.hpp"
#include "noise/handshake.hpp"

namespace {

using namespace starling;
using namespace starling::noise;

constexpr Instant kStart = Instant::from_ns(0);

const crypto::PrivateKey& identity(std::uint64_t seed) {
  const auto make = [](std::uint64_t s) {
    SeededRng rng(s);
    return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng);
  };
  static const crypto::PrivateKey kKeys[] = {make(1), make(2)};
  return kKeys[seed];
}

struct Party {
  explicit Party(Role role)
      : rng(role == Role::initiator ? 10 : 20),
        machine(role, identity(role == Role::initiator ? 0 : 1), rng, config(), kStart) {}
  static Config config() {
    Config out;
    out.muxers = {"/yamux/1.0.0"};
    return out;
  }
  Bytes drain() {
    Bytes out(machine.to_send().begin(), machine.to_send().end());
    machine.sent(out.size());
    return out;
  }
  SeededRng rng;
  Handshake machine;
};

bool feed(Handshake& machine, ByteView bytes) {
  const auto consumed = machine.receive(bytes);
  STARLING_ASSERT(!consumed || *consumed == bytes.size() || machine.complete());
  return consumed.has_value();
}

void raw(Role role, ByteView bytes) {
  Party party(role);
  (void)feed(party.machine, bytes);
  STARLING_ASSERT(!party.machine.complete());
}

Bytes framed(const Bytes& body) {
  Bytes out;
  put_u16_be(out, static_cast<std::uint16_t>(body.size()));
  append(out, body);
  return out;
}

void payload(Role victim_role, ByteView bytes) {
  if (bytes.size() > 60'000) return;
  Party victim(victim_role);
  SeededRng rng(30);
  const auto static_key = crypto::x25519_generate(rng);
  const Role role = victim_role == Role::initiator ? Role::responder : Role::initiator;
  HandshakeState peer(role, {}, static_key, crypto::x25519_generate(rng));
  if (role == Role::initiator) {
    Bytes hello;
    STARLING_ASSERT(peer.write_message({}, hello).has_value());
    STARLING_ASSERT(feed(victim.machine, framed(hello)));
  }
  Bytes heard = victim.drain();
  STARLING_ASSERT(peer.read_message(MutableByteView(heard).subspan(kFrameHeaderBytes)).has_value());
  Bytes message;
  STARLING_ASSERT(peer.write_message(bytes, message).has_value());
  (void)feed(victim.machine, framed(message));
  STARLING_ASSERT(!victim.machine.complete() || read_payload(bytes, static_key.public_key).has_value());
}

void edited(Role victim_role, ByteView edits) {
  Party initiator(Role::initiator);
  Party responder(Role::responder);
  const auto edit = [&](Bytes message) {
    while (edits.size() >= 3 && !message.empty()) {
      const std::size_t at = get_u16_be(edits.first<2>());
      message[at % message.size()] ^= edits[2];
      edits = edits.subspan(3);
    }
    return message;
  };
  const Bytes first = initiator.drain();
  if (victim_role == Role::initiator) {
    STARLING_ASSERT(feed(responder.machine, first));
    const Bytes second = responder.drain();
    const Bytes altered = edit(second);
    (void)feed(initiator.machine, altered);
    STARLING_ASSERT(initiator.machine.complete() == (altered == second));
    return;
  }
  STARLING_ASSERT(feed(responder.machine, first));
  STARLING_ASSERT(feed(initiator.machine, responder.drain()));
  const Bytes third = initiator.drain();
  const Bytes altered = edit(third);
  (void)feed(responder.machine, altered);
  STARLING_ASSERT(responder.machine.complete() == (altered == third));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  const Role victim = data[0] % 2 == 0 ? Role::initiator : Role::responder;
  switch (data[0] % 6 / 2) {
    case 0: raw(victim, rest); break;
    case 1: payload(victim, rest); break;
    default: edited(victim, rest); break;
  }
  return 0;
}
