#include <array>

#include "base/assert.hpp"
#include "format/multihash.hpp"

namespace starling::format {
namespace {

struct Alphabet {
  std::string_view digits;
  unsigned bits;  // per digit, 0 for radices that are no power of two
};

constexpr std::string_view kDigits36 = "0123456789abcdefghijklmnopqrstuvwxyz";

Alphabet alphabet_of(Base base) noexcept {
  switch (base) {
    case Base::base16: return {kDigits36.substr(0, 16), 4};
    case Base::base32: return {"abcdefghijklmnopqrstuvwxyz234567", 5};
    case Base::base36: return {kDigits36, 0};
    case Base::base58btc: return {"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 0};
    case Base::base64: return {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6};
    case Base::base64url: return {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6};
  }
  return {{}, 0};
}

std::string encode_bits(const Alphabet& alphabet, ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() * 8 + alphabet.bits - 1) / alphabet.bits);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  const std::uint32_t mask = (1u << alphabet.bits) - 1;
  for (const auto byte : bytes) {
    pending = (pending << 8) | byte;
    pending_bits += 8;
    while (pending_bits >= alphabet.bits) {
      pending_bits -= alphabet.bits;
      out.push_back(alphabet.digits[(pending >> pending_bits) & mask]);
    }
  }
  if (pending_bits > 0) out.push_back(alphabet.digits[(pending << (alphabet.bits - pending_bits)) & mask]);
  return out;
}

Result<Bytes> decode_bits(const Alphabet& alphabet, std::string_view text) {
  Bytes out;
  out.reserve(text.size() * alphabet.bits / 8);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const char c : text) {
    const auto digit = alphabet.digits.find(c);
    if (digit == std::string_view::npos) return fail(Errc::bad_multibase);
    pending = (pending << alphabet.bits) | static_cast<std::uint32_t>(digit);
    pending_bits += alphabet.bits;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    out.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
  }
  // What is left must be padding that a shorter text could not have said: less than a digit, and zero.
  if (pending_bits >= alphabet.bits || (pending & ((1u << pending_bits) - 1)) != 0)
    return fail(Errc::bad_multibase);
  return out;
}

// Radices that are no power of two go through numbers of many limbs, the least first: several digits at a
// time.
using Limbs = std::vector<std::uint32_t>;
constexpr std::size_t kDigitsPerLimb = 5;  // 58^5 < 2^32

std::uint64_t power(std::uint64_t radix, std::size_t exponent) {
  std::uint64_t out = 1;
  for (; exponent > 0; --exponent) out *= radix;
  return out;
}

/// number = number * factor + addend, in limbs below `base`. All three are at most 2^32.
void multiply_add(Limbs& number, std::uint64_t base, std::uint64_t factor, std::uint64_t addend) {
  for (auto& limb : number) {
    addend += limb * factor;
    limb = static_cast<std::uint32_t>(addend % base);
    addend /= base;
  }
  for (; addend > 0; addend /= base) number.push_back(static_cast<std::uint32_t>(addend % base));
}

/// Calls `take` with the items in groups of `size`, but for a first one that has what is over.
template <class Items, class Take>
void in_groups(Items items, std::size_t size, Take take) {
  for (std::size_t count = items.size() % size; !items.empty(); count = size) {
    if (count > 0) take(items.substr(0, count));
    items.remove_prefix(count);
  }
}

std::string encode_radix(const Alphabet& alphabet, ByteView bytes) {
  const std::size_t radix = alphabet.digits.size();
  const std::uint64_t base = power(radix, kDigitsPerLimb);
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
  Limbs number;
  in_groups(as_text(bytes.subspan(zeros)), 4, [&](std::string_view group) {
    std::uint64_t addend = 0;
    for (const char c : group) addend = (addend << 8) | static_cast<std::uint8_t>(c);
    multiply_add(number, base, std::uint64_t{1} << (8 * group.size()), addend);
  });
  std::string reversed;
  for (std::uint32_t limb : number) {
    for (std::size_t i = 0; i < kDigitsPerLimb; ++i, limb /= static_cast<std::uint32_t>(radix))
      reversed.push_back(alphabet.digits[limb % radix]);
  }
  while (!reversed.empty() && reversed.back() == alphabet.digits[0]) reversed.pop_back();
  std::string out(zeros, alphabet.digits[0]);
  out.append(reversed.rbegin(), reversed.rend());
  return out;
}

Result<Bytes> decode_radix(const Alphabet& alphabet, std::string_view text) {
  if (text.size() > kRadixTextMax) return fail(Errc::bad_multibase);
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == alphabet.digits[0]) ++zeros;
  if (text.find_first_not_of(alphabet.digits) != std::string_view::npos) return fail(Errc::bad_multibase);
  Limbs number;
  in_groups(text.substr(zeros), kDigitsPerLimb, [&](std::string_view group) {
    std::uint64_t addend = 0;
    for (const char c : group) addend = addend * alphabet.digits.size() + alphabet.digits.find(c);
    multiply_add(number, std::uint64_t{1} << 32, power(alphabet.digits.size(), group.size()), addend);
  });
  Bytes reversed;
  for (std::uint32_t limb : number)
    for (int i = 0; i < 4; ++i, limb >>= 8) reversed.push_back(static_cast<std::uint8_t>(limb));
  while (!reversed.empty() && reversed.back() == 0) reversed.pop_back();
  Bytes out(zeros, 0);
  out.insert(out.end(), reversed.rbegin(), reversed.rend());
  return out;
}

}  // namespace

std::string encode_base(Base base, ByteView bytes) {
  const Alphabet alphabet = alphabet_of(base);
  return alphabet.bits > 0 ? encode_bits(alphabet, bytes) : encode_radix(alphabet, bytes);
}

Result<Bytes> decode_base(Base base, std::string_view text) {
  const Alphabet alphabet = alphabet_of(base);
  return alphabet.bits > 0 ? decode_bits(alphabet, text) : decode_radix(alphabet, text);
}

std::string encode_multibase(Base base, ByteView bytes) {
  std::string out(1, static_cast<char>(base));
  out += encode_base(base, bytes);
  return out;
}

Result<Bytes> decode_multibase(std::string_view text) {
  if (text.empty()) return fail(Errc::bad_multibase);
  switch (const auto base = static_cast<Base>(text[0]); base) {
    case Base::base16:
    case Base::base32:
    case Base::base36:
    case Base::base58btc:
    case Base::base64:
    case Base::base64url: return decode_base(base, text.substr(1));
  }
  return fail(Errc::bad_multibase);
}

}  // namespace starling::format
