#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "home/data_dir.hpp"
#include "home/files.hpp"
#include "home/store.hpp"
#include "testkit/testkit.hpp"

namespace starling::home {
namespace {

namespace fs = std::filesystem;

/// A folder that goes with the test.
class HomeTest : public ::testing::Test {
 public:
  ~HomeTest() override { fs::remove_all(folder); }

 protected:
  HomeTest() {
    std::string name = (fs::temp_directory_path() / "starling-home-XXXXXX").string();
    STARLING_ASSERT(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  fs::path folder;
  SeededRng rng{11};
};

// Made by eth-account 0.13 (PyPI) for the key of the Web3 Secret Storage definition; password "testpassword".
constexpr std::string_view kEthAccountScrypt =
    R"({"address":"008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b","crypto":{"cipher":
"aes-128-ctr","cipherparams":{"iv":"31cf7a811ffae61c78f316e285ec0a65"},"ciphertext":
"5f205faa76797263c06ac083da963433bd7e33c0cf330848c99050262c66d4f9","kdf":"scrypt","kdfparams":{"dklen":32,"n":4096,
"r":8,"p":1,"salt":"856bf7bb7cde24bfb636bd54503a8edb"},"mac":
"74086cbfcadcba6700a000d538cc40fa7bb827e1046a2e2fc45ee013ee17ac88"},"id":"40d4cbdb-8896-4d02-9625-9ff04a27a26d",
"version":3})";
// The PBKDF2 example of the definition itself (Ethereum wiki, "Test Vectors"). Its scrypt example has r = 1
// with n = 2^18, which RFC 7914 forbids (n < 2^(16 r)); no tool writes such files.
constexpr std::string_view kWikiPbkdf2 = R"({"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":
"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
"kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":
"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":
"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6",
"version":3})";
constexpr std::string_view kWikiSecret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

TEST_F(HomeTest, ReadsTheKeystoresOfOtherTools) {
  for (const auto text : {kEthAccountScrypt, kWikiPbkdf2}) {
    const auto key = decrypt_keystore(text, "testpassword");
    ASSERT_TRUE(key.has_value()) << key.error().to_string();
    EXPECT_EQ(to_hex(key->secret()), kWikiSecret);
  }
}

TEST_F(HomeTest, AWrongPasswordIsNamedAsSuch) {
  const auto key = decrypt_keystore(kWikiPbkdf2, "testpasswore");
  ASSERT_FALSE(key.has_value());
  EXPECT_TRUE(key.error().is(Errc::wrong_password));
}

TEST_F(HomeTest, KeystoresWithUnreasonableCostOrFormAreRefused) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text(kEthAccountScrypt);
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  EXPECT_TRUE(
      decrypt_keystore(with("\"n\":4096", "\"n\":1073741824"), "x").error().is(Errc::unsupported_keystore));
  EXPECT_TRUE(decrypt_keystore(with("\"n\":4096", "\"n\":4095"), "x").error().is(Errc::unsupported_keystore));
  EXPECT_TRUE(
      decrypt_keystore(with("aes-128-ctr", "aes-128-cbc"), "x").error().is(Errc::unsupported_keystore));
  EXPECT_TRUE(decrypt_keystore(with("\"version\":3", "\"version\":1"), "x").error().is(Errc::bad_keystore));
  EXPECT_TRUE(decrypt_keystore("{", "x").error().is(Errc::bad_keystore));
  EXPECT_TRUE(decrypt_keystore("[]", "x").error().is(Errc::bad_keystore));
}

