#pragma once
// Who says whether a record is good, and which of two is better: one validator per namespace of keys.
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "proto/kad/errors.hpp"

namespace starling::kad {

/// The rules of one namespace. Not thread-safe; outlives every Kad that uses it. Methods may cache, so they
/// are not const, but the verdict depends on nothing but the arguments and what the validator has itself
/// seen.
class RecordValidator {
 public:
  virtual ~RecordValidator() = default;
  /// Any error means: do not store, do not believe. `key` is the whole key with its `/namespace/`.
  virtual Result<void> validate(ByteView key, ByteView value, WallTime now) = 0;
  /// The index of the best of `values`, which are valid and at least one. Must be the same whatever the
  /// order, but for equal values; where a namespace has no order, the first (in a PUT the newcomer) wins.
  virtual std::size_t select(ByteView key, std::span<const ByteView> values) = 0;
  /// When a valid value ends; nothing = the server's own record validity counts.
  virtual std::optional<WallTime> expires_at(ByteView key, ByteView value);
};

/// `/pk/<peer id bytes>`: the public key of a peer, right when the id is that of the key.
class PublicKeyValidator final : public RecordValidator {
 public:
  Result<void> validate(ByteView key, ByteView value, WallTime now) override;
  std::size_t select(ByteView key, std::span<const ByteView> values) override;
};

/// Believes everything; the newest wins. For tests and interop runs only.
class PermissiveValidator final : public RecordValidator {
 public:
  Result<void> validate(ByteView key, ByteView value, WallTime now) override;
  std::size_t select(ByteView key, std::span<const ByteView> values) override;
};

/// Namespace → validator. A key must be `/namespace/rest` with a known namespace and a non-empty rest;
/// anything else is refused, never waved through (GHSA-32mq-hpph-xfvr: js stored keys with fewer parts
/// unvalidated).
class Validators {
 public:
  /// `name` without slashes. The validator is not owned.
  void add(std::string name, RecordValidator& validator);
  /// Also namespaces nobody knows, with `validator`; keys must still have the form. For tests and interop
  /// runs.
  void accept_any_namespace(RecordValidator& validator) { any_ = &validator; }

  /// Errc::bad_namespace.
  Result<RecordValidator*> find(ByteView key) const;
  /// Errc::bad_namespace, Errc::value_too_long, Errc::invalid_record.
  Result<void> validate(ByteView key, ByteView value, WallTime now) const;
  /// Both must be valid for `key`: true when `candidate` is another value than `current` and wins over it.
  bool better(ByteView key, ByteView candidate, ByteView current) const;
  std::optional<WallTime> expires_at(ByteView key, ByteView value) const;

 private:
  std::map<std::string, RecordValidator*, std::less<>> validators_;
  RecordValidator* any_ = nullptr;
};

}  // namespace starling::kad
