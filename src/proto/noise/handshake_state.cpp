#include "noise/handshake_state.hpp"

#include "base/assert.hpp"

namespace starling::noise {
namespace {

constexpr std::string_view kProtocolName = "Noise_XX_25519_ChaChaPoly_SHA256";
constexpr std::size_t kKeyBytes = 32;

// HKDF of the Noise specification (§4.3) with two outputs is RFC 5869 with empty info: T(1) and T(2).
struct TwoKeys {
  crypto::Hash256 first;
  crypto::Hash256 second;
};
TwoKeys hkdf2(ByteView chaining_key, ByteView key_material) {
  auto secret = crypto::hkdf_extract(chaining_key, key_material);
  const std::uint8_t one = 1;
  const std::uint8_t two = 2;
  TwoKeys keys;
  keys.first = crypto::hmac_sha256(secret, {ByteView(&one, 1)});
  keys.second = crypto::hmac_sha256(secret, {keys.first, ByteView(&two, 1)});
  crypto::wipe(secret);
  return keys;
}

}  // namespace

SymmetricState::SymmetricState(std::string_view protocol_name) {
  // §5.2: a name of at most 32 bytes is padded with zeros, a longer one hashed. libp2p's is exactly 32.
  STARLING_ASSERT(protocol_name.size() <= hash_.size());
  hash_ = {};
  std::copy(protocol_name.begin(), protocol_name.end(), hash_.begin());
  chaining_key_ = hash_;
}

SymmetricState::~SymmetricState() { crypto::wipe(chaining_key_); }

void SymmetricState::mix_hash(ByteView data) { hash_ = crypto::sha256({hash_, data}); }

void SymmetricState::mix_key(ByteView key_material) {
  auto keys = hkdf2(chaining_key_, key_material);
  chaining_key_ = keys.first;
  cipher_.emplace(keys.second);
  crypto::wipe(keys.first);
  crypto::wipe(keys.second);
}

Result<void> SymmetricState::encrypt_and_hash(ByteView plaintext, Bytes& out) {
  const std::size_t start = out.size();
  if (!cipher_) {
    append(out, plaintext);
  } else {
    out.resize(start + plaintext.size() + crypto::kAeadTagBytes);
    STARLING_TRY(cipher_->seal(hash_, std::span(&plaintext, 1), MutableByteView(out).subspan(start)));
  }
  mix_hash(ByteView(out).subspan(start));
  return {};
}

Result<MutableByteView> SymmetricState::decrypt_and_hash(MutableByteView bytes) {
  // The hash covers the ciphertext, which decrypting in place destroys: the next hash is computed before,
  // used after.
  const auto next_hash = crypto::sha256({hash_, bytes});
  MutableByteView plaintext = bytes;
  if (cipher_) {
    STARLING_ASSIGN(plaintext, cipher_->open(hash_, bytes));
  }
  hash_ = next_hash;
  return plaintext;
}

std::pair<CipherState, CipherState> SymmetricState::split() const {
  auto keys = hkdf2(chaining_key_, {});
  std::pair<CipherState, CipherState> out{CipherState(keys.first), CipherState(keys.second)};
  crypto::wipe(keys.first);
  crypto::wipe(keys.second);
  return out;
}

HandshakeState::HandshakeState(Role role, ByteView prologue, const crypto::X25519KeyPair& static_key,
                               const crypto::X25519KeyPair& ephemeral)
    : role_(role), symmetric_(kProtocolName), static_(static_key), ephemeral_(ephemeral) {
  symmetric_.mix_hash(prologue);
}

HandshakeState::~HandshakeState() {
  crypto::wipe(static_.secret);
  crypto::wipe(ephemeral_.secret);
}

Result<void> HandshakeState::mix_dh(const crypto::X25519Key& secret, const crypto::X25519Key& peer) {
  auto shared = crypto::x25519(secret, peer);
  if (!shared) return fail(Errc::low_order_point);
  symmetric_.mix_key(*shared);
  crypto::wipe(*shared);
  return {};
}

// The first letter is the initiator's key, the second the responder's (§5.3).
Result<void> HandshakeState::mix_es() {
  return role_ == Role::initiator ? mix_dh(ephemeral_.secret, remote_static_)
                                  : mix_dh(static_.secret, remote_ephemeral_);
}
Result<void> HandshakeState::mix_se() {
  return role_ == Role::initiator ? mix_dh(static_.secret, remote_ephemeral_)
                                  : mix_dh(ephemeral_.secret, remote_static_);
}

Result<void> HandshakeState::write_message(ByteView payload, Bytes& out) {
  STARLING_ASSERT(my_turn());
  switch (step_) {
    case 0:
      append(out, ephemeral_.public_key);
      symmetric_.mix_hash(ephemeral_.public_key);
      break;
    case 1:
      append(out, ephemeral_.public_key);
      symmetric_.mix_hash(ephemeral_.public_key);
      STARLING_TRY(mix_ee());
      STARLING_TRY(symmetric_.encrypt_and_hash(static_.public_key, out));
      STARLING_TRY(mix_es());
      break;
    default:
      STARLING_TRY(symmetric_.encrypt_and_hash(static_.public_key, out));
      STARLING_TRY(mix_se());
      break;
  }
  ++step_;
  return symmetric_.encrypt_and_hash(payload, out);
}

Result<MutableByteView> HandshakeState::read_message(MutableByteView message) {
  STARLING_ASSERT(!finished() && !my_turn());
  if (step_ < 2) {
    if (message.size() < kKeyBytes) return fail(Errc::truncated);
    std::copy_n(message.begin(), kKeyBytes, remote_ephemeral_.begin());
    if (crypto::x25519_is_low_order(remote_ephemeral_)) return fail(Errc::low_order_point);
    symmetric_.mix_hash(remote_ephemeral_);
    message = message.subspan(kKeyBytes);
  }
  if (step_ > 0) {
    if (step_ == 1) STARLING_TRY(mix_ee());
    constexpr std::size_t kSealedKeyBytes = kKeyBytes + crypto::kAeadTagBytes;
    if (message.size() < kSealedKeyBytes) return fail(Errc::truncated);
    STARLING_ASSIGN(const MutableByteView key, symmetric_.decrypt_and_hash(message.first(kSealedKeyBytes)));
    std::copy(key.begin(), key.end(), remote_static_.begin());
    STARLING_TRY(step_ == 1 ? mix_es() : mix_se());
    message = message.subspan(kSealedKeyBytes);
  }
  STARLING_ASSIGN(const MutableByteView payload, symmetric_.decrypt_and_hash(message));
  ++step_;
  return payload;
}

std::pair<CipherState, CipherState> HandshakeState::split() const {
  STARLING_ASSERT(finished());
  auto [initiator, responder] = symmetric_.split();
  if (role_ == Role::initiator) return {std::move(initiator), std::move(responder)};
  return {std::move(responder), std::move(initiator)};
}

}  // namespace starling::noise
