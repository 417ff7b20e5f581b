#pragma once
// What the tests of this folder share: a peer that can lie at every step, and recorded randomness.
#include <gtest/gtest.h>

#include "noise/handshake.hpp"
#include "testkit/testkit.hpp"

namespace starling::noise {

inline constexpr Instant kStart = Instant::from_ns(1'000'000'000);
inline constexpr std::string_view kYamux = "/yamux/1.0.0";

/// Yields the given blocks in order, then zeros.
class ScriptedRng final : public Rng {
 public:
  ScriptedRng(std::initializer_list<Bytes> blocks) {
    for (const auto& block : blocks) append(script_, block);
  }
  void fill(MutableByteView out) override {
    for (auto& byte : out) byte = next_ < script_.size() ? script_[next_++] : std::uint8_t{0};
  }

 private:
  Bytes script_;
  std::size_t next_ = 0;
};

inline crypto::PrivateKey identity(std::uint64_t seed, crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(type, rng);
}

template <class Machine>
Bytes drain(Machine& machine) {
  Bytes out = to_bytes(machine.to_send());
  machine.sent(out.size());
  return out;
}

inline Bytes framed(ByteView body) {
  Bytes out;
  put_u16_be(out, static_cast<std::uint16_t>(body.size()));
  append(out, body);
  return out;
}

inline crypto::X25519KeyPair key_pair(const Bytes& secret) {
  const auto fixed = *to_fixed<32>(secret);
  return {fixed, crypto::x25519_public(fixed)};
}

/// A peer that speaks Noise rightly and everything else as it likes.
class Liar {
 public:
  Liar(Role role, std::uint64_t seed) : rng_(seed), static_key(crypto::x25519_generate(rng_)), role_(role) {}

  /// As a responder: answers message 1 with this payload. As an initiator: message 1.
  Bytes speak(ByteView payload) {
    if (!state_) start();
    Bytes message;
    EXPECT_TRUE(state_->write_message(payload, message).has_value());
    return framed(message);
  }
  /// Reads one framed message; true when Noise accepts it.
  bool listen(ByteView frame) {
    if (!state_) start();
    Bytes message = to_bytes(frame.subspan(kFrameHeaderBytes));
    return state_->read_message(message).has_value();
  }

 private:
  void start() { state_.emplace(role_, ByteView(), static_key, crypto::x25519_generate(rng_)); }
  SeededRng rng_;

 public:
  crypto::X25519KeyPair static_key;

 private:
  Role role_;
  std::optional<HandshakeState> state_;
};

/// A finished pair of channels.
struct Channels {
  Secured initiator;
  Secured responder;
};
inline Channels connect(std::uint64_t seed, const Config& initiator_config = {},
                        const Config& responder_config = {}) {
  SeededRng rng(seed);
  const auto a = identity(seed + 1);
  const auto b = identity(seed + 2);
  Handshake initiator(Role::initiator, a, rng, initiator_config, kStart);
  Handshake responder(Role::responder, b, rng, responder_config, kStart);
  EXPECT_TRUE(responder.receive(drain(initiator)).has_value());
  EXPECT_TRUE(initiator.receive(drain(responder)).has_value());
  EXPECT_TRUE(responder.receive(drain(initiator)).has_value());
  return {initiator.take(), responder.take()};
}

}  // namespace starling::noise