TEST_F(HomeTest, AKeystoreOpensAgainAndIsPrivate) {
  Keystore store(folder / "keystore");
  const auto wallet = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng);
  const auto entry = store.add(wallet, "correct horse", KeystoreCost::light, rng, 1'795'000'000'123);
  ASSERT_TRUE(entry.has_value());
  EXPECT_TRUE(entry->file.filename().string().starts_with("UTC--2026-11-18T"));
  struct stat status {};
  ASSERT_EQ(::stat(entry->file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(store.list().size(), 1u);
  const auto opened = store.open(entry->address, "correct horse");
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(equal(opened->secret(), wallet.secret()));
  EXPECT_TRUE(store.open(entry->address, "wrong").error().is(Errc::wrong_password));
  EXPECT_TRUE(store.open(EthAddress(), "x").error().is(Errc::no_such_wallet));
  EXPECT_TRUE(store.add(wallet, "y", KeystoreCost::light, rng, 1).error().is(Errc::wallet_exists));
}

TEST_F(HomeTest, AFolderServesOneNodeAtATime) {
  {
    const auto first = DataDir::open(folder / "node", DataDir::Lock::exclusive);
    ASSERT_TRUE(first.has_value());
    EXPECT_TRUE(DataDir::open(folder / "node", DataDir::Lock::exclusive).error().is(Errc::in_use));
    EXPECT_TRUE(DataDir::open(folder / "node", DataDir::Lock::none).has_value());
  }
  EXPECT_TRUE(DataDir::open(folder / "node", DataDir::Lock::exclusive).has_value());
}

TEST_F(HomeTest, NodeKeyAndWalletAreMadeOnceAndKept) {
  auto dir = DataDir::open(folder / "node", DataDir::Lock::exclusive);
  ASSERT_TRUE(dir.has_value());
  const auto key = dir->node_key(crypto::KeyType::secp256k1, rng);
  ASSERT_TRUE(key.has_value());
  const auto wallet = dir->wallet(std::nullopt, std::nullopt, rng, 1);
  ASSERT_TRUE(wallet.has_value()) << wallet.error().to_string();
  EXPECT_TRUE(wallet->made);
  const auto again = dir->wallet(std::nullopt, std::nullopt, rng, 2);
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->made);
  EXPECT_EQ(again->address, wallet->address);
  EXPECT_EQ(dir->node_key(crypto::KeyType::ed25519, rng)->public_key(), key->public_key());
  fs::permissions(folder / "node" / "node.key", fs::perms::others_read, fs::perm_options::add);
  EXPECT_TRUE(dir->node_key(crypto::KeyType::ed25519, rng).error().is(Errc::unsafe_permissions));
}

TEST_F(HomeTest, ADamagedNodeKeyIsNotReplaced) {
  auto dir = DataDir::open(folder, DataDir::Lock::exclusive);
  ASSERT_TRUE(write_secret(folder / "node.key", as_bytes("nonsense")).has_value());
  EXPECT_TRUE(dir->node_key(crypto::KeyType::secp256k1, rng).error().is(Errc::damaged));
  EXPECT_EQ(as_text(*read_file(folder / "node.key")), "nonsense");
}

node::Received message(std::uint8_t number) {
  node::Received out;
  out.id[0] = number;
  out.from = EthAddress(FixedBytes<20>{number, 7});
  if (number % 2 == 0) out.to = EthAddress(FixedBytes<20>{9});
  out.content_type = "text/plain";
  out.body = to_bytes("body " + std::to_string(number));
  out.sent_at = WallTime::from_ms(1000 + number);
  out.sealed = number % 2 == 0;
  return out;
}

