#pragma once
#include <vector>

#include "agent/limits.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/x25519.hpp"

namespace starling::agent {

/// One private seal key and how long senders may know it.
struct SealKeyEntry {
  crypto::X25519KeyPair pair;
  WallTime made_at;
  WallTime named_until;  ///< greatest expires_at of a record that named it; 0 = never named
};

/// The ring of a node's seal keys (§4): a new one every 24 h, named in the next record; its private half is
/// destroyed 7 days after the expires_at of the last record that named it, because an envelope sealed to it
/// may live that long. A key that was never named is destroyed when the next one comes.
///
/// Secrets are wiped when destroyed and on destruction. Not thread-safe. Order: `current()` when a record is
/// made, `named()` once it is published, `destroy_old()` at start and on each `current()`. At most
/// kSealKeysMax keys. Persist `entries()` when `revision()` moved, before the record that names the new key
/// is published; base mode has no other forward secrecy than this destruction, so the disk must forget too.
class SealKeys {
 public:
  SealKeys() = default;
  SealKeys(SealKeys&&) noexcept = default;
  SealKeys& operator=(SealKeys&&) noexcept;
  SealKeys(const SealKeys&) = delete;
  SealKeys& operator=(const SealKeys&) = delete;
  ~SealKeys();

  /// The public key for the next record; makes one when there is none or the newest is 24 h old (or from the
  /// future: the clock was wrong).
  const crypto::X25519Key& current(WallTime now, Rng& rng);
  /// A record that names `public_key` until `expires_at` is about to be published.
  void named(const crypto::X25519Key& public_key, WallTime expires_at);
  /// The pair of a public key; nullptr when it is not ours or destroyed.
  const crypto::X25519KeyPair* find(const crypto::X25519Key& public_key) const noexcept;
  void destroy_old(WallTime now);

  const std::vector<SealKeyEntry>& entries() const noexcept { return keys_; }
  void restore(std::vector<SealKeyEntry> entries, WallTime now);
  std::uint64_t revision() const noexcept { return revision_; }
  std::size_t size() const noexcept { return keys_.size(); }

 private:
  void erase(std::size_t index);
  std::vector<SealKeyEntry> keys_;  // oldest first
  std::uint64_t revision_ = 0;
};

}  // namespace starling::agent
