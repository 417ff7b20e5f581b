#include "proto/kad/validator.hpp"

#include <gtest/gtest.h>

#include "crypto/keys.hpp"
#include "format/peer_id.hpp"
#include "proto/kad/kad_testing.hpp"

namespace starling::kad {
namespace {

const WallTime kNow = WallTime::from_ms(1'750'000'000'000);

Bytes pk_key(const PeerId& id) {
  Bytes out = to_bytes("/pk/");
  append(out, id.bytes());
  return out;
}

// E.3 #28 (GHSA-32mq-hpph-xfvr): keys with fewer than three parts skipped validation in js.
TEST(KadValidators, RefuseKeysWithoutANamespaceWhateverTheValidators) {
  PermissiveValidator any;
  Validators validators;
  validators.accept_any_namespace(any);
  for (const std::string_view key :
       {"", "/", "//", "///", "pk", "/pk", "/pk/", "pk/x", "x", "//x", "\xff\xfe", "/\0"}) {
    const auto result = validators.validate(as_bytes(key), as_bytes("v"), kNow);
    ASSERT_FALSE(result) << key;
    EXPECT_EQ(result.error(), make_error(Errc::bad_namespace)) << key;
  }
  EXPECT_TRUE(validators.validate(as_bytes("/any/x"), as_bytes("v"), kNow));
  EXPECT_TRUE(validators.validate(as_bytes("/example/data/x"), as_bytes("v"), kNow));
  Bytes longest = to_bytes("/n/");
  longest.resize(kKeyBytesMax, 'x');
  EXPECT_TRUE(validators.validate(longest, as_bytes("v"), kNow));
  longest.push_back('x');
  EXPECT_EQ(validators.validate(longest, as_bytes("v"), kNow).error(), make_error(Errc::bad_namespace));
}

// E.2 #9: wrong namespace.
TEST(KadValidators, RefuseANamespaceNobodyKnows) {
  testing::SequenceValidator seq;
  Validators validators;
  validators.add("seq", seq);
  EXPECT_TRUE(validators.validate(as_bytes("/seq/a"), as_bytes("7"), kNow));
  EXPECT_EQ(validators.validate(as_bytes("/ipns/a"), as_bytes("7"), kNow).error(),
            make_error(Errc::bad_namespace));
  EXPECT_EQ(validators.validate(as_bytes("/seqs/a"), as_bytes("7"), kNow).error(),
            make_error(Errc::bad_namespace));
  EXPECT_EQ(validators.validate(as_bytes("/se/q"), as_bytes("7"), kNow).error(),
            make_error(Errc::bad_namespace));
  EXPECT_EQ(validators.validate(as_bytes("/seq/a"), as_bytes("x"), kNow).error(),
            make_error(Errc::invalid_record));
  EXPECT_EQ(validators.validate(as_bytes("/seq/a"), Bytes(kValueBytesMax + 1, '0'), kNow).error(),
            make_error(Errc::value_too_long));
}

TEST(KadValidators, AKnownNamespaceIsNotOverruledByThePermissiveOne) {
  testing::SequenceValidator seq;
  PermissiveValidator any;
  Validators validators;
  validators.accept_any_namespace(any);
  validators.add("seq", seq);
  EXPECT_FALSE(validators.validate(as_bytes("/seq/a"), as_bytes("x"), kNow));
}

TEST(KadValidators, PreferWhatTheNamespacePrefers) {
  testing::SequenceValidator seq;
  Validators validators;
  validators.add("seq", seq);
  const ByteView key = as_bytes("/seq/a");
  EXPECT_TRUE(validators.better(key, as_bytes("9"), as_bytes("8")));
  EXPECT_FALSE(validators.better(key, as_bytes("8"), as_bytes("9")));
  EXPECT_FALSE(validators.better(key, as_bytes("9"), as_bytes("9")));
  EXPECT_FALSE(validators.better(key, as_bytes("09"), as_bytes("9")));  // a tie leaves the current one
  EXPECT_FALSE(validators.better(as_bytes("nothing"), as_bytes("9"), as_bytes("8")));
}

TEST(KadPublicKeyValidator, BelievesAKeyThatMakesTheId) {
  SeededRng rng(testkit::seed(3));
  PublicKeyValidator pk;
  Validators validators;
  validators.add("pk", pk);
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    const auto mine = crypto::PrivateKey::generate(type, rng);
    const auto other = crypto::PrivateKey::generate(type, rng);
    const PeerId id = PeerId::of(mine.public_key());
    const Bytes value = format::encode_public_key(mine.public_key());
    EXPECT_TRUE(validators.validate(pk_key(id), value, kNow));
    EXPECT_EQ(validators.validate(pk_key(id), format::encode_public_key(other.public_key()), kNow).error(),
              make_error(Errc::invalid_record));
    EXPECT_FALSE(validators.validate(pk_key(id), {}, kNow));
    EXPECT_FALSE(validators.validate(pk_key(id), ByteView(value).first(value.size() - 1), kNow));
    EXPECT_FALSE(validators.validate(as_bytes("/pk/not an id"), value, kNow));
    EXPECT_EQ(pk.validate(as_bytes("/pk"), value, kNow).error(), make_error(Errc::bad_namespace));
    EXPECT_FALSE(validators.better(pk_key(id), value, value));
    EXPECT_FALSE(validators.expires_at(pk_key(id), value));
  }
}

}  // namespace
}  // namespace starling::kad
