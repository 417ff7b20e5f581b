#include "home/keystore.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>

#include "crypto/hash.hpp"
#include "crypto/recoverable.hpp"
#include "home/files.hpp"

namespace starling::home {
namespace {

namespace json = boost::json;

constexpr std::size_t kKeystoreBytesMax = 64 * 1024;
constexpr std::size_t kDerivedBytes = 32;

/// A member that must be a string of hex digits.
Result<Bytes> hex_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return fail(Errc::bad_keystore);
  auto bytes = from_hex(std::string_view(value->get_string()));
  if (!bytes) return fail(Errc::bad_keystore);
  return *std::move(bytes);
}

Result<std::uint64_t> number_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr) return fail(Errc::bad_keystore);
  if (value->is_int64() && value->get_int64() > 0) return static_cast<std::uint64_t>(value->get_int64());
  if (value->is_uint64()) return value->get_uint64();
  return fail(Errc::bad_keystore);
}

Result<const json::object*> object_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_object()) return fail(Errc::bad_keystore);
  return &value->get_object();
}

std::string text_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string()))
                                                : std::string();
}

Result<json::object> parse(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return fail(Errc::bad_keystore);
  return std::move(value.get_object());
}

Result<Bytes> derive(const json::object& crypto_part, std::string_view password) {
  STARLING_ASSIGN(const json::object* params, object_member(crypto_part, "kdfparams"));
  STARLING_ASSIGN(const Bytes salt, hex_member(*params, "salt"));
  STARLING_ASSIGN(const std::uint64_t length, number_member(*params, "dklen"));
  if (length != kDerivedBytes) return fail(Errc::unsupported_keystore);
  const std::string kdf = text_member(crypto_part, "kdf");
  Result<Bytes> derived = fail(Errc::unsupported_keystore);
  if (kdf == "scrypt") {
    STARLING_ASSIGN(const std::uint64_t n, number_member(*params, "n"));
    STARLING_ASSIGN(const std::uint64_t r, number_member(*params, "r"));
    STARLING_ASSIGN(const std::uint64_t p, number_member(*params, "p"));
    if (r > 64 || p > 64) return fail(Errc::unsupported_keystore);
    derived =
        crypto::scrypt(as_bytes(password), salt,
                       {n, static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(p)}, kDerivedBytes);
  } else if (kdf == "pbkdf2" && text_member(*params, "prf") == "hmac-sha256") {
    STARLING_ASSIGN(const std::uint64_t rounds, number_member(*params, "c"));
    if (rounds > 10'000'000) return fail(Errc::unsupported_keystore);
    derived =
        crypto::pbkdf2_sha256(as_bytes(password), salt, static_cast<std::uint32_t>(rounds), kDerivedBytes);
  }
  if (!derived) return fail(Errc::unsupported_keystore);
  return derived;
}

/// Version 4 of RFC 4122, as the format wants it.
std::string uuid(Rng& rng) {
  auto raw = rng.bytes<16>();
  raw[6] = static_cast<std::uint8_t>((raw[6] & 0x0f) | 0x40);
  raw[8] = static_cast<std::uint8_t>((raw[8] & 0x3f) | 0x80);
  const std::string hex = to_hex(raw);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

/// `UTC--2026-11-22T16-00-00.000000000Z--<address>`: sorted by name is sorted by age.
std::string file_name(const EthAddress& address, std::uint64_t unix_ms) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::strftime(text, sizeof text, "UTC--%Y-%m-%dT%H-%M-%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%03u000000Z", static_cast<unsigned>(unix_ms % 1000));
  return std::string(text) + fraction + "--" + to_hex(address.bytes());
}

}  // namespace

crypto::ScryptCost scrypt_cost(KeystoreCost cost) noexcept {
  return cost == KeystoreCost::standard ? crypto::ScryptCost{1 << 18, 8, 1}
                                        : crypto::ScryptCost{1 << 12, 8, 6};
}

Result<std::string> encrypt_keystore(const crypto::PrivateKey& wallet, std::string_view password,
                                     KeystoreCost cost, Rng& rng) {
  STARLING_ASSIGN(const auto address, crypto::ethereum_address_of(wallet.public_key()));
  const auto salt = rng.bytes<32>();
  const auto iv = rng.bytes<16>();
  const auto scrypt = scrypt_cost(cost);
  STARLING_ASSIGN(Bytes derived, crypto::scrypt(as_bytes(password), salt, scrypt, kDerivedBytes));
  STARLING_ASSIGN(const Bytes ciphertext,
                  crypto::aes128_ctr(ByteView(derived).first(16), iv, wallet.secret()));
  const auto mac = crypto::keccak256({ByteView(derived).subspan(16), ByteView(ciphertext)});
  crypto::wipe(derived);
  const json::object file{
      {"address", to_hex(address)},
      {"crypto",
       {{"cipher", "aes-128-ctr"},
        {"ciphertext", to_hex(ciphertext)},
        {"cipherparams", {{"iv", to_hex(iv)}}},
        {"kdf", "scrypt"},
        {"kdfparams",
         {{"dklen", kDerivedBytes},
          {"n", scrypt.n},
          {"p", scrypt.p},
          {"r", scrypt.r},
          {"salt", to_hex(salt)}}},
        {"mac", to_hex(mac)}}},
      {"id", uuid(rng)},
      {"version", 3},
  };
  return json::serialize(file);
}

