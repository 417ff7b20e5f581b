// What a hostile peer can send: the rows of the threat model for yamux, each by name.
#include <gtest/gtest.h>

#include "proto/yamux/frames_for_tests.hpp"
#include "proto/yamux/session.hpp"
#include "testkit/testkit.hpp"

namespace starling::yamux {
namespace {

using namespace testing;

/// Feeds bytes that must be refused with `code`, and checks what a refusal is: one GoAway, silence, and the
/// same error again.
void expect_refused(Session& session, ByteView bytes, Errc code,
                    std::uint32_t go_away = kGoAwayProtocolError) {
  output(session);
  const Result<void> result = session.receive(bytes, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), make_error(code)) << result.error().to_string();
  EXPECT_TRUE(session.has_output());
  EXPECT_EQ(output(session), go_away_frame(go_away));
  EXPECT_FALSE(session.has_output());
  EXPECT_EQ(events(session), "");
  EXPECT_EQ(session.receive(ping_frame(kSyn, 1), {}).error(), make_error(code));
  EXPECT_FALSE(session.has_output());
  EXPECT_FALSE(session.open());
  EXPECT_TRUE(session.deadline().is_never());
}

void feed(Session& session, ByteView bytes, Instant now = {}) {
  const Result<void> result = session.receive(bytes, now);
  ASSERT_TRUE(result) << result.error().to_string();
}

// ---- malformed frames ----

TEST(YamuxHostile, UnknownVersionEndsTheSession) {
  for (const int version : {1, 2, 255}) {
    Bytes bytes = update_frame(kSyn, 1, 0);
    bytes[0] = static_cast<std::uint8_t>(version);
    Session session = started(Role::server);
    expect_refused(session, bytes, Errc::bad_version);
  }
}

TEST(YamuxHostile, UnknownTypeEndsTheSession) {
  for (const int type : {4, 5, 255}) {
    Bytes bytes = update_frame(kSyn, 1, 0);
    bytes[1] = static_cast<std::uint8_t>(type);
    Session session = started(Role::server);
    expect_refused(session, bytes, Errc::bad_type);
  }
}

TEST(YamuxHostile, StreamZeroCarriesNoData) {
  for (const Bytes& bytes : {data_frame(0, 0, "x"), data_frame(kSyn, 0, ""), update_frame(kSyn, 0, 0)}) {
    Session session = started(Role::client);
    expect_refused(session, bytes, Errc::bad_stream_id);
  }
}

TEST(YamuxHostile, PingAndGoAwayNameNoStream) {
  for (const FrameType type : {FrameType::ping, FrameType::go_away}) {
    Session session = started(Role::server);
    expect_refused(session, frame(type, kSyn, 1, 0), Errc::bad_stream_id);
  }
}

TEST(YamuxHostile, SynWithAnIdOfOursEndsTheSession) {
  Session server = started(Role::server);
  expect_refused(server, update_frame(kSyn, 2, 0), Errc::wrong_parity);
  Session client = started(Role::client);
  expect_refused(client, data_frame(kSyn, 1, "x"), Errc::wrong_parity);
}

TEST(YamuxHostile, SynTwiceEndsTheSession) {
  for (const Bytes& again : {update_frame(kSyn, 1, 0), data_frame(kSyn, 1, "x")}) {
    Session session = started(Role::server);
    feed(session, update_frame(kSyn, 1, 0));
    expect_refused(session, again, Errc::duplicate_stream);
  }
}

TEST(YamuxHostile, OutputBeforeAnErrorIsDroppedForTheGoAway) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, "x"));
  session.write(StreamId(1), Bytes(100'000));
  Bytes bytes = ping_frame(kSyn, 1);
  append(bytes, update_frame(kSyn, 2, 0));
  ASSERT_FALSE(session.receive(bytes, {}));
  EXPECT_EQ(output(session), go_away_frame(kGoAwayProtocolError));
  EXPECT_EQ(session.send_buffered_bytes(), 0u);
  EXPECT_EQ(session.write(StreamId(1), as_bytes("x")), 0u);
}

// ---- data where none is expected ----

TEST(YamuxHostile, DataForStreamsThatNeverWereIsDiscardedAndCounted) {
  Session session = started(Role::server);
  feed(session, data_frame(0, 1, Bytes(10'000)));
  feed(session, data_frame(0, 2, Bytes(10'000)));
  feed(session, data_frame(kFin | kAck, 0xffffffff, Bytes(10'000)));
  EXPECT_EQ(session.discarded_bytes(), 30'000u);
  EXPECT_EQ(session.receive_buffered_bytes(), 0u);
  EXPECT_EQ(session.stream_count(), 0u);
  EXPECT_EQ(events(session), "");
  EXPECT_FALSE(session.has_output());
}

TEST(YamuxHostile, DataAfterFinIsDiscardedAndCounted) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn | kFin, 1, "first"));
  feed(session, data_frame(0, 1, "second"));
  feed(session, data_frame(kFin, 1, "third"));
  EXPECT_EQ(session.discarded_bytes(), 11u);
  EXPECT_EQ(read_all(session, StreamId(1)), "first");
  EXPECT_EQ(events(session), "opened 1, readable 1, finished 1");
}

// ---- windows (E.3 rows 10, 11, 13) ----

// CVE-2026-32314: the frame that made rust-yamux panic.
TEST(YamuxHostile, SynWithABodyOverTheInitialWindowIsRefused) {
  Session session = started(Role::server);
  expect_refused(session, data_frame(kSyn, 1, Bytes(kWindowInitial + 1)), Errc::window_exceeded);
}

TEST(YamuxHostile, BodyOverTheWindowIsRefusedFromItsHeader) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, Bytes(kWindowInitial - 10)));
  const Bytes eleven = data_frame(0, 1, Bytes(11));
  expect_refused(session, ByteView(eleven).first(kHeaderBytes), Errc::window_exceeded);
}

TEST(YamuxHostile, WindowIsNotReturnedBeforeItsUpdateLeft) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, Bytes(kWindowInitial)));
  output(session);
  session.consume(StreamId(1), kWindowInitial, {});  // an update waits; the peer cannot know of it
  const Result<void> result = session.receive(data_frame(0, 1, "x"), {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), make_error(Errc::window_exceeded));
}

TEST(YamuxHostile, SmallFramesCannotPassTheWindowEither) {
  Session session = started(Role::server);
  feed(session, update_frame(kSyn, 1, 0));
  Bytes wire;
  for (int i = 0; i < 1'024; ++i) append(wire, data_frame(0, 1, Bytes(256)));
  feed(session, wire);
  EXPECT_EQ(session.receive_buffered_bytes(), kWindowInitial);
  expect_refused(session, data_frame(0, 1, "x"), Errc::window_exceeded);
}

// GHSA-hmj8-5xmh-5573
TEST(YamuxHostile, TheLargestLengthIsRefusedFromTheHeaderAlone) {
  for (const int flags : {0, int{kSyn}, int{kRst}, int{kFin}}) {
    Session session = started(Role::server);
    expect_refused(session, frame(FrameType::data, flags, 1, 0xffffffff), Errc::frame_too_large);
  }
  Session session = started(Role::server);
  feed(session, frame(FrameType::data, 0, 1, kWindowMax));  // could be late data of a fully grown window
  Session other = started(Role::server);
  expect_refused(other, frame(FrameType::data, 0, 1, kWindowMax + 1), Errc::frame_too_large);
}

// CVE-2026-31814
TEST(YamuxHostile, CreditPast32BitsIsRefused) {
  constexpr std::uint32_t kLargest = 0xffffffff - kWindowInitial;
  for (const int steps : {1, 3}) {
    Session session = started(Role::server);
    feed(session, update_frame(kSyn, 1, 0));
    for (int i = 0; i < steps; ++i)
      feed(session, update_frame(0, 1, kLargest / static_cast<std::uint32_t>(steps)));
    feed(session, update_frame(0, 1, kLargest % static_cast<std::uint32_t>(steps)));
    expect_refused(session, update_frame(0, 1, 1), Errc::credit_overflow);
  }
}

TEST(YamuxHostile, CreditPast32BitsOnTheSynIsRefused) {
  Session good = started(Role::server);
  feed(good, update_frame(kSyn, 1, 0xffffffff - kWindowInitial));
  Session bad = started(Role::server);
  expect_refused(bad, update_frame(kSyn, 1, 0xffffffff - kWindowInitial + 1), Errc::credit_overflow);
}

TEST(YamuxHostile, AWriterToAPeerThatNeverOpensItsWindowIsBounded) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  std::size_t accepted = 0;
  for (int i = 0; i < 1'000; ++i) {
    accepted += session.write(id, Bytes(10'000));
    output(session);
  }
  EXPECT_EQ(accepted, kSendWindowInitial + kSendBufferMax);
  EXPECT_EQ(session.send_buffered_bytes(), kSendBufferMax);
}

TEST(YamuxHostile, OneByteUpdatesMoveOneByteEachAndNoMore) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, Bytes(kSendWindowInitial));
  output(session);
  const Bytes data = pattern(1'000);
  session.write(id, data);
  Bytes updates;
  for (int i = 0; i < 600; ++i) append(updates, update_frame(0, 1, 1));
  feed(session, updates);
  EXPECT_EQ(output(session), data_frame(0, 1, ByteView(data).first(600)));  // one frame, not 600
}

TEST(YamuxHostile, BufferedBytesOfAllStreamsAreBounded) {
  Config config;
  config.receive_buffer_max = 1'000'000;
  Session session = started(Role::server, config);
  for (std::uint32_t id = 1; id <= 5; id += 2) feed(session, data_frame(kSyn, id, Bytes(kWindowInitial)));
  feed(session, data_frame(kSyn, 7, Bytes(200'000)));
  output(session);
  events(session);
  feed(session, data_frame(0, 7, Bytes(50'000)));
  EXPECT_EQ(events(session), "reset 7 code 4098 by us");
  EXPECT_EQ(output(session), update_frame(kRst, 7, kResetResourceLimit));
  EXPECT_EQ(session.receive_buffered_bytes(), 3 * kWindowInitial);
  feed(session, data_frame(kSyn, 9, "there is room again"));
  EXPECT_EQ(read_all(session, StreamId(9)), "there is room again");
}

// ---- the node's budget ----

TEST(YamuxHostile, ReceivedBytesThatTheNodeCannotSpareResetTheirStream) {
  ByteBudget budget(1'000'000, 1'000);
  ByteAccount account(budget);
  Session session(Role::server, Config{}, Instant(), &account);
  output(session);
  feed(session, data_frame(kSyn, 1, Bytes(200'000)));
  feed(session, data_frame(kSyn, 3, Bytes(200'000)));
  events(session);
  output(session);
  feed(session, data_frame(kSyn, 5, Bytes(250'000)));  // would be more than is left free
  EXPECT_EQ(output(session), update_frame(kRst, 5, kResetResourceLimit));
  EXPECT_EQ(session.receive_buffered_bytes(), 400'000U);
  EXPECT_EQ(account.held(), 400'000U);
  EXPECT_EQ(read_all(session, StreamId(1)).size(), 200'000U);
  EXPECT_EQ(account.held(), 200'000U);
  session.reset(StreamId(3));
  EXPECT_EQ(account.held(), 0U);
  feed(session, data_frame(kSyn, 7, "there is room again"));
  EXPECT_EQ(read_all(session, StreamId(7)), "there is room again");
}

TEST(YamuxHostile, WrittenBytesThatTheNodeCannotSpareWaitWithTheWriter) {
  ByteBudget budget(100'000, 1'000);
  ByteAccount account(budget);
  Session session(Role::client, Config{}, Instant(), &account);
  const StreamId first = *session.open();
  EXPECT_EQ(session.write(first, Bytes(50'000)), 50'000U);
  EXPECT_EQ(session.write(first, Bytes(10'000)), 0U);
  const StreamId second = *session.open();
  EXPECT_EQ(session.write(second, Bytes(10'000)), 0U);  // it holds nothing: nothing would wake its writer
  EXPECT_EQ(events(session), "reset 3 code 4098 by us");
  output(session);
  EXPECT_EQ(account.held(), 0U);
  EXPECT_EQ(events(session), "writable 1");
  EXPECT_EQ(session.write(first, Bytes(10'000)), 10'000U);
}

TEST(YamuxHostile, ASessionGivesBackWhatItHeldWhenItGoesOrFails) {
  ByteBudget budget(1'000'000, 0);
  ByteAccount account(budget);
  {
    Session session(Role::server, Config{}, Instant(), &account);
    feed(session, data_frame(kSyn, 1, Bytes(1'000)));
    session.write(StreamId(1), Bytes(2'000));
    EXPECT_EQ(account.held(), 3'000U);
    ASSERT_FALSE(session.receive(update_frame(kSyn, 2, 0), {}));
    EXPECT_EQ(account.held(), 1'000U);
  }
  EXPECT_EQ(account.held(), 0U);
  EXPECT_EQ(budget.used(), 0U);
}

// ---- floods ----

TEST(YamuxHostile, StreamsOverTheLimitAreReset) {
  Config config;
  config.streams_inbound_max = 3;
  Session session = started(Role::server, config);
  for (std::uint32_t id = 1; id <= 9; id += 2) feed(session, update_frame(kSyn, id, 0));
  EXPECT_EQ(events(session), "opened 1, opened 3, opened 5");
  EXPECT_EQ(session.inbound_count(), 3u);
  EXPECT_EQ(output(session),
            to_bytes(Slice::concat({update_frame(kRst, 7, kResetResourceLimit),
                                    update_frame(kRst, 9, kResetResourceLimit), update_frame(kAck, 1, 0),
                                    update_frame(kAck, 3, 0), update_frame(kAck, 5, 0)})));
}

TEST(YamuxHostile, TheDefaultLimitOfStreamsHolds) {
  Session session = started(Role::server);
  for (std::uint32_t i = 0; i < 600; ++i) {
    feed(session, update_frame(kSyn, 2 * i + 1, 0));
    if (i % 100 == 0) output(session);
  }
  EXPECT_EQ(session.inbound_count(), kStreamsInboundMax);
}

TEST(YamuxHostile, StreamsWhoseAckCannotLeaveAreBoundedByTheBacklog) {
  Session session = started(Role::server);
  for (std::uint32_t i = 0; i < 300; ++i) feed(session, update_frame(kSyn, 2 * i + 1, 0));
  EXPECT_EQ(session.inbound_count(), kAckBacklogMax);
  output(session);
  feed(session, update_frame(kSyn, 1'001, 0));
  EXPECT_EQ(session.inbound_count(), kAckBacklogMax + 1);
}

// 100,000 SYN without ever reading. GHSA-3999-5ffv-wp2r.
TEST(YamuxHostile, AnOpenFloodByAPeerThatDoesNotReadEndsTheSession) {
  Config config;
  config.abandoned_streams_burst_max = 1e9;  // the other defence out of the way
  Session session = started(Role::server, config);
  std::uint32_t accepted = 0;
  Result<void> result;
  for (; accepted < 100'000 && result; ++accepted)
    result = session.receive(update_frame(kSyn, 2 * accepted + 1, 0), {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), make_error(Errc::control_backlog_full));
  EXPECT_EQ(accepted, kAckBacklogMax + kPendingResetsMax + 1);
  EXPECT_EQ(output(session), go_away_frame(kGoAwayProtocolError));
}

TEST(YamuxHostile, OurOwnResetsForAPeerThatDoesNotReadAreBoundedToo) {
  Session session = started(Role::server);
  std::uint32_t id = 1;
  std::size_t resets = 0;
  while (session.receive(update_frame(kSyn, id, 0), {}) && resets < 100'000) {
    session.reset(StreamId(id));
    id += 2;
    ++resets;
    if (session.deadline() < Instant{}) break;
  }
  EXPECT_EQ(resets, kPendingResetsMax + 1);
  EXPECT_LT(session.deadline(), Instant{});  // an error waits to be reported
  EXPECT_EQ(session.on_deadline({}).error(), make_error(Errc::control_backlog_full));
  EXPECT_EQ(output(session), go_away_frame(kGoAwayProtocolError));
}

TEST(YamuxHostile, APingFloodByAPeerThatDoesNotReadIsAnsweredInPart) {
  Session session = started(Role::server);
  Bytes flood;
  for (std::uint32_t i = 0; i < 100'000; ++i) append(flood, ping_frame(kSyn, i));
  feed(session, flood);
  const std::vector<Frame> answers = frames(session);
  ASSERT_EQ(answers.size(), kPendingPongsMax);
  for (std::uint32_t i = 0; i < kPendingPongsMax; ++i)
    EXPECT_EQ(answers[i], (Frame{FrameType::ping, kAck, 0, i, {}}));
  feed(session, ping_frame(kSyn, 7));
  EXPECT_EQ(output(session), ping_frame(kAck, 7));
}

TEST(YamuxHostile, OpenAndPingFloodsTogetherKeepTheOutputBounded) {
  Config config;
  config.abandoned_streams_burst_max = 1e9;
  Session session = started(Role::server, config);
  for (std::uint32_t i = 0; i < kAckBacklogMax + kPendingResetsMax; ++i) {
    feed(session, data_frame(kSyn, 2 * i + 1, "x"));
    feed(session, ping_frame(kSyn, i));
    feed(session, ping_frame(kSyn, i));
  }
  EXPECT_EQ(output(session).size(), (kPendingPongsMax + kPendingResetsMax + kAckBacklogMax) * kHeaderBytes);
}

// CVE-2023-44487 class: open, reset, again.
TEST(YamuxHostile, RapidResetSpendsABudgetThenEndsTheSession) {
  Session session = started(Role::server);
  std::uint32_t pairs = 0;
  Result<void> result;
  for (; pairs < 100'000 && result; ++pairs) {
    Bytes pair = data_frame(kSyn, 2 * pairs + 1, "x");
    append(pair, update_frame(kRst, 2 * pairs + 1, 0));
    result = session.receive(pair, {});
    events(session);
    output(session);
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), make_error(Errc::rapid_reset));
  EXPECT_EQ(pairs, 1'001u);
}

TEST(YamuxHostile, RapidResetInOneFrameSpendsTheSameBudget) {
  Session session = started(Role::server);
  for (std::uint32_t i = 0; i < 1'000; ++i) feed(session, update_frame(kSyn | kRst, 2 * i + 1, 0));
  EXPECT_FALSE(session.has_output());
  EXPECT_EQ(session.receive(data_frame(kSyn | kRst, 1, "x"), {}).error(), make_error(Errc::rapid_reset));
}

TEST(YamuxHostile, TheRapidResetBudgetRefillsWithTime) {
  Session session = started(Role::server);
  for (int second = 0; second < 20; ++second) {
    const int count = second == 0 ? 1'000 : 100;
    for (int i = 0; i < count; ++i)
      feed(session, update_frame(kSyn | kRst, 1, 0), at(std::chrono::seconds(second)));
  }
  EXPECT_EQ(session.receive(update_frame(kSyn | kRst, 1, 0), at(19s)).error(), make_error(Errc::rapid_reset));
}

TEST(YamuxHostile, AResetAfterOurAnswerCostsNoBudget) {
  Session session = started(Role::server);
  for (std::uint32_t i = 0; i < 3'000; ++i) {
    const std::uint32_t id = 2 * i + 1;
    feed(session, data_frame(kSyn, id, "request"));
    EXPECT_NE(events(session), "");
    session.write(StreamId(id), as_bytes("answer"));
    session.finish(StreamId(id));
    output(session);
    feed(session, update_frame(kRst, id, 0));
    EXPECT_EQ(events(session), "reset " + std::to_string(id) + " code 0");
  }
  EXPECT_EQ(session.stream_count(), 0u);
}

TEST(YamuxHostile, AGoAwayInTheMiddleOfABodyIsPartOfTheBody) {
  Session session = started(Role::server);
  feed(session, frame(FrameType::data, kSyn, 1, kHeaderBytes + 3));
  feed(session, go_away_frame(0));
  EXPECT_EQ(events(session), "opened 1, readable 1");
  feed(session, as_bytes("end"));
  EXPECT_EQ(session.readable_bytes(StreamId(1)), kHeaderBytes + 3);
  feed(session, go_away_frame(0));
  EXPECT_EQ(events(session), "go away 0, readable 1");
}

TEST(YamuxHostile, RandomBytesNeverDoMoreThanEndTheSession) {
  SeededRng rng(testkit::seed(21));
  for (int round = 0; round < 2'000; ++round) {
    Session session = started(rng.below(2) == 0 ? Role::server : Role::client);
    Bytes bytes(rng.below(400));
    rng.fill(bytes);
    for (std::size_t i = 0; i + 12 <= bytes.size(); i += 12) {  // mostly valid headers
      bytes[i] = 0;
      bytes[i + 1] = static_cast<std::uint8_t>(bytes[i + 1] % 5);
      bytes[i + 8] = bytes[i + 9] = bytes[i + 10] = 0;
    }
    bool alive = true;
    testkit::in_random_pieces(
        rng, bytes, 30, [&](ByteView piece) { alive = alive && session.receive(piece, {}).has_value(); });
    events(session);
    EXPECT_LE(session.receive_buffered_bytes(), bytes.size());
    EXPECT_LE(output(session).size(), 2 * bytes.size() + kHeaderBytes);
  }
}

}  // namespace
}  // namespace starling::yamux
