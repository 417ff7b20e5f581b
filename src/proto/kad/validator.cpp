#include "proto/kad/validator.hpp"

#include <algorithm>
#include <array>

#include "format/peer_id.hpp"
#include "proto/kad/limits.hpp"

namespace starling::kad {
namespace {

/// `/namespace/rest` with both parts non-empty.
struct KeyParts {
  std::string_view name;
  ByteView rest;
};
std::optional<KeyParts> split(ByteView key) {
  if (key.size() > kKeyBytesMax || key.empty() || key[0] != '/') return std::nullopt;
  const ByteView tail = key.subspan(1);
  const auto slash = std::find(tail.begin(), tail.end(), std::uint8_t{'/'});
  const auto length = static_cast<std::size_t>(slash - tail.begin());
  if (length == 0 || slash == tail.end() || length + 1 == tail.size()) return std::nullopt;
  return KeyParts{as_text(tail.first(length)), tail.subspan(length + 1)};
}

}  // namespace

std::optional<WallTime> RecordValidator::expires_at(ByteView, ByteView) { return std::nullopt; }

Result<void> PublicKeyValidator::validate(ByteView key, ByteView value, WallTime) {
  const auto parts = split(key);
  if (!parts) return fail(Errc::bad_namespace);
  const auto peer = PeerId::from_bytes(parts->rest);
  const auto public_key = format::decode_public_key(value);
  if (!peer || !public_key || PeerId::of(*public_key) != *peer) return fail(Errc::invalid_record);
  return {};
}

std::size_t PublicKeyValidator::select(ByteView, std::span<const ByteView>) { return 0; }

Result<void> PermissiveValidator::validate(ByteView, ByteView, WallTime) { return {}; }
std::size_t PermissiveValidator::select(ByteView, std::span<const ByteView>) { return 0; }

void Validators::add(std::string name, RecordValidator& validator) {
  validators_[std::move(name)] = &validator;
}

Result<RecordValidator*> Validators::find(ByteView key) const {
  const auto parts = split(key);
  if (!parts) return fail(Errc::bad_namespace);
  if (const auto it = validators_.find(parts->name); it != validators_.end()) return it->second;
  if (any_ != nullptr) return any_;
  return fail(Errc::bad_namespace);
}

Result<void> Validators::validate(ByteView key, ByteView value, WallTime now) const {
  STARLING_ASSIGN(RecordValidator* const validator, find(key));
  if (value.size() > kValueBytesMax) return fail(Errc::value_too_long);
  if (!validator->validate(key, value, now)) return fail(Errc::invalid_record);
  return {};
}

bool Validators::better(ByteView key, ByteView candidate, ByteView current) const {
  if (equal(candidate, current)) return false;
  const auto validator = find(key);
  if (!validator) return false;
  const std::array<ByteView, 2> both{current, candidate};
  return (*validator)->select(key, both) == 1;
}

std::optional<WallTime> Validators::expires_at(ByteView key, ByteView value) const {
  const auto validator = find(key);
  return validator ? (*validator)->expires_at(key, value) : std::nullopt;
}

}  // namespace starling::kad