Result<crypto::PrivateKey> decrypt_keystore(std::string_view text, std::string_view password) {
  STARLING_ASSIGN(const json::object file, parse(text));
  STARLING_ASSIGN(const std::uint64_t version, number_member(file, "version"));
  if (version != 3) return fail(Errc::bad_keystore);
  // Some tools write "Crypto".
  const bool capital = !file.contains("crypto") && file.contains("Crypto");
  STARLING_ASSIGN(const json::object* part, object_member(file, capital ? "Crypto" : "crypto"));
  if (text_member(*part, "cipher") != "aes-128-ctr") return fail(Errc::unsupported_keystore);
  STARLING_ASSIGN(const json::object* cipher_params, object_member(*part, "cipherparams"));
  STARLING_ASSIGN(const Bytes iv, hex_member(*cipher_params, "iv"));
  STARLING_ASSIGN(const Bytes ciphertext, hex_member(*part, "ciphertext"));
  STARLING_ASSIGN(const Bytes mac, hex_member(*part, "mac"));
  if (iv.size() != 16 || ciphertext.size() != 32 || mac.size() != 32) return fail(Errc::bad_keystore);
  STARLING_ASSIGN(Bytes derived, derive(*part, password));
  const auto expected = crypto::keccak256({ByteView(derived).subspan(16), ByteView(ciphertext)});
  if (!crypto::constant_time_equal(expected, mac)) return fail(Errc::wrong_password);
  STARLING_ASSIGN(Bytes secret, crypto::aes128_ctr(ByteView(derived).first(16), iv, ciphertext));
  auto key = crypto::PrivateKey::from_data(crypto::KeyType::secp256k1, secret);
  crypto::wipe(derived);
  crypto::wipe(secret);
  if (!key) return fail(Errc::bad_keystore);
  return key;
}

Result<EthAddress> keystore_address(std::string_view text) {
  STARLING_ASSIGN(const json::object file, parse(text));
  STARLING_ASSIGN(const Bytes bytes, hex_member(file, "address"));
  auto address = EthAddress::from_bytes(bytes);
  if (!address || !(file.contains("crypto") || file.contains("Crypto"))) return fail(Errc::bad_keystore);
  return *address;
}

std::vector<KeystoreEntry> Keystore::list() const {
  std::vector<KeystoreEntry> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (!entry.is_regular_file(error)) continue;
    const auto content = read_file(entry.path(), kKeystoreBytesMax);
    if (!content) continue;
    if (const auto address = keystore_address(as_text(*content))) out.push_back({*address, entry.path()});
  }
  std::sort(out.begin(), out.end(), [](const KeystoreEntry& a, const KeystoreEntry& b) {
    return a.file.filename() < b.file.filename();
  });
  return out;
}

Result<KeystoreEntry> Keystore::add(const crypto::PrivateKey& wallet, std::string_view password,
                                    KeystoreCost cost, Rng& rng, std::uint64_t unix_ms) {
  STARLING_ASSIGN(const auto raw, crypto::ethereum_address_of(wallet.public_key()));
  const EthAddress address(raw);
  for (const auto& entry : list())
    if (entry.address == address) return fail(Errc::wallet_exists);
  STARLING_ASSIGN(const std::string content, encrypt_keystore(wallet, password, cost, rng));
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return fail(Errc::cannot_write);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
  const auto file = folder_ / file_name(address, unix_ms);
  STARLING_TRY(write_secret(file, as_bytes(content)));
  return KeystoreEntry{address, file};
}

Result<crypto::PrivateKey> Keystore::open(const EthAddress& address, std::string_view password) const {
  for (const auto& entry : list()) {
    if (entry.address != address) continue;
    STARLING_ASSIGN(const Bytes content, read_file(entry.file, kKeystoreBytesMax));
    STARLING_ASSIGN(auto key, decrypt_keystore(as_text(content), password));
    // The address in the file is only a label; the key decides.
    if (EthAddress(*crypto::ethereum_address_of(key.public_key())) != address) return fail(Errc::damaged);
    return key;
  }
  return fail(Errc::no_such_wallet);
}

}  // namespace starling::home
