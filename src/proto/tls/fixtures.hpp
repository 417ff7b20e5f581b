#pragma once
// What the tests of this folder share: honest pairs, certificates of every sort, and a peer that speaks TLS
// rightly and everything else as it likes.
#include <gtest/gtest.h>

#include <functional>

#include "testkit/testkit.hpp"
#include "tls/handshake.hpp"

struct evp_pkey_st;
struct ssl_st;
struct ssl_ctx_st;

namespace starling::tls {

inline constexpr Now kStart{Instant::from_ns(1'000'000'000), WallTime::from_ms(1'790'000'000'000)};  // 2026
inline constexpr std::string_view kYamux = "/yamux/1.0.0";

inline crypto::PrivateKey host_key(std::uint64_t seed, crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(type, rng);
}
inline std::unique_ptr<Identity> identity(std::uint64_t seed,
                                          crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return std::make_unique<Identity>(host_key(seed, type), rng);
}
inline PeerId peer_of(const Identity& identity) { return PeerId::of(identity.key()); }

inline Config with_yamux() {
  Config config;
  config.muxers = {std::string(kYamux)};
  return config;
}

template <class Machine>
Bytes drain(Machine& machine) {
  Bytes out = to_bytes(machine.to_send());
  machine.sent(out.size());
  return out;
}

/// A finished pair of channels.
struct Channels {
  Secured client;
  Secured server;
};
/// `a` and `b` outlive the result.
inline Channels connect(const Identity& a, const Identity& b, const Config& client_config = with_yamux(),
                        const Config& server_config = with_yamux()) {
  Handshake client(Role::client, a, client_config, kStart);
  Handshake server(Role::server, b, server_config, kStart);
  EXPECT_TRUE(server.receive(drain(client), kStart.mono).has_value());
  EXPECT_TRUE(client.receive(drain(server), kStart.mono).has_value());
  EXPECT_TRUE(server.receive(drain(client), kStart.mono).has_value());
  return {client.take(), server.take()};
}

/// Everything that stands in `wire`, opened; the records are used up. Stops at the first error.
inline Result<Bytes> open_all(Transport& transport, Bytes wire) {
  Bytes out;
  MutableByteView rest = wire;
  while (!rest.empty()) {
    const auto opened = transport.open_next(rest);
    if (!opened) return fail(opened.error());
    if (!*opened) break;
    append(out, (*opened)->plaintext);
    rest = rest.subspan((*opened)->consumed);
  }
  EXPECT_TRUE(rest.empty()) << "whole records";
  return out;
}
inline Bytes sealed(Transport& transport, ByteView plaintext) {
  Bytes out;
  EXPECT_TRUE(transport.seal({&plaintext, 1}, out).has_value());
  return out;
}

/// A key of OpenSSL's: `P-256`, `P-384`, `P-521`, `secp256k1`, `ED25519`, `ED448`, `RSA-1024`, `RSA-2048`.
std::shared_ptr<evp_pkey_st> make_key(const std::string& sort);
/// PKIX DER of its public half.
Bytes public_der(evp_pkey_st* key);
Bytes sign_with(evp_pkey_st* key, const char* digest, ByteView message);

/// A certificate, right in all but what is changed here.
struct Forged {
  std::string key = "P-256";
  const char* digest = "SHA256";
  std::string not_before = "20200101000000Z";
  std::string not_after = "20300101000000Z";
  long version = 2;
  bool extension = true;
  bool critical = false;
  bool twice = false;
  /// Another extension (netscape comment) of so many bytes, critical or not.
  std::optional<bool> other_critical;
  std::size_t other_bytes = 10;
  /// Signed by another key than its own.
  bool foreign_signature = false;
  bool subject_unique_id = false;
  /// The value of the libp2p extension, from the certificate's key; nothing = what host_key(1) says.
  std::function<Bytes(ByteView spki)> value;
};
struct ForgedCertificate {
  Bytes der;
  std::shared_ptr<evp_pkey_st> key;
};
ForgedCertificate forge(const Forged& how = {});
/// SignedKey of an identity over a certificate's key.
Bytes signed_key(const crypto::PrivateKey& identity, ByteView spki);
Bytes signed_key(ByteView identity, ByteView signature);

/// A peer made of OpenSSL alone.
class Stranger {
 public:
  struct How {
    Role role = Role::client;
    std::vector<Bytes> certificates;  ///< the first belongs to `key`
    std::shared_ptr<evp_pkey_st> key;
    int version = 0x0304;
    std::vector<std::string> alpn = {"/yamux/1.0.0", "libp2p"};  ///< a server answers with the first
    std::size_t tickets = 0;
    const char* cipher = nullptr;
    bool demands_certificate = true;
  };
  /// One that shows a right certificate of host_key(1).
  static How honest(Role role);
  explicit Stranger(How how);
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  ~Stranger();

  void hear(ByteView bytes);
  /// Goes on with the handshake; true when it is done.
  bool shake();
  Bytes say();
  bool write(ByteView bytes);
  Bytes read();
  void update_key(bool ask_for_theirs);
  /// To a multiple of so many bytes.
  void pad_records(std::size_t bytes);
  bool saw_server_name() const;
  bool saw_certificate() const;
  bool saw_close() const;
  const std::string& cipher() const;

 private:
  How how_;
  ssl_ctx_st* context_;
  ssl_st* ssl_;
  mutable std::string cipher_;
};

}  // namespace starling::tls
