// Peers that violate libp2p's rules or TLS itself: nothing of them is ever exposed.
#include "tls/fixtures.hpp"

namespace starling::tls {
namespace {

/// Our side against a stranger until one of them is done or has failed.
struct Meeting {
  explicit Meeting(Stranger::How how, Config config = with_yamux())
      : own(identity(9)),
        machine(how.role == Role::client ? Role::server : Role::client, *own, std::move(config), kStart),
        stranger(std::move(how)) {
    for (int turn = 0; turn < 4 && !error; ++turn) {
      stranger.hear(drain(machine));
      stranger_done = stranger.shake();
      const auto received = machine.receive(stranger.say(), kStart.mono);
      if (!received) error = received.error();
    }
    stranger.hear(drain(machine));  // the alert
    stranger.shake();
  }
  std::unique_ptr<Identity> own;
  Handshake machine;
  Stranger stranger;
  bool stranger_done = false;
  std::optional<Error> error;
};

Stranger::How showing(Role role, const Forged& forged) {
  const auto made = forge(forged);
  auto how = Stranger::honest(role);
  how.certificates = {made.der};
  how.key = made.key;
  return how;
}

void expect_refused(Stranger::How how, Errc code, Config config = with_yamux()) {
  const Meeting meeting(std::move(how), std::move(config));
  ASSERT_TRUE(meeting.error.has_value());
  EXPECT_EQ(*meeting.error, make_error(code)) << meeting.error->to_string();
  EXPECT_FALSE(meeting.machine.complete());
}

TEST(TlsHostile, AnHonestStrangerIsTaken) {
  for (const auto role : {Role::client, Role::server}) {
    const Meeting meeting(Stranger::honest(role));
    EXPECT_FALSE(meeting.error.has_value()) << meeting.error->to_string();
    EXPECT_TRUE(meeting.machine.complete() && meeting.stranger_done);
  }
}

TEST(TlsHostile, ClientWithoutACertificateIsRefused) {
  Stranger::How how;
  how.role = Role::client;
  expect_refused(how, Errc::no_certificate);
}

TEST(TlsHostile, ServerThatDemandsNoCertificateIsNoReasonToTrustItLess) {
  auto how = Stranger::honest(Role::server);
  how.demands_certificate = false;
  const Meeting meeting(how);
  EXPECT_TRUE(meeting.machine.complete());
}

TEST(TlsHostile, ChainOfTwoIsRefused) {
  for (const auto role : {Role::client, Role::server}) {
    auto how = Stranger::honest(role);
    how.certificates.push_back(forge().der);
    expect_refused(how, Errc::several_certificates);
  }
}

TEST(TlsHostile, CertificatesThatProveNothingAreRefusedInBothRoles) {
  for (const auto role : {Role::client, Role::server}) {
    Forged expired;
    expired.not_after = "20210101000000Z";
    expect_refused(showing(role, expired), Errc::certificate_not_valid_now);
    Forged early;
    early.not_before = "20290101000000Z";
    expect_refused(showing(role, early), Errc::certificate_not_valid_now);
    Forged bare;
    bare.extension = false;
    expect_refused(showing(role, bare), Errc::no_extension);
    Forged foreign;
    foreign.foreign_signature = true;
    expect_refused(showing(role, foreign), Errc::bad_certificate_signature);
    Forged critical;
    critical.other_critical = true;
    expect_refused(showing(role, critical), Errc::unknown_critical_extension);
    Forged stolen;
    stolen.value = [](ByteView) { return signed_key(host_key(1), public_der(make_key("P-256").get())); };
    expect_refused(showing(role, stolen), Errc::bad_identity_signature);
  }
}

TEST(TlsHostile, CertificateAboveItsLimitIsRefused) {
  Forged large;
  large.other_critical = false;
  large.other_bytes = kCertificateBytesMax;
  for (const auto role : {Role::client, Role::server})
    expect_refused(showing(role, large), Errc::bad_handshake);
}

TEST(TlsHostile, WrongPeerIsRefusedBeforeItSeesWhoWeAre) {
  Config config = with_yamux();
  config.expected_peer = PeerId::of(host_key(77).public_key());
  const Meeting meeting(Stranger::honest(Role::server), config);
  EXPECT_EQ(meeting.error, make_error(Errc::wrong_peer));
  EXPECT_FALSE(meeting.stranger.saw_certificate());
  config.expected_peer = PeerId::of(host_key(1).public_key());
  EXPECT_TRUE(Meeting(Stranger::honest(Role::server), config).machine.complete());
}

TEST(TlsHostile, OlderVersionsAreRefused) {
  for (const auto role : {Role::client, Role::server}) {
    auto how = Stranger::honest(role);
    how.version = 0x0303;
    expect_refused(how, Errc::unsupported_version);
  }
}

TEST(TlsHostile, ClientWithoutACommonProtocolIsRefused) {
  auto how = Stranger::honest(Role::client);
  how.alpn = {"h2", "/mplex/6.7.0"};
  expect_refused(how, Errc::no_common_muxer);
}

TEST(TlsHostile, ServerThatPicksWhatNobodyOfferedIsRefused) {
  auto how = Stranger::honest(Role::server);
  how.alpn = {"/mplex/6.7.0"};
  expect_refused(how, Errc::bad_handshake);
}

TEST(TlsHostile, PeersWithoutAlpnAgreeOnTheMuxerInside) {
  for (const auto role : {Role::client, Role::server}) {
    auto how = Stranger::honest(role);
    how.alpn = {};
    Meeting meeting(how);
    ASSERT_TRUE(meeting.machine.complete());
    EXPECT_EQ(meeting.machine.take().muxer, std::nullopt);
  }
}

TEST(TlsHostile, WhoRefusesUsSaysSo) {
  const auto a = identity(1);
  const auto b = identity(2);
  Config config = with_yamux();
  config.expected_peer = peer_of(*a);
  Handshake client(Role::client, *a, config, kStart);
  Handshake server(Role::server, *b, with_yamux(), kStart);
  ASSERT_TRUE(server.receive(drain(client), kStart.mono));
  EXPECT_EQ(client.receive(drain(server), kStart.mono).error(), make_error(Errc::wrong_peer));
  const Bytes alert = drain(client);
  ASSERT_FALSE(alert.empty());
  EXPECT_EQ(server.receive(alert, kStart.mono).error(), make_error(Errc::refused_by_peer));
}

TEST(TlsHostile, WhatIsNoTlsIsRefusedAtItsFirstBytes) {
  const auto a = identity(1);
  for (const Bytes& bytes :
       {to_bytes("GET / HTTP/1.1\r\n"), testkit::hex("1503030002022f"), testkit::hex("1703030010"),
        testkit::hex("1602000010"), testkit::hex("160301ffff"), testkit::hex("1303030001")}) {
    Handshake server(Role::server, *a, with_yamux(), kStart);
    const auto received = server.receive(bytes, kStart.mono);
    ASSERT_FALSE(received.has_value()) << to_hex(bytes);
    EXPECT_EQ(received.error(), make_error(Errc::bad_record));
    EXPECT_TRUE(server.to_send().empty()) << "nothing was begun for it";
  }
}

// A ClientHello that goes on for ever, in large records and in tiny ones.
TEST(TlsHostile, EndlessHandshakeIsRefusedAtItsLimit) {
  const auto a = identity(1);
  for (const std::size_t body : {std::size_t{50}, std::size_t{1000}, kPlaintextBytesMax}) {
    Handshake server(Role::server, *a, with_yamux(), kStart);
    std::size_t fed = 0;
    std::optional<Error> error;
    for (bool first = true; !error; first = false) {
      Bytes record{22, 3, 1};
      put_u16_be(record, static_cast<std::uint16_t>(body));
      Bytes content(body, 0);
      const Bytes header = testkit::hex("010100000303");
      if (first) std::copy_n(header.begin(), std::min(body, header.size()), content.begin());
      append(record, content);
      const auto received = server.receive(record, kStart.mono);
      if (!received) error = received.error();
      fed += record.size();
      ASSERT_LE(fed, kHandshakeBytesMax + record.size());
    }
    EXPECT_EQ(error, make_error(Errc::handshake_too_large)) << body;
  }
}

TEST(TlsHostile, LimitOfAHandshakeIsReached) {
  const auto b = identity(2);
  auto how = Stranger::honest(Role::client);
  how.alpn = {"libp2p"};
  for (std::size_t i = 0; i < 120; ++i) how.alpn.push_back(std::string(200, static_cast<char>('a' + i % 20)));
  Stranger client(how);
  client.shake();
  Handshake server(Role::server, *b, with_yamux(), kStart);
  EXPECT_EQ(server.receive(client.say(), kStart.mono).error(), make_error(Errc::handshake_too_large));
}

TEST(TlsHostile, HandshakeCutAnywhereNeverCompletes) {
  const auto a = identity(1);
  const auto b = identity(2);
  Handshake client(Role::client, *a, with_yamux(), kStart);
  Handshake server(Role::server, *b, with_yamux(), kStart);
  ASSERT_TRUE(server.receive(drain(client), kStart.mono));
  const Bytes flight = drain(server);
  ASSERT_TRUE(client.receive(ByteView(flight).first(flight.size() - 1), kStart.mono));
  EXPECT_FALSE(client.complete());
  ASSERT_TRUE(client.receive(ByteView(flight).last(1), kStart.mono));
  const Bytes last = drain(client);
  ASSERT_TRUE(server.receive(ByteView(last).first(last.size() - 1), kStart.mono));
  EXPECT_FALSE(server.complete());
}

// The minor version in the header of a record that is not encrypted means nothing (RFC 8446 §5.1) and is
// protected by nothing.
bool is_ignored(ByteView flight, std::size_t at) {
  std::size_t begin = 0;
  while (begin + Transport::wanted_bytes(flight.subspan(begin)) <= at)
    begin += Transport::wanted_bytes(flight.subspan(begin));
  return flight[begin] != 23 && at == begin + 2;
}

TEST(TlsHostile, HandshakeWithAnyByteTurnedNeverCompletes) {
  SeededRng rng(testkit::seed(402));
  const auto a = identity(1);
  const auto b = identity(2);
  for (int round = 0; round < 150; ++round) {
    const bool to_client = rng.below(2) == 0;
    Handshake client(Role::client, *a, with_yamux(), kStart);
    Handshake server(Role::server, *b, with_yamux(), kStart);
    ASSERT_TRUE(server.receive(drain(client), kStart.mono));
    Bytes flight = drain(server);
    if (!to_client) {
      ASSERT_TRUE(client.receive(flight, kStart.mono));
      flight = drain(client);
    }
    const std::size_t at = rng.below(flight.size());
    if (is_ignored(flight, at)) continue;
    flight[at] ^= static_cast<std::uint8_t>(1U << rng.below(8));
    Handshake& victim = to_client ? client : server;
    const auto received = victim.receive(flight, kStart.mono);
    EXPECT_FALSE(received.has_value() && victim.complete()) << "byte " << at;
  }
}

}  // namespace
}  // namespace starling::tls
