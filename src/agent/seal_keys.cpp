#include "agent/seal_keys.hpp"

#include <algorithm>

#include "agent/times.hpp"
#include "crypto/hash.hpp"

namespace starling::agent {
namespace {

MutableByteView secret_of(SealKeyEntry& entry) {
  return {entry.pair.secret.data(), entry.pair.secret.size()};
}

/// How long the private half is kept once another key has come.
WallTime kept_until(const SealKeyEntry& entry) noexcept {
  return entry.named_until == WallTime{} ? WallTime{} : entry.named_until + kSealKeyKept;
}

}  // namespace

SealKeys::~SealKeys() {
  for (SealKeyEntry& entry : keys_) crypto::wipe(secret_of(entry));
}

SealKeys& SealKeys::operator=(SealKeys&& other) noexcept {
  std::swap(keys_, other.keys_);  // the other's destructor wipes what was ours
  std::swap(revision_, other.revision_);
  return *this;
}

const crypto::X25519Key& SealKeys::current(WallTime now, Rng& rng) {
  const bool fresh = !keys_.empty() && keys_.back().made_at <= now + kClockSkewMax &&
                     now < keys_.back().made_at + kSealKeyRotation;
  if (!fresh) {
    // Secrets never move to new memory, where the old would stay unwiped.
    keys_.reserve(kSealKeysMax);
    if (keys_.size() >= kSealKeysMax) erase(0);
    keys_.push_back({crypto::x25519_generate(rng), now, WallTime{}});
    ++revision_;
  }
  destroy_old(now);
  return keys_.back().pair.public_key;
}

void SealKeys::named(const crypto::X25519Key& public_key, WallTime expires_at) {
  for (SealKeyEntry& entry : keys_) {
    if (entry.pair.public_key != public_key || entry.named_until >= expires_at) continue;
    entry.named_until = expires_at;
    ++revision_;
  }
}

const crypto::X25519KeyPair* SealKeys::find(const crypto::X25519Key& public_key) const noexcept {
  const auto found = std::ranges::find_if(
      keys_, [&](const SealKeyEntry& entry) { return entry.pair.public_key == public_key; });
  return found == keys_.end() ? nullptr : &found->pair;
}

void SealKeys::destroy_old(WallTime now) {
  // The newest stays: it is the one that the next record names.
  for (std::size_t i = keys_.size(); i-- > 0;)
    if (i + 1 < keys_.size() && !end_is_good(kept_until(keys_[i]), now)) erase(i);
}

void SealKeys::restore(std::vector<SealKeyEntry> entries, WallTime now) {
  for (SealKeyEntry& entry : keys_) crypto::wipe(secret_of(entry));
  keys_.clear();
  keys_.reserve(kSealKeysMax);
  const std::size_t skip = entries.size() > kSealKeysMax ? entries.size() - kSealKeysMax : 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i >= skip) keys_.push_back(entries[i]);
    crypto::wipe(secret_of(entries[i]));
  }
  destroy_old(now);
}

void SealKeys::erase(std::size_t index) {
  std::rotate(keys_.begin() + static_cast<std::ptrdiff_t>(index),
              keys_.begin() + static_cast<std::ptrdiff_t>(index) + 1, keys_.end());
  crypto::wipe(secret_of(keys_.back()));
  keys_.pop_back();
  ++revision_;
}

}  // namespace starling::agent
