#include "format/eth_address.hpp"

#include <gtest/gtest.h>

#include "testkit/json.hpp"

namespace starling {
namespace {

using testkit::array_at;
using testkit::at;
using testkit::hex_at;
using testkit::text_at;

// The test cases of EIP-55.
constexpr const char* kChecksummed[] = {
    "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
};

std::string in_case(std::string_view text, int (*convert)(int)) {
  std::string out = "0x";
  for (const char c : text.substr(2)) out.push_back(static_cast<char>(convert(c)));
  return out;
}

TEST(EthAddress, PrintsTheChecksumOfEip55) {
  for (const std::string_view text : kChecksummed) {
    const auto address = EthAddress::parse(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->to_string(), text);
    EXPECT_EQ(address->to_lower_hex(), in_case(text, ::tolower));
  }
}

TEST(EthAddress, IsReadInOneCaseWithoutAChecksumAndWithoutPrefix) {
  for (const std::string_view text : kChecksummed) {
    const auto expected = EthAddress::parse(text).value();
    EXPECT_EQ(EthAddress::parse(in_case(text, ::tolower)), expected);
    EXPECT_EQ(EthAddress::parse(in_case(text, ::toupper)), expected);
    EXPECT_EQ(EthAddress::parse(text.substr(2)), expected);
  }
}

TEST(EthAddress, AWrongChecksumIsRefused) {
  for (const std::string_view text : {kChecksummed[4], kChecksummed[5], kChecksummed[6], kChecksummed[7]}) {
    for (std::size_t i = 2; i < text.size(); ++i) {
      std::string altered(text);
      const char other = static_cast<char>(altered[i] ^ 0x20);
      if (altered[i] < 'A') continue;
      altered[i] = other;
      EXPECT_TRUE(EthAddress::parse(altered).error().is(format::Errc::bad_address)) << altered;
    }
  }
}

TEST(EthAddress, TextsThatAreNoneAreRefused) {
  const std::string digits(40, '1');
  for (const std::string& text :
       {std::string(), std::string("0x"), std::string(39, '1'), std::string(41, '1'),
        "0x" + std::string(39, '1'), "0x" + std::string(41, '1'), "0X" + digits, "0x0x" + digits,
        "0x0x" + std::string(38, '1'), " 0x" + digits, "0x" + std::string(39, '1') + "g",
        "0x" + std::string(39, '1') + " ", std::string(38, '1') + "0x"}) {
    EXPECT_TRUE(EthAddress::parse(text).error().is(format::Errc::bad_address)) << text;
  }
}

TEST(EthAddress, IsTwentyBytes) {
  EXPECT_TRUE(EthAddress::from_bytes(Bytes(20, 1)).has_value());
  for (const std::size_t size : {0u, 19u, 21u, 32u})
    EXPECT_TRUE(EthAddress::from_bytes(Bytes(size)).error().is(format::Errc::bad_address));
  EXPECT_TRUE(EthAddress().is_zero());
  EXPECT_FALSE(EthAddress::from_bytes(Bytes(20, 1))->is_zero());
  EXPECT_LT(EthAddress(), EthAddress::from_bytes(Bytes(20, 1)).value());
}

TEST(EthAddress, WalletsOfTheAgentVectorsAgreeWithEthers) {
  const auto file = testkit::read_json("tests/conformance/vectors/agent/keys.json");
  for (const auto& item : array_at(file, "wallets")) {
    const auto address = EthAddress::from_bytes(hex_at(item, "address")).value();
    EXPECT_EQ(address.to_string(), text_at(item, "checksum"));
    EXPECT_EQ("/eth/" + address.to_lower_hex(), text_at(item, "presence_key_text"));
  }
}

TEST(Eip712, WordsAreThirtyTwoBytesBigEndian) {
  EXPECT_EQ(to_hex(format::abi_word(std::uint64_t{0x0102030405060708})),
            std::string(48, '0') + "0102030405060708");
  EXPECT_EQ(to_hex(format::abi_word(~std::uint64_t{0})), std::string(48, '0') + std::string(16, 'f'));
  const auto address = EthAddress::from_bytes(Bytes(20, 0xab)).value();
  EXPECT_EQ(to_hex(format::abi_word(address)), std::string(24, '0') + to_hex(address.bytes()));
}

// The struct hash is put together here by hand from the fields, as EIP-712 says; the expected values are of
// ethers.
TEST(Eip712, DomainAndDigestAgreeWithEthers) {
  const auto file = testkit::read_json("tests/conformance/vectors/agent/delegation.json");
  const auto domain = format::eip712_domain("Starling", "1");
  EXPECT_EQ(to_bytes(domain), hex_at(file, "domain_separator"));
  const auto type_hash = crypto::keccak256(as_bytes(text_at(file, "delegation_type")));
  EXPECT_EQ(to_bytes(type_hash), hex_at(file, "type_hash"));
  for (const auto& item : array_at(file, "delegations")) {
    const auto& fields = at(item, "fields");
    const auto wallet = EthAddress::from_bytes(hex_at(fields, "wallet")).value();
    const auto struct_hash =
        crypto::keccak256({type_hash, format::abi_word(wallet), crypto::keccak256(hex_at(fields, "node_key")),
                           crypto::keccak256(as_bytes(text_at(fields, "network"))),
                           format::abi_word(testkit::number_at(fields, "not_before")),
                           format::abi_word(testkit::number_at(fields, "not_after")),
                           format::abi_word(testkit::number_at(fields, "epoch"))});
    EXPECT_EQ(to_bytes(struct_hash), hex_at(item, "struct_hash"));
    EXPECT_EQ(to_bytes(format::eip712_digest(domain, struct_hash)), hex_at(item, "digest"));
  }
}

}  // namespace
}  // namespace starling