TEST_F(HomeTest, TheStoreKeepsValuesAndInboxOverAReopen) {
  {
    auto store = Store::open(folder / "node.db");
    ASSERT_TRUE(store.has_value());
    ASSERT_TRUE(store->keep(node::Kept::issued, {}, as_bytes("one")).has_value());
    ASSERT_TRUE(store->keep(node::Kept::issued, {}, as_bytes("two")).has_value());
    ASSERT_TRUE(store->keep(node::Kept::floors, as_bytes("x"), as_bytes("gone")).has_value());
    ASSERT_TRUE(store->keep(node::Kept::floors, as_bytes("x"), {}).has_value());
    for (std::uint8_t i = 1; i <= 5; ++i) ASSERT_TRUE(store->add_to_inbox(message(i)).has_value());
    ASSERT_TRUE(store->add_to_inbox(message(3)).has_value());
  }
  auto store = Store::open(folder / "node.db");
  ASSERT_TRUE(store.has_value());
  const auto kept = store->kept();
  ASSERT_TRUE(kept.has_value());
  ASSERT_EQ(kept->size(), 1u);
  EXPECT_EQ(as_text(kept->front().value), "two");
  const auto last_two = store->inbox(0, 2);
  ASSERT_TRUE(last_two.has_value());
  ASSERT_EQ(last_two->size(), 2u);
  EXPECT_EQ(as_text((*last_two)[1].message.body), "body 5");
  EXPECT_FALSE((*last_two)[1].message.to.has_value());
  EXPECT_TRUE((*last_two)[0].message.sealed);
  EXPECT_EQ(store->inbox(0, 100)->size(), 5u);
  EXPECT_EQ(store->inbox((*last_two)[0].number, 100)->size(), 1u);
}

TEST_F(HomeTest, DeliveryMemoryThatHasEndedIsDropped) {
  auto store = Store::open(folder / "node.db");
  Bytes early, late;
  put_u64_be(early, 100);
  put_u64_be(late, 300);
  ASSERT_TRUE(store->keep(node::Kept::delivered, as_bytes("early"), early).has_value());
  ASSERT_TRUE(store->keep(node::Kept::delivered, as_bytes("late"), late).has_value());
  ASSERT_TRUE(store->forget_ended(WallTime::from_ms(200)).has_value());
  ASSERT_EQ(store->kept()->size(), 1u);
  EXPECT_EQ(as_text(store->kept()->front().key), "late");
}

TEST_F(HomeTest, DhtEntriesThatHaveEndedAreDroppedAndTheRestComesInOrder) {
  auto store = Store::open(folder / "node.db");
  Bytes early, late;
  put_u64_be(early, 100);
  put_u64_be(late, 300);
  append(late, as_bytes("and more"));
  const Bytes key{0x00, 0xff, 'k', 0x00};
  for (const auto what : {node::Kept::dht_table, node::Kept::dht_provider, node::Kept::dht_record}) {
    ASSERT_TRUE(store->keep(what, key, late).has_value());
    ASSERT_TRUE(store->keep(what, as_bytes("early"), early).has_value());
  }
  ASSERT_TRUE(store->keep(node::Kept::issued, {}, early).has_value());
  ASSERT_TRUE(store->forget_ended(WallTime::from_ms(200)).has_value());
  const auto kept = store->kept();
  ASSERT_TRUE(kept.has_value());
  std::vector<node::Kept> order;
  for (const auto& entry : *kept) order.push_back(entry.what);
  EXPECT_EQ(order, (std::vector{node::Kept::issued, node::Kept::dht_record, node::Kept::dht_provider,
                                node::Kept::dht_table, node::Kept::dht_table}));
  EXPECT_EQ((*kept)[1].key, key);
  EXPECT_EQ((*kept)[1].value, late);
}

TEST_F(HomeTest, EveryKindOfKeptValueHasANameOfItsOwn) {
  for (std::size_t i = 0; i < node::kKeptKinds; ++i) {
    const auto what = static_cast<node::Kept>(i);
    EXPECT_EQ(node::parse_kept(node::to_string(what)), what);
  }
  EXPECT_FALSE(node::parse_kept("dht").has_value());
}

