// The channel: data both ways, hostile records, keys that change, the end.
#include "tls/transport.hpp"

#include "tls/fixtures.hpp"

namespace starling::tls {
namespace {

struct Pair {
  explicit Pair(std::uint64_t records_per_key = kRecordsPerKeyMax)
      : a(identity(1)),
        b(identity(2)),
        channels(connect(*a, *b, config(records_per_key), config(records_per_key))) {}
  static Config config(std::uint64_t records_per_key) {
    Config out = with_yamux();
    out.records_per_key = records_per_key;
    return out;
  }
  Transport& client() { return channels.client.transport; }
  Transport& server() { return channels.server.transport; }
  std::unique_ptr<Identity> a;
  std::unique_ptr<Identity> b;
  Channels channels;
};

/// Ours as the server of an OpenSSL client, or as the client of an OpenSSL server.
struct WithStranger {
  explicit WithStranger(Role role, std::size_t tickets = 0) : own(identity(9)) {
    auto how = Stranger::honest(role);
    how.tickets = tickets;
    stranger = std::make_unique<Stranger>(how);
    Handshake machine(role == Role::client ? Role::server : Role::client, *own, with_yamux(), kStart);
    Bytes rest;
    for (int turn = 0; turn < 3; ++turn) {
      stranger->hear(drain(machine));
      stranger->shake();
      const Bytes said = stranger->say();
      const auto consumed = machine.receive(said, kStart.mono);
      EXPECT_TRUE(consumed.has_value());
      append(rest, ByteView(said).subspan(consumed.value_or(0)));
    }
    ours.emplace(machine.take());
    EXPECT_EQ(open_all(ours->transport, rest), Bytes());
  }
  Transport& transport() { return ours->transport; }
  std::unique_ptr<Identity> own;
  std::unique_ptr<Stranger> stranger;
  std::optional<Secured> ours;
};

TEST(TlsTransport, CarriesPartsOfEverySizeBothWays) {
  Pair pair;
  SeededRng rng(testkit::seed(403));
  for (int round = 0; round < 60; ++round) {
    Transport& from = round % 2 == 0 ? pair.client() : pair.server();
    Transport& to = round % 2 == 0 ? pair.server() : pair.client();
    std::vector<Bytes> pieces;
    Bytes whole;
    for (std::size_t i = rng.below(6); i > 0; --i) {
      pieces.emplace_back(rng.below(rng.below(2) == 0 ? 40 : 50'000));
      rng.fill(pieces.back());
      append(whole, pieces.back());
    }
    const std::vector<ByteView> parts(pieces.begin(), pieces.end());
    Bytes wire;
    ASSERT_TRUE(from.seal(parts, wire));
    const std::size_t records = (whole.size() + kPlaintextBytesMax - 1) / kPlaintextBytesMax;
    EXPECT_LE(wire.size(), whole.size() + (records + pieces.size()) * kRecordOverheadBytes);
    EXPECT_EQ(open_all(to, wire), whole);
  }
}

TEST(TlsTransport, JoinsSmallPartsIntoOneRecord) {
  Pair pair;
  const Bytes header(12, 1);
  const Bytes body(1000, 2);
  const ByteView parts[] = {header, body, header};
  Bytes wire;
  ASSERT_TRUE(pair.client().seal(parts, wire));
  EXPECT_EQ(wire.size(), 1024 + kRecordOverheadBytes);
  EXPECT_EQ(Transport::wanted_bytes(wire), wire.size());
}

TEST(TlsTransport, OpensRecordsThatComeInPiecesWhenTheyAreWhole) {
  Pair pair;
  const Bytes data(30'000, 7);
  Bytes wire = sealed(pair.client(), data);
  for (const std::size_t size : {std::size_t{0}, std::size_t{4}, std::size_t{5}, std::size_t{16'000}}) {
    const auto opened = pair.server().open_next(MutableByteView(wire).first(size));
    ASSERT_TRUE(opened.has_value());
    EXPECT_FALSE(opened->has_value());
  }
  EXPECT_EQ(open_all(pair.server(), wire), data);
}

TEST(TlsTransport, AlteredReplayedReorderedAndDroppedRecordsAreRefused) {
  const Bytes data(100, 7);
  for (int attack = 0; attack < 4; ++attack) {
    Pair pair;
    Bytes first = sealed(pair.client(), data);
    Bytes second = sealed(pair.client(), data);
    Bytes wire;
    if (attack == 0) {
      first[40] ^= 1;
      wire = first;
    } else if (attack == 1) {
      append(wire, first);
      append(wire, first);
    } else {
      if (attack == 2) append(wire, second);
      append(wire, attack == 2 ? first : second);
    }
    const auto opened = open_all(pair.server(), wire);
    ASSERT_FALSE(opened.has_value()) << attack;
    EXPECT_EQ(opened.error(), make_error(Errc::decrypt_failed)) << opened.error().to_string();
    Bytes more = sealed(pair.client(), data);
    EXPECT_EQ(pair.server().open_next(more).error(), make_error(Errc::broken));
    Bytes out;
    EXPECT_EQ(pair.server().seal({}, out).has_value(), false) << "nor does it send any more";
  }
}

TEST(TlsTransport, HeadersThatTlsForbidsAreRefusedAtOnce) {
  for (const char* header : {"1703034101", "1803030010", "1303030010", "1702030010"}) {
    Pair pair;
    Bytes bytes = testkit::hex(header);
    EXPECT_EQ(pair.server().open_next(bytes).error(), make_error(Errc::bad_record)) << header;
  }
  Pair pair;
  Bytes longest = testkit::hex("1703034100");
  EXPECT_TRUE(pair.server().open_next(longest).has_value());
  EXPECT_EQ(Transport::wanted_bytes(longest), kRecordHeaderBytes + kRecordBytesMax);
}

TEST(TlsTransport, CloseIsToldAndIsNotACut) {
  Pair pair;
  Bytes wire = sealed(pair.client(), as_bytes("last words"));
  pair.client().close();
  EXPECT_TRUE(pair.client().has_output());
  ASSERT_TRUE(pair.client().seal({}, wire));
  EXPECT_FALSE(pair.client().has_output());
  const Bytes data(1, 1);
  const ByteView part = data;
  EXPECT_EQ(pair.client().seal({&part, 1}, wire).error(), make_error(Errc::closed));
  EXPECT_FALSE(pair.server().peer_closed());
  EXPECT_EQ(open_all(pair.server(), wire), to_bytes("last words"));
  EXPECT_TRUE(pair.server().peer_closed());
  // Our half stays open until we close it too.
  EXPECT_EQ(open_all(pair.client(), sealed(pair.server(), as_bytes("bye"))), to_bytes("bye"));
  Bytes behind = testkit::hex("1703030020");
  EXPECT_EQ(pair.server().open_next(behind).error(), make_error(Errc::closed));
}

TEST(TlsTransport, TakesItsNextKeyAfterSoManyRecords) {
  Pair pair(3);
  for (int i = 0; i < 20; ++i) {
    const Bytes data(100, static_cast<std::uint8_t>(i));
    const Bytes wire = sealed(pair.client(), data);
    // The update is a record of its own in front: 5 bytes of message.
    EXPECT_EQ(wire.size() > 100 + kRecordOverheadBytes, i > 0 && i % 3 == 0) << i;
    EXPECT_EQ(open_all(pair.server(), wire), data);
    EXPECT_EQ(open_all(pair.client(), sealed(pair.server(), data)), data);
  }
}

TEST(TlsTransport, FollowsKeyUpdatesOfThePeerAndAnswersThem) {
  for (const auto role : {Role::client, Role::server}) {
    WithStranger meeting(role);
    for (int i = 0; i < 10; ++i) {
      meeting.stranger->update_key(i % 2 == 0);
      EXPECT_EQ(open_all(meeting.transport(), meeting.stranger->say()), Bytes());
      meeting.stranger->write(as_bytes("ping"));
      EXPECT_EQ(open_all(meeting.transport(), meeting.stranger->say()), to_bytes("ping"));
      const Bytes wire = sealed(meeting.transport(), as_bytes("pong"));
      EXPECT_EQ(wire.size() > 4 + kRecordOverheadBytes, i % 2 == 0) << "our update goes in front when asked";
      meeting.stranger->hear(wire);
      EXPECT_EQ(meeting.stranger->read(), to_bytes("pong"));
    }
  }
}

TEST(TlsTransport, TicketsOfAServerAreIgnored) {
  WithStranger meeting(Role::server, 2);
  meeting.stranger->write(as_bytes("data"));
  EXPECT_EQ(open_all(meeting.transport(), meeting.stranger->say()), to_bytes("data"));
}

TEST(TlsTransport, FloodOfKeyUpdatesEndsTheChannel) {
  WithStranger meeting(Role::client);
  std::optional<Error> error;
  std::size_t records = 0;
  for (; !error && records <= kControlRecordsMax; ++records) {
    meeting.stranger->update_key(false);
    const auto opened = open_all(meeting.transport(), meeting.stranger->say());
    if (!opened) error = opened.error();
  }
  EXPECT_EQ(error, make_error(Errc::too_many_control_records));
  EXPECT_EQ(records, kControlRecordsMax + 1);
}

TEST(TlsTransport, BytesOfRecordsWithoutDataAreBounded) {
  WithStranger meeting(Role::server);
  meeting.stranger->pad_records(4096);
  std::optional<Error> error;
  std::size_t bytes = 0;
  while (!error && bytes <= kControlBytesMax) {
    meeting.stranger->update_key(false);
    const Bytes wire = meeting.stranger->say();
    bytes += wire.size();
    const auto opened = open_all(meeting.transport(), wire);
    if (!opened) error = opened.error();
    EXPECT_EQ(opened.has_value(), bytes <= kControlBytesMax);
  }
  EXPECT_EQ(error, make_error(Errc::too_many_control_records));
}

TEST(TlsTransport, CloseNotifyIsUnderstoodByOthersAndTheirsByUs) {
  WithStranger meeting(Role::client);
  meeting.transport().close();
  Bytes wire;
  ASSERT_TRUE(meeting.transport().seal({}, wire));
  meeting.stranger->hear(wire);
  EXPECT_EQ(meeting.stranger->read(), Bytes());
  EXPECT_TRUE(meeting.stranger->saw_close());
}

}  // namespace
}  // namespace starling::tls
