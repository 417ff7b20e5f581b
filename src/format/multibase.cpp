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

// Multiplies the big-endian number in `digits` by `radix` and adds `carry`; grows it at the front (stored
// reversed).
void multiply_add(Bytes& reversed, std::uint32_t radix, std::uint32_t base, std::uint32_t carry) {
  for (auto& digit : reversed) {
    carry += digit * radix;
    digit = static_cast<std::uint8_t>(carry % base);
    carry /= base;
  }
  for (; carry > 0; carry /= base) reversed.push_back(static_cast<std::uint8_t>(carry % base));
}

std::string encode_radix(const Alphabet& alphabet, ByteView bytes) {
  const auto radix = static_cast<std::uint32_t>(alphabet.digits.size());
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
  Bytes reversed;
  for (const auto byte : bytes.subspan(zeros)) multiply_add(reversed, 256, radix, byte);
  std::string out(zeros, alphabet.digits[0]);
  for (auto digit = reversed.rbegin(); digit != reversed.rend(); ++digit)
    out.push_back(alphabet.digits[*digit]);
  return out;
}

Result<Bytes> decode_radix(const Alphabet& alphabet, std::string_view text) {
  if (text.size() > kRadixTextMax) return fail(Errc::bad_multibase);
  const auto radix = static_cast<std::uint32_t>(alphabet.digits.size());
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == alphabet.digits[0]) ++zeros;
  Bytes reversed;
  for (const char c : text.substr(zeros)) {
    const auto digit = alphabet.digits.find(c);
    if (digit == std::string_view::npos) return fail(Errc::bad_multibase);
    multiply_add(reversed, radix, 256, static_cast<std::uint32_t>(digit));
  }
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