TEST_F(HomeTest, ATransactionIsThereAsAWholeOrNotAtAll) {
  const auto file = folder / "node.db";
  {
    auto store = Store::open(file);
    ASSERT_TRUE(store->begin().has_value());
    ASSERT_TRUE(store->begin().has_value());  // one is open already
    ASSERT_TRUE(store->keep(node::Kept::floors, as_bytes("a"), as_bytes("1")).has_value());
    ASSERT_TRUE(store->add_to_inbox(message(1)).has_value());
    ASSERT_TRUE(store->commit().has_value());
    ASSERT_TRUE(store->commit().has_value());  // none is open any more
    ASSERT_TRUE(store->begin().has_value());
    ASSERT_TRUE(store->keep(node::Kept::floors, as_bytes("b"), as_bytes("2")).has_value());
    ASSERT_TRUE(store->add_to_inbox(message(2)).has_value());
  }
  auto store = Store::open(file);
  ASSERT_TRUE(store.has_value());
  EXPECT_EQ(store->kept()->size(), 1u);
  EXPECT_EQ(store->inbox(0, 10)->size(), 1u);
}

/// Runs SQL on a database file, as another program would.
void run_sql(const fs::path& file, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_free(error);
  sqlite3_close(database);
}

// The schema of version 1, word for word as it was, with what a node of then had in it.
TEST_F(HomeTest, ADatabaseOfTheFirstSchemaIsTakenOver) {
  const auto file = folder / "node.db";
  run_sql(
      file,
      "CREATE TABLE kept (what TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (what, "
      "key)) "
      "WITHOUT ROWID;"
      "CREATE TABLE inbox (number INTEGER PRIMARY KEY AUTOINCREMENT, sender BLOB NOT NULL, id BLOB NOT NULL,"
      " recipient BLOB, content_type TEXT NOT NULL, body BLOB NOT NULL, conversation BLOB NOT NULL, "
      "in_reply_to BLOB, kind INTEGER NOT NULL, sent_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
      " received_at INTEGER NOT NULL, sealed INTEGER NOT NULL, UNIQUE (sender, id));"
      "PRAGMA user_version = 1;"
      "INSERT INTO kept VALUES ('issued', '', x'01'), ('floors', '', x'0203'),"
      " ('delivered', '00ff', x'0000000000000064');"
      "INSERT INTO inbox (sender, id, recipient, content_type, body, conversation, kind, sent_at, expires_at,"
      " received_at, sealed) VALUES (zeroblob(20), zeroblob(16), NULL, 'text/plain', x'6869', x'', 0, 1, 2, "
      "3, 0);");
  for (int opened = 0; opened < 2; ++opened) {
    auto store = Store::open(file);
    ASSERT_TRUE(store.has_value()) << store.error().to_string();
    const auto kept = store->kept();
    ASSERT_EQ(kept->size(), 3u);
    EXPECT_EQ((*kept)[0].what, node::Kept::issued);
    EXPECT_EQ((*kept)[1].value, (Bytes{2, 3}));
    EXPECT_EQ(as_text((*kept)[2].key), "00ff");
    EXPECT_EQ(as_text(store->inbox(0, 10)->front().message.body), "hi");
    // A key of before is the same key now.
    ASSERT_TRUE(store->keep(node::Kept::issued, {}, as_bytes("\1")).has_value());
    EXPECT_EQ(store->kept()->size(), 3u);
  }
}

TEST_F(HomeTest, ADatabaseOfALaterSchemaIsRefused) {
  const auto file = folder / "node.db";
  ASSERT_TRUE(Store::open(file).has_value());
  run_sql(file, "PRAGMA user_version = 3;");
  EXPECT_TRUE(Store::open(file).error().is(Errc::newer_schema));
}

TEST_F(HomeTest, ADamagedDatabaseIsRefusedAndLeftAlone) {
  std::ofstream(folder / "bad.db") << std::string(4096, 'x');
  const auto opened = Store::open(folder / "bad.db");
  ASSERT_FALSE(opened.has_value());
  EXPECT_TRUE(opened.error().is(Errc::damaged));
  EXPECT_EQ(read_file(folder / "bad.db")->size(), 4096u);
}

}  // namespace
}  // namespace starling::home
