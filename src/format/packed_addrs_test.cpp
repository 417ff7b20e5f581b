#include "format/packed_addrs.hpp"

#include <gtest/gtest.h>

namespace starling {
namespace {

Multiaddr address(std::string_view text) { return *Multiaddr::parse(text); }

TEST(PackedAddrs, GiveBackTheListInItsOrder) {
  const std::vector<std::vector<Multiaddr>> lists{
      {},
      {address("/ip4/1.2.3.4/tcp/4001")},
      {address("/ip6/2001:db8::1/tcp/4001")},
      {address("/dns4/a-name-that-is-longer-than-what-fits-in-place.example/tcp/443"),
       address("/ip4/1.2.3.4/tcp/4001"), address("/ip4/1.2.3.4/tcp/4001")}};
  for (const auto& list : lists) {
    const PackedAddrs packed(list);
    EXPECT_EQ(packed.unpacked(), list);
    EXPECT_EQ(packed.empty(), list.empty());
  }
}

TEST(PackedAddrs, TakeNoMoreThanAVectorWithoutElements) {
  EXPECT_LE(sizeof(PackedAddrs), sizeof(std::vector<Multiaddr>));
}

}  // namespace
}  // namespace starling
