// Certificates: our own, the specification's, and every sort that must be refused.
#include "tls/certificate.hpp"

#include "testkit/json.hpp"
#include "tls/fixtures.hpp"

namespace starling::tls {
namespace {

using crypto::KeyType;

constexpr const char* kVectors = "tests/conformance/vectors/tls/certificates.json";

Result<crypto::PublicKey> read(const Forged& how) { return read_certificate(forge(how).der, kStart.wall); }
void expect_refused(const Forged& how, Errc code) {
  const auto read_out = read(how);
  ASSERT_FALSE(read_out.has_value());
  EXPECT_EQ(read_out.error(), make_error(code)) << read_out.error().to_string();
}

TEST(TlsVectors, CertificatesOfTheSpecificationProveTheirPeers) {
  const auto file = testkit::read_json(kVectors);
  std::size_t valid = 0;
  for (const auto& vector : testkit::array_at(file, "vectors")) {
    SCOPED_TRACE(testkit::text_at(vector, "name"));
    const auto key = read_certificate(testkit::hex_at(vector, "certificate"), kStart.wall);
    if (testkit::has(vector, "peer_id")) {
      ASSERT_TRUE(key.has_value()) << key.error().to_string();
      EXPECT_EQ(PeerId::of(*key).to_string(), testkit::text_at(vector, "peer_id"));
      ++valid;
    } else {
      ASSERT_FALSE(key.has_value());
      EXPECT_EQ(key.error(), make_error(Errc::bad_identity_signature));
    }
  }
  EXPECT_EQ(valid, 3u);
}

TEST(TlsCertificate, OfOursProvesItsIdentityForAllTimes) {
  SeededRng rng(1);
  for (const auto type : {KeyType::ed25519, KeyType::secp256k1}) {
    const auto host = host_key(5, type);
    const auto made = make_certificate(host, rng);
    EXPECT_LT(made.der.size(), 500u);
    for (const std::uint64_t year : {1976, 2026, 2500, 4000}) {
      const auto key = read_certificate(made.der, WallTime::from_ms((year - 1970) * 31'557'600'000));
      ASSERT_TRUE(key.has_value()) << key.error().to_string();
      EXPECT_EQ(*key, host.public_key());
    }
  }
}

TEST(TlsCertificate, TakesItsKeyFromTheNodesGenerator) {
  const auto host = host_key(5);
  const auto key_of = [&](std::uint64_t seed) {
    SeededRng rng(seed);
    return public_der(make_certificate(host, rng).key.get());
  };
  EXPECT_EQ(key_of(3), key_of(3));
  EXPECT_NE(key_of(3), key_of(4));
}

TEST(TlsCertificate, IsValidFromItsFirstSecondToItsLast) {
  Forged how;
  how.not_before = "20260101000000Z";
  how.not_after = "20260102000000Z";
  const auto made = forge(how);
  constexpr std::uint64_t kFirst = 1'767'225'600;  // seconds
  const auto at = [&](std::uint64_t second) {
    return read_certificate(made.der, WallTime::from_ms(second * 1000));
  };
  EXPECT_EQ(at(kFirst - 1).error(), make_error(Errc::certificate_not_valid_now));
  EXPECT_TRUE(at(kFirst).has_value());
  EXPECT_TRUE(at(kFirst + 86'399).has_value());
  EXPECT_EQ(at(kFirst + 86'401).error(), make_error(Errc::certificate_not_valid_now));
  EXPECT_FALSE(read_certificate(made.der, WallTime::from_ms(~std::uint64_t{0})).has_value());
}

TEST(TlsCertificate, MayHaveAnyKeyThatTls13Uses) {
  for (const auto& [key, digest] : std::vector<std::pair<std::string, const char*>>{{"P-256", "SHA256"},
                                                                                    {"P-384", "SHA384"},
                                                                                    {"P-521", "SHA512"},
                                                                                    {"ED25519", nullptr},
                                                                                    {"RSA-2048", "SHA256"}}) {
    Forged how;
    how.key = key;
    how.digest = digest;
    const auto read_out = read(how);
    ASSERT_TRUE(read_out.has_value()) << key << " " << read_out.error().to_string();
    EXPECT_EQ(*read_out, host_key(1).public_key());
  }
}

TEST(TlsCertificate, WithAWeakOrForeignAlgorithmIsRefused) {
  for (const auto& [key, digest] : std::vector<std::pair<std::string, const char*>>{{"P-256", "SHA1"},
                                                                                    {"secp256k1", "SHA256"},
                                                                                    {"P-224", "SHA256"},
                                                                                    {"ED448", nullptr},
                                                                                    {"RSA-1024", "SHA256"},
                                                                                    {"RSA-2048", "SHA1"}}) {
    SCOPED_TRACE(key);
    Forged how;
    how.key = key;
    how.digest = digest;
    expect_refused(how, Errc::unsupported_certificate);
  }
}

TEST(TlsCertificate, SignedByAnotherKeyThanItsOwnIsRefused) {
  Forged how;
  how.foreign_signature = true;
  expect_refused(how, Errc::bad_certificate_signature);
}

TEST(TlsCertificate, ExtensionIsNeededOnceAndMayBeCritical) {
  Forged how;
  how.critical = true;
  EXPECT_TRUE(read(how).has_value());
  how.twice = true;
  expect_refused(how, Errc::bad_extension);
  how.twice = false;
  how.extension = false;
  expect_refused(how, Errc::no_extension);
}

TEST(TlsCertificate, UnknownExtensionsAreIgnoredUnlessCritical) {
  Forged how;
  how.other_critical = false;
  EXPECT_TRUE(read(how).has_value());
  how.other_critical = true;
  expect_refused(how, Errc::unknown_critical_extension);
}

TEST(TlsCertificate, OfAnOldVersionOrWithDeprecatedFieldsIsRefused) {
  Forged how;
  how.version = 0;
  expect_refused(how, Errc::bad_certificate);
  how.version = 2;
  how.subject_unique_id = true;
  expect_refused(how, Errc::bad_certificate);
}

TEST(TlsCertificate, AboveItsLimitIsRefusedUnread) {
  Forged how;
  how.other_critical = false;
  how.other_bytes = kCertificateBytesMax - 600;
  EXPECT_TRUE(read(how).has_value());
  how.other_bytes = kCertificateBytesMax;
  expect_refused(how, Errc::bad_certificate);
}

// The extension of an honest certificate in one with another key: what a thief could do.
TEST(TlsCertificate, WithAStolenExtensionIsRefused) {
  Forged how;
  how.value = [](ByteView) { return signed_key(host_key(1), public_der(make_key("P-256").get())); };
  expect_refused(how, Errc::bad_identity_signature);
}

TEST(TlsCertificate, WithAMalformedSignedKeyIsRefused) {
  const auto good = [](ByteView spki) { return signed_key(host_key(1), spki); };
  const std::vector<std::pair<std::string, std::function<Bytes(Bytes)>>> edits = {
      {"empty", [](const Bytes&) { return Bytes(); }},
      {"no sequence", [](Bytes b) { return b[0] = 0x31, b; }},
      {"byte behind", [](Bytes b) { return b.push_back(0), b; }},
      {"byte missing", [](Bytes b) { return b.pop_back(), b; }},
      {"bit string for the key", [](Bytes b) { return b[2] = 0x03, b; }},
      {"endless length", [](Bytes b) { return b[1] = 0x80, b; }},
      {"length of more than it has", [](Bytes b) { return b[1] += 1, b; }},
      {"long form of a short length", [](Bytes b) { return b.insert(b.begin() + 1, 0x81), b; }},
      {"third element",
       [](Bytes b) {
         append(b, Bytes{0x04, 0x00});
         b[1] += 2;
         return b;
       }},
  };
  for (const auto& [name, edit] : edits) {
    SCOPED_TRACE(name);
    Forged how;
    how.value = [&](ByteView spki) { return edit(good(spki)); };
    expect_refused(how, Errc::bad_extension);
  }
}

TEST(TlsCertificate, WithAnIdentityKeyThatIsNoneIsRefused) {
  for (const Bytes& key : {Bytes(), testkit::hex("08011220"), testkit::hex("0804120100"), Bytes(2000, 1)}) {
    Forged how;
    how.value = [&](ByteView) { return signed_key(key, Bytes(64, 1)); };
    expect_refused(how, Errc::bad_identity_key);
  }
}

// RSA and ECDSA identities, which we only verify.
TEST(TlsCertificate, ProvesForeignIdentitiesToo) {
  for (const auto& [sort, type] :
       std::vector<std::pair<std::string, std::uint8_t>>{{"RSA-2048", 0}, {"P-256", 3}, {"P-384", 3}}) {
    SCOPED_TRACE(sort);
    const auto host = make_key(sort);
    const Bytes data = public_der(host.get());
    Bytes message{0x08, type, 0x12};
    if (data.size() > 0x7f) message.push_back(static_cast<std::uint8_t>(0x80 | (data.size() & 0x7f)));
    message.push_back(static_cast<std::uint8_t>(data.size() > 0x7f ? data.size() >> 7 : data.size()));
    append(message, data);
    Forged how;
    how.value = [&](ByteView spki) {
      Bytes text = to_bytes(kSignaturePrefix);
      append(text, spki);
      return signed_key(message, sign_with(host.get(), "SHA256", text));
    };
    const auto key = read(how);
    ASSERT_TRUE(key.has_value()) << key.error().to_string();
    EXPECT_TRUE(equal(key->data(), data));
    how.value = [&](ByteView spki) { return signed_key(message, sign_with(host.get(), "SHA256", spki)); };
    expect_refused(how, Errc::bad_identity_signature);
  }
  Forged weak;
  const auto host = make_key("RSA-1024");
  weak.value = [&](ByteView) {
    Bytes message = testkit::hex("080012a201");
    append(message, public_der(host.get()));
    return signed_key(message, Bytes(128, 1));
  };
  expect_refused(weak, Errc::bad_identity_key);
}

TEST(TlsCertificate, CutAnywhereOrWithAnyByteTurnedIsRefused) {
  SeededRng rng(testkit::seed(411));
  const Bytes good = make_certificate(host_key(5), rng).der;
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_FALSE(read_certificate(ByteView(good).first(size), kStart.wall).has_value()) << size;
  Bytes more = good;
  more.push_back(0);
  EXPECT_FALSE(read_certificate(more, kStart.wall).has_value());
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= static_cast<std::uint8_t>(1U << rng.below(8));
    ASSERT_FALSE(read_certificate(bad, kStart.wall).has_value()) << "byte " << at;
  }
}

}  // namespace
}  // namespace starling::tls
