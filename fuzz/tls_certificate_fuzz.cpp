// fuzz-depends: tls
// What a peer shows before it is trusted. Input: one byte of mode, then material:
//   0     a certificate
//   1     the value of the libp2p extension in a certificate that is right otherwise
//   2, 3  raw bytes to a client, to a server
// Checked: never a crash; a certificate that is taken has no second encoding; nobody proves an identity
// without its signature; no handshake completes.
#include <openssl/x509.h>

#include <cstdint>

#include "base/assert.hpp"
#include "tls/handshake.hpp"

namespace {

using namespace starling;
using namespace starling::tls;

constexpr Now kNow{Instant::from_ns(0), WallTime::from_ms(1'790'000'000'000)};

const crypto::PrivateKey& host() {
  static const crypto::PrivateKey kHost = [] {
    SeededRng rng(1);
    return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng);
  }();
  return kHost;
}

void certificate(ByteView der) {
  const auto key = read_certificate(der, kNow.wall);
  if (!key) return;
  Bytes longer = to_bytes(der);
  longer.push_back(0);
  STARLING_ASSERT(!read_certificate(longer, kNow.wall));
  STARLING_ASSERT(!read_certificate(der.first(der.size() - 1), kNow.wall));
  STARLING_ASSERT(!read_certificate(der, WallTime::from_ms(0)));
}

// The certificate of host() with this value in the place of its own, signed again.
Bytes with_extension(ByteView value) {
  SeededRng rng(2);
  const Certificate made = make_certificate(host(), rng);
  const std::uint8_t* cursor = made.der.data();
  X509* parsed = d2i_X509(nullptr, &cursor, static_cast<long>(made.der.size()));
  ASN1_OCTET_STRING* content = X509_EXTENSION_get_data(X509_get_ext(parsed, 0));
  STARLING_ASSERT(ASN1_OCTET_STRING_set(content, value.data(), static_cast<int>(value.size())) == 1);
  STARLING_ASSERT(X509_sign(parsed, made.key.get(), EVP_sha256()) > 0);
  Bytes out(static_cast<std::size_t>(i2d_X509(parsed, nullptr)));
  std::uint8_t* end = out.data();
  i2d_X509(parsed, &end);
  X509_free(parsed);
  return out;
}

void extension(ByteView value) {
  if (value.size() > 20'000) return;
  const auto key = read_certificate(with_extension(value), kNow.wall);
  STARLING_ASSERT(!key || *key == host().public_key());
}

void handshake(Role role, ByteView bytes) {
  static const Identity* const kIdentity = [] {
    SeededRng rng(3);
    return new Identity(host(), rng);
  }();
  Config config;
  config.muxers = {"/yamux/1.0.0"};
  Handshake machine(role, *kIdentity, std::move(config), kNow);
  while (!bytes.empty()) {
    const std::size_t piece = std::min<std::size_t>(bytes.size(), 100);
    const auto consumed = machine.receive(bytes.first(piece), kNow.mono);
    if (!consumed) break;
    STARLING_ASSERT(*consumed == piece);
    bytes = bytes.subspan(piece);
  }
  STARLING_ASSERT(!machine.complete());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0: certificate(rest); break;
    case 1: extension(rest); break;
    case 2: handshake(Role::client, rest); break;
    default: handshake(Role::server, rest); break;
  }
  return 0;
}
