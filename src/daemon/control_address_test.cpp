#include "daemon/control_address.hpp"

#include <gmock/gmock.h>

namespace starling::daemon {
namespace {

Result<Endpoint> endpoint(std::string_view text) { return control_endpoint(*Multiaddr::parse(text)); }

TEST(ControlAddress, UnixPathsAndTcpPortsAreAddressesOfControlSockets) {
  EXPECT_EQ(unix_path(*Multiaddr::parse("/unix/tmp/p2pd.sock")), "/tmp/p2pd.sock");
  EXPECT_EQ(endpoint("/unix/tmp/p2pd.sock")->protocol().family(), AF_UNIX);
  EXPECT_EQ(endpoint("/ip4/127.0.0.1/tcp/4002")->protocol().family(), AF_INET);
  EXPECT_EQ(endpoint("/ip6/::1/tcp/4002")->protocol().family(), AF_INET6);
}

TEST(ControlAddress, NothingElseIs) {
  constexpr const char* kOfAPeer =
      "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
  for (const auto* text : {"/dns4/localhost/tcp/1", "/ip4/127.0.0.1/udp/1", "/ip4/127.0.0.1/tcp/1/ws",
                           "/ip4/127.0.0.1", kOfAPeer})
    EXPECT_TRUE(endpoint(text).error().is(Errc::bad_address)) << text;
}

TEST(ControlAddress, ABinaryUnixPathMayLackItsLeadingSlash) {
  const auto with_slash = control_endpoint(*from_hex("90030b2f746d702f782e736f636b"));
  const auto without = control_endpoint(*from_hex("90030a746d702f782e736f636b"));
  ASSERT_TRUE(with_slash.has_value() && without.has_value());
  EXPECT_EQ(*with_slash, *without);
  for (const auto* hex : {"", "90", "9003", "900300", "90030a746d70", "9003017800", "0478"})
    EXPECT_TRUE(control_endpoint(*from_hex(hex)).error().is(Errc::bad_address)) << hex;
}

TEST(ControlAddress, APathLongerThanTheSystemAllowsIsRefused) {
  EXPECT_TRUE(endpoint("/unix/" + std::string(107, 'x')).error().is(Errc::bad_address));
  EXPECT_TRUE(endpoint("/unix/" + std::string(106, 'x')).has_value());
}

}  // namespace
}  // namespace starling::daemon
