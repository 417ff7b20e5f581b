#include "proto/yamux/session.hpp"

#include <gtest/gtest.h>

#include "proto/yamux/frames_for_tests.hpp"
#include "proto/yamux/limits.hpp"
#include "testkit/testkit.hpp"

namespace starling::yamux {
namespace {

using namespace testing;

constexpr StreamId kOne{1};
constexpr StreamId kTwo{2};

void feed(Session& session, ByteView bytes, Instant now = {}) {
  const Result<void> result = session.receive(bytes, now);
  ASSERT_TRUE(result) << result.error().to_string();
}
void copy_output(Session& from, Session& to, Instant now = {}) { feed(to, output(from, 1 << 30, now), now); }

// ---- opening ----

TEST(YamuxSession, PingsAtTheStart) {
  Session session(Role::client, Config{}, Instant{});
  EXPECT_TRUE(session.has_output());
  EXPECT_EQ(output(session), ping_frame(kSyn, 0));
  EXPECT_FALSE(session.has_output());
}

TEST(YamuxSession, TheDialerGivesOddIdsAndTheListenerEvenOnes) {
  Session client = started(Role::client);
  Session server = started(Role::server);
  EXPECT_EQ(client.open(), kOne);
  EXPECT_EQ(client.open(), StreamId(3));
  EXPECT_EQ(server.open(), kTwo);
  EXPECT_EQ(server.open(), StreamId(4));
}

TEST(YamuxSession, SynPrecedesTheFirstDataInTheSameFlight) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, as_bytes("hello"));
  EXPECT_EQ(output(session), to_bytes(Slice::concat({update_frame(kSyn, 1, 0), data_frame(0, 1, "hello")})));
}

TEST(YamuxSession, AStreamWithoutDataIsOpenedToo) {
  Session session = started(Role::client);
  (void)session.open();
  EXPECT_TRUE(session.has_output());
  EXPECT_EQ(output(session), update_frame(kSyn, 1, 0));
}

TEST(YamuxSession, AcceptsAStreamOpenedByAWindowUpdateAndAcknowledgesIt) {
  Session session = started(Role::server);
  feed(session, update_frame(kSyn, 1, 0));
  EXPECT_EQ(events(session), "opened 1");
  EXPECT_EQ(output(session), update_frame(kAck, 1, 0));
  EXPECT_EQ(session.inbound_count(), 1u);
}

TEST(YamuxSession, AcceptsAStreamOpenedByData) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, "hi"));
  EXPECT_EQ(events(session), "opened 1, readable 1");
  EXPECT_EQ(read_all(session, kOne), "hi");
}

TEST(YamuxSession, TheDeltaOfASynGrowsTheWindow) {
  Config config;
  config.send_buffer_max = 1 << 20;
  Session session = started(Role::server, config);
  feed(session, update_frame(kSyn, 1, 1'000));
  session.write(kOne, Bytes(1 << 20));
  output(session);
  EXPECT_EQ(session.send_buffered_bytes(), (1u << 20) - kSendWindowInitial - 1'000);
}

TEST(YamuxSession, SeveralFlagsAtOnceAllCount) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn | kAck | kFin, 1, "all"));
  EXPECT_EQ(events(session), "opened 1, readable 1, finished 1");
  EXPECT_EQ(read_all(session, kOne), "all");
  EXPECT_TRUE(session.at_end(kOne));
}

TEST(YamuxSession, UnknownFlagBitsMeanNothing) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn | 0xfff0, 1, "x"));
  EXPECT_EQ(events(session), "opened 1, readable 1");
}

TEST(YamuxSession, OpenStopsAtTheAckBacklogAndSaysWhenItWorksAgain) {
  Config config;
  config.ack_backlog_max = 2;
  Session session = started(Role::client, config);
  (void)session.open();
  (void)session.open();
  EXPECT_EQ(session.open().error(), make_error(Errc::ack_backlog_full));
  output(session);
  EXPECT_EQ(events(session), "");
  feed(session, update_frame(kAck, 1, 0));
  EXPECT_EQ(events(session), "openable");
  EXPECT_TRUE(session.open());
  EXPECT_EQ(session.open().error(), make_error(Errc::ack_backlog_full));
}

TEST(YamuxSession, AResetOrAnyFrameOfTheStreamFreesTheAckBacklog) {
  Config config;
  config.ack_backlog_max = 1;
  Session session = started(Role::client, config);
  (void)session.open();
  output(session);
  feed(session, update_frame(kRst, 1, 0));
  ASSERT_TRUE(session.open());
  output(session);
  feed(session, data_frame(0, 3, "no ACK, but data"));
  ASSERT_TRUE(session.open());
  session.reset(StreamId(5));
  EXPECT_TRUE(session.open());
}

TEST(YamuxSession, OpenStopsAtTheStreamLimit) {
  Config config;
  config.streams_outbound_max = 1;
  Session session = started(Role::client, config);
  const StreamId id = *session.open();
  output(session);
  EXPECT_EQ(session.open().error(), make_error(Errc::too_many_streams));
  EXPECT_EQ(events(session), "");
  session.reset(id);
  EXPECT_EQ(events(session), "openable");
  EXPECT_TRUE(session.open());
}

// ---- data and windows ----

TEST(YamuxSession, AFrameMayBeCutAnywhere) {
  Bytes wire = data_frame(kSyn, 1, "cut");
  append(wire, ping_frame(kSyn, 9));
  append(wire, data_frame(kFin, 1, " anywhere"));
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    Session session = started(Role::server);
    feed(session, ByteView(wire).first(cut));
    feed(session, ByteView(wire).subspan(cut));
    EXPECT_EQ(read_all(session, kOne), "cut anywhere");
    EXPECT_TRUE(session.at_end(kOne));
  }
}

TEST(YamuxSession, ReadableComesOncePerPollHoweverMuchArrives) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, "a"));
  for (int i = 0; i < 10; ++i) feed(session, data_frame(0, 1, "b"));
  EXPECT_EQ(events(session), "opened 1, readable 1");
  feed(session, data_frame(0, 1, ""));
  EXPECT_EQ(events(session), "");
  feed(session, data_frame(0, 1, "c"));
  EXPECT_EQ(events(session), "readable 1");
}

TEST(YamuxSession, LargeBodiesAreReadWhereTheyLieAndCopiedOnlyWhenTheyStay) {
  Session session = started(Role::server);
  Bytes body(kLentBytesMin);
  SeededRng(testkit::seed(5)).fill(body);
  Bytes wire = data_frame(kSyn, 1, body);
  append(wire, data_frame(0, 1, "small"));
  append(wire, data_frame(kSyn, 3, body));
  ASSERT_TRUE(session.lend(wire, {}));
  const auto lies_in_wire = [&](StreamId id) {
    const auto* data = session.readable(id).data();
    return data >= wire.data() && data < wire.data() + wire.size();
  };
  EXPECT_TRUE(lies_in_wire(kOne));
  EXPECT_FALSE(lies_in_wire(StreamId(3))) << "one stream at a time";
  session.consume(kOne, 100, {});
  session.settle();
  EXPECT_FALSE(lies_in_wire(kOne));
  std::fill(wire.begin(), wire.end(), std::uint8_t{0xee});
  EXPECT_EQ(read_all(session, kOne), std::string(as_text(ByteView(body).subspan(100))) + "small");
  EXPECT_EQ(read_all(session, StreamId(3)), as_text(body));
}

TEST(YamuxSession, AStreamMayEndWhileItsBytesAreLent) {
  Session session = started(Role::server);
  const Bytes wire = data_frame(kSyn, 1, Bytes(kLentBytesMin));
  ASSERT_TRUE(session.lend(wire, {}));
  session.reset(kOne);
  session.settle();
  EXPECT_EQ(session.receive_buffered_bytes(), 0u);
  const Bytes next = data_frame(kSyn, 3, Bytes(kLentBytesMin));
  ASSERT_TRUE(session.lend(next, {}));
  EXPECT_EQ(session.readable(StreamId(3)).data(), next.data() + kHeaderBytes);
  session.settle();
}

TEST(YamuxSession, ReturnsWindowWhenTheApplicationReads) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, Bytes(kWindowInitial)));
  events(session);
  EXPECT_EQ(frames(session).size(), 1u);  // the ACK: nothing is returned on receipt
  session.consume(kOne, kWindowInitial / 2 - 1, {});
  EXPECT_FALSE(session.has_output());
  session.consume(kOne, 1, {});
  EXPECT_EQ(output(session), update_frame(0, 1, kWindowInitial / 2));
  session.consume(kOne, kWindowInitial / 2, {});
  EXPECT_EQ(output(session), update_frame(0, 1, kWindowInitial / 2));
}

TEST(YamuxSession, AnUpdateThatWaitedReturnsEverythingConsumedMeanwhile) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, Bytes(kWindowInitial)));
  output(session);
  session.consume(kOne, kWindowInitial / 2, {});
  session.consume(kOne, 1'000, {});
  EXPECT_EQ(output(session), update_frame(0, 1, kWindowInitial / 2 + 1'000));
}

TEST(YamuxSession, NoWindowIsReturnedAfterThePeersFin) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, Bytes(kWindowInitial - 1)));
  output(session);
  session.consume(kOne, kWindowInitial / 2, {});
  EXPECT_TRUE(session.has_output());
  feed(session, update_frame(kFin, 1, 0));
  EXPECT_FALSE(session.has_output());
  session.consume(kOne, session.readable_bytes(kOne), {});
  EXPECT_FALSE(session.has_output());
}

TEST(YamuxSession, SendsNoMoreThanThePeersWindowAndGoesOnWithUpdates) {
  Config config;
  config.send_buffer_max = 1 << 20;
  Session session = started(Role::client, config);
  const StreamId id = *session.open();
  EXPECT_EQ(session.write(id, Bytes(1 << 20)), 1u << 20);
  std::size_t sent = 0;
  for (const Frame& one : frames(session)) sent += one.body.size();
  EXPECT_EQ(sent, kSendWindowInitial);  // what nim allows
  EXPECT_FALSE(session.has_output());
  feed(session, update_frame(0, 1, 10));
  EXPECT_EQ(output(session), data_frame(0, 1, Bytes(10)));
}

TEST(YamuxSession, WriteStopsAtTheSendBufferAndWritableFollows) {
  Config config;
  config.send_buffer_max = 100'000;
  Session session = started(Role::client, config);
  const StreamId id = *session.open();
  EXPECT_EQ(session.write(id, Bytes(60'000)), 60'000u);
  EXPECT_EQ(session.writable(id), 40'000u);
  EXPECT_EQ(session.write(id, Slice::copy(Bytes(60'000))), 40'000u);
  EXPECT_EQ(session.write(id, as_bytes("x")), 0u);
  EXPECT_EQ(session.send_buffered_bytes(), 100'000u);
  EXPECT_EQ(events(session), "");
  output(session, 40'000);  // one full frame: less than half of the buffer is left
  EXPECT_EQ(events(session), "writable 1");
  EXPECT_EQ(events(session), "");
}

TEST(YamuxSession, WritableWaitsUntilHalfOfTheBufferIsFree) {
  Config config;
  config.send_buffer_max = 40'000;
  Session session = started(Role::client, config);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(session.write(*session.open(), Bytes(50'000)), 40'000u);
  output(session, 2 * kHeaderBytes + 1);  // one frame of the first stream: 16 KiB
  EXPECT_EQ(events(session), "");
  output(session, 2 * kFramePayloadSharedMax);  // one of the second, another of the first
  EXPECT_EQ(events(session), "writable 1");
}

TEST(YamuxSession, NoWritableWithoutAShortWrite) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, Bytes(kSendBufferMax));
  output(session);
  EXPECT_EQ(events(session), "");
}

TEST(YamuxSession, ASliceIsSharedNotCopied) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  const Slice slice = Slice::copy(pattern(10'000));
  session.write(id, slice);
  std::vector<ByteView> parts;
  session.gather(parts, 1 << 20, {});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[2].data(), slice.data());
  session.sent();
}

TEST(YamuxSession, SmallWritesShareABufferAndAFrame) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  for (int i = 0; i < 10; ++i) session.write(id, Slice::copy(Bytes(kSliceCopyMax / 100, 'a')));
  for (int i = 0; i < 10; ++i) session.write(id, as_bytes("bb"));
  std::vector<ByteView> parts;
  session.gather(parts, 1 << 20, {});
  EXPECT_EQ(parts.size(), 3u);  // SYN, header, one run
  EXPECT_EQ(as_text(parts.back()), std::string(100, 'a') + std::string(20, 'b'));
  session.sent();
}

TEST(YamuxSession, GatheredViewsSurviveAResetUntilSent) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, pattern(1'000));
  std::vector<ByteView> parts;
  session.gather(parts, 1 << 20, {});
  session.write(id, pattern(1'000));
  session.reset(id, 5);
  (void)session.open();
  session.gather(parts, 1 << 20, {});
  EXPECT_EQ(join(parts), to_bytes(Slice::concat({update_frame(kSyn, 1, 0), data_frame(0, 1, pattern(1'000)),
                                                 update_frame(kRst, 1, 5), update_frame(kSyn, 3, 0)})));
  session.sent();
}

TEST(YamuxSession, GatherStopsNearItsLimitAndGoesOnWhereItStopped) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  const Bytes data = pattern(200'000);
  session.write(id, data);
  Bytes wire;
  int calls = 0;
  while (session.has_output()) {
    const Bytes part = output(session, 30'000);
    EXPECT_LE(part.size(), 30'000 + kHeaderBytes + kFramePayloadMax);
    append(wire, part);
    ++calls;
  }
  EXPECT_GE(calls, 3);
  Bytes body;
  for (const Frame& one : parse(wire)) append(body, one.body);
  EXPECT_EQ(body, data);
}

TEST(YamuxSession, AFrameAndItsHeaderFillANoiseMessage) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, Bytes(200'000));
  EXPECT_EQ(frames(session)[1].length + kHeaderBytes, 65'519u);
}

// ---- the end of a stream ----

TEST(YamuxSession, FinGoesInAFrameOfItsOwnBehindTheData) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, as_bytes("last words"));
  session.finish(id);
  EXPECT_EQ(session.write(id, as_bytes("too late")), 0u);
  EXPECT_EQ(session.writable(id), 0u);
  EXPECT_EQ(output(session), to_bytes(Slice::concat({update_frame(kSyn, 1, 0), data_frame(0, 1, "last words"),
                                                     update_frame(kFin, 1, 0)})));
}

TEST(YamuxSession, FinWaitsForDataThatWaitsForWindow) {
  Config config;
  config.send_buffer_max = 1 << 20;
  Session session = started(Role::client, config);
  const StreamId id = *session.open();
  session.write(id, Bytes(kSendWindowInitial + 5));
  session.finish(id);
  for (const Frame& one : frames(session)) EXPECT_EQ(one.flags & kFin, 0);
  feed(session, update_frame(0, 1, 100));
  EXPECT_EQ(output(session), to_bytes(Slice::concat({data_frame(0, 1, Bytes(5)), update_frame(kFin, 1, 0)})));
}

TEST(YamuxSession, AFinishedStreamGoesOnReading) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.finish(id);
  output(session);
  feed(session, data_frame(0, 1, "answer"));
  EXPECT_EQ(events(session), "readable 1");
  EXPECT_EQ(read_all(session, id), "answer");
  EXPECT_FALSE(session.at_end(id));
  feed(session, data_frame(kFin, 1, ""));
  EXPECT_EQ(events(session), "finished 1, closed 1");
  EXPECT_EQ(session.stream_count(), 0u);
}

TEST(YamuxSession, APeersFinishedStreamGoesOnWriting) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn | kFin, 1, "question"));
  EXPECT_EQ(read_all(session, kOne), "question");
  EXPECT_EQ(session.write(kOne, as_bytes("answer")), 6u);
  session.finish(kOne);
  EXPECT_EQ(events(session), "opened 1, readable 1, finished 1");
  EXPECT_EQ(output(session), to_bytes(Slice::concat({update_frame(kAck, 1, 0), data_frame(0, 1, "answer"),
                                                     update_frame(kFin, 1, 0)})));
  EXPECT_EQ(events(session), "closed 1");
}

TEST(YamuxSession, ClosedWaitsUntilEverythingWasRead) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn | kFin, 1, "read me"));
  session.finish(kOne);
  output(session);
  EXPECT_EQ(events(session), "opened 1, readable 1, finished 1");
  EXPECT_EQ(read_all(session, kOne), "read me");
  EXPECT_EQ(events(session), "closed 1");
  EXPECT_EQ(events(session), "");
}

TEST(YamuxSession, FinishTwiceSendsOneFin) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.finish(id);
  output(session);
  session.finish(id);
  EXPECT_FALSE(session.has_output());
}

TEST(YamuxSession, ALocalResetTellsThePeerAndReportsNothing) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, "unread"));
  events(session);
  output(session);
  session.reset(kOne, 0x1001);
  EXPECT_EQ(events(session), "");
  EXPECT_EQ(output(session), update_frame(kRst, 1, 0x1001));
  EXPECT_EQ(session.stream_count(), 0u);
  EXPECT_EQ(session.receive_buffered_bytes(), 0u);
}

TEST(YamuxSession, AStreamResetBeforeItsSynLeftVanishesSilently) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, as_bytes("never mind"));
  session.reset(id);
  EXPECT_FALSE(session.has_output());
  EXPECT_EQ(session.send_buffered_bytes(), 0u);
}

// nim answers a frame for a stream that it has closed with a GoAway.
TEST(YamuxSession, AStreamThatIsOverOnTheWireGetsNoReset) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn | kFin, 1, "unread"));
  session.finish(kOne);
  output(session);
  session.reset(kOne);
  EXPECT_FALSE(session.has_output());
  EXPECT_EQ(session.stream_count(), 0u);
}

TEST(YamuxSession, TheCodeOfARemoteResetIsReported) {
  Session session = started(Role::server);
  feed(session, update_frame(kSyn, 1, 0));
  feed(session, update_frame(kSyn, 3, 0));
  events(session);
  feed(session, update_frame(kRst, 1, 0x1007));
  feed(session, frame(FrameType::data, kRst, 3, 0));
  EXPECT_EQ(events(session), "reset 1 code 4103, reset 3 code 0");
  EXPECT_EQ(session.stream_count(), 0u);
}

TEST(YamuxSession, AResetDiscardsWhatWasNotRead) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, "half a mess"));
  session.write(kOne, as_bytes("unsent"));
  events(session);
  feed(session, update_frame(kRst, 1, 0));
  EXPECT_EQ(events(session), "reset 1 code 0");
  EXPECT_EQ(session.readable_bytes(kOne), 0u);
  EXPECT_EQ(session.receive_buffered_bytes(), 0u);
  EXPECT_EQ(session.send_buffered_bytes(), 0u);
  EXPECT_FALSE(session.has_output());
}

TEST(YamuxSession, AResetAfterTheFinLeavesTheDataReadable) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn | kFin, 1, "whole"));
  feed(session, update_frame(kRst, 1, 0));
  EXPECT_EQ(events(session), "opened 1, readable 1, finished 1");
  EXPECT_EQ(session.write(kOne, as_bytes("nobody listens")), 0u);
  EXPECT_FALSE(session.has_output());
  EXPECT_EQ(read_all(session, kOne), "whole");
  EXPECT_EQ(events(session), "closed 1");
}

TEST(YamuxSession, AStreamOpenedAndResetBeforeAnybodyLookedIsNeverReported) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, "x"));
  feed(session, update_frame(kRst, 1, 0));
  EXPECT_EQ(events(session), "");
  EXPECT_EQ(session.stream_count(), 0u);
}

TEST(YamuxSession, LateFramesForAResetStreamAreIgnoredAndCounted) {
  Session session = started(Role::server);
  feed(session, update_frame(kSyn, 1, 0));
  output(session);
  session.reset(kOne);
  output(session);
  feed(session, data_frame(0, 1, Bytes(1'000)));
  feed(session, update_frame(0, 1, 4'000'000'000));
  feed(session, update_frame(kFin | kAck, 1, 0));
  feed(session, data_frame(kRst, 1, "123"));
  EXPECT_EQ(session.discarded_bytes(), 1'003u);
  EXPECT_FALSE(session.has_output());
  feed(session, update_frame(kSyn, 3, 0));  // the framing is intact
  EXPECT_EQ(session.inbound_count(), 1u);
}

TEST(YamuxSession, AResetInTheMiddleOfABodyDiscardsItsRest) {
  Session session = started(Role::server);
  const Bytes wire = data_frame(kSyn | kFin, 1, "0123456789");
  feed(session, ByteView(wire).first(kHeaderBytes + 4));
  session.reset(kOne);
  feed(session, ByteView(wire).subspan(kHeaderBytes + 4));
  EXPECT_EQ(session.discarded_bytes(), 6u);
  EXPECT_EQ(events(session), "");
}

TEST(YamuxSession, AnIdMayBeUsedAgainAfterItsStreamEnded) {
  Session session = started(Role::server);
  feed(session, data_frame(kSyn, 1, "old"));
  events(session);
  feed(session, update_frame(kRst, 1, 0));
  feed(session, data_frame(kSyn, 1, "new"));
  EXPECT_EQ(events(session), "reset 1 code 0, opened 1, readable 1");
  EXPECT_EQ(read_all(session, kOne), "new");
}

TEST(YamuxSession, CallsForIdsThatAreNotOpenDoNothing) {
  Session session = started(Role::server);
  const StreamId ghost{77};
  EXPECT_EQ(session.write(ghost, as_bytes("x")), 0u);
  EXPECT_EQ(session.write(ghost, Slice::copy(Bytes(5'000))), 0u);
  EXPECT_EQ(session.writable(ghost), 0u);
  EXPECT_TRUE(session.readable(ghost).empty());
  EXPECT_EQ(session.readable_bytes(ghost), 0u);
  EXPECT_EQ(session.receive_window(ghost), 0u);
  EXPECT_FALSE(session.at_end(ghost));
  session.consume(ghost, 0, {});
  session.finish(ghost);
  session.reset(ghost);
  EXPECT_FALSE(session.has_output());
}

// ---- the connection ----

TEST(YamuxSession, AnswersPings) {
  Session session = started(Role::server);
  feed(session, ping_frame(kSyn, 0xabcdef01));
  EXPECT_EQ(output(session), ping_frame(kAck, 0xabcdef01));
}

TEST(YamuxSession, ReportsTheRoundTripOfItsPing) {
  Session session(Role::client, Config{}, at(0s));
  output(session, 1 << 20, at(1s));
  feed(session, ping_frame(kAck, 0), at(1s + 30ms));
  EXPECT_EQ(events(session), "rtt 30000000");
  EXPECT_EQ(session.rtt(), Duration(30ms));
}

TEST(YamuxSession, IgnoresAnAnswerThatItDidNotAskFor) {
  Session session = started(Role::client);
  feed(session, ping_frame(kAck, 12345));
  feed(session, ping_frame(0, 0));
  EXPECT_EQ(events(session), "");
  EXPECT_FALSE(session.has_output());
}

TEST(YamuxSession, KeepsAliveAndGivesUp) {
  Session session(Role::client, Config{}, at(0s));
  output(session, 1 << 20, at(0s));
  feed(session, ping_frame(kAck, 0), at(1s));
  events(session);
  ASSERT_EQ(session.deadline(), at(1s) + kKeepaliveInterval);
  EXPECT_TRUE(session.on_deadline(session.deadline()));
  EXPECT_EQ(output(session, 1 << 20, at(31s)), ping_frame(kSyn, 1));
  ASSERT_EQ(session.deadline(), at(31s) + kKeepaliveTimeout);
  EXPECT_EQ(session.on_deadline(session.deadline()).error(), make_error(Errc::keepalive_timeout));
  EXPECT_EQ(output(session), go_away_frame(kGoAwayInternalError));
  EXPECT_FALSE(session.has_output());
  EXPECT_TRUE(session.deadline().is_never());
}

TEST(YamuxSession, PingOnRequestMeasuresOnce) {
  Session session = started(Role::client);
  feed(session, ping_frame(kAck, 0));
  session.ping(at(1s));
  session.ping(at(1s));
  EXPECT_EQ(output(session), ping_frame(kSyn, 1));
}

TEST(YamuxSession, DrainResetsNewStreamsAndKeepsOldOnes) {
  Session session = started(Role::server);
  feed(session, update_frame(kSyn, 1, 0));
  output(session);
  session.drain();
  EXPECT_FALSE(session.has_output());
  feed(session, data_frame(kSyn, 3, "refused"));
  EXPECT_EQ(output(session), update_frame(kRst, 3, kResetShutdown));
  feed(session, data_frame(0, 1, "goes on"));
  EXPECT_EQ(events(session), "opened 1, readable 1");
  EXPECT_EQ(session.open().error(), make_error(Errc::going_away));
}

TEST(YamuxSession, GoAwayIsTheLastFrame) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, Bytes(100'000));
  session.finish(id);
  session.go_away();
  EXPECT_EQ(frames(session, {}).back(), (Frame{FrameType::go_away, 0, 0, kGoAwayNormal, {}}));
  EXPECT_FALSE(session.has_output());
}

TEST(YamuxSession, GoAwayWaitsWhenOutputRemains) {
  Session session = started(Role::client);
  const StreamId id = *session.open();
  session.write(id, Bytes(100'000));
  session.go_away(7);
  for (const Frame& one : parse(output(session, 100))) EXPECT_NE(one.type, FrameType::go_away);
  EXPECT_EQ(parse(output(session)).back(), (Frame{FrameType::go_away, 0, 0, 7, {}}));
}

TEST(YamuxSession, AGoAwayOfThePeerIsReportedOnceAndStopsOpening) {
  for (const std::uint32_t code : {0u, 1u, 2u, 0x1003u, 0xffffffffu}) {
    Session session = started(Role::client);
    const StreamId id = *session.open();
    output(session);
    feed(session, go_away_frame(code));
    feed(session, go_away_frame(9));
    EXPECT_EQ(events(session), "go away " + std::to_string(code));
    EXPECT_EQ(session.open().error(), make_error(Errc::going_away));
    feed(session, data_frame(0, 1, "what was open goes on"));
    EXPECT_EQ(read_all(session, id), "what was open goes on");
  }
}

TEST(YamuxSession, ASessionMayMove) {
  Session first = started(Role::client);
  const StreamId id = *first.open();
  Session second = std::move(first);
  second.write(id, as_bytes("moved"));
  EXPECT_EQ(frames(second).size(), 2u);
}

TEST(YamuxSession, TwoSessionsHoldAConversation) {
  Session client = started(Role::client);
  Session server = started(Role::server);
  const StreamId id = *client.open();
  client.write(id, as_bytes("ping?"));
  client.finish(id);
  copy_output(client, server);
  EXPECT_EQ(events(server), "opened 1, readable 1, finished 1");
  EXPECT_EQ(read_all(server, id), "ping?");
  server.write(id, as_bytes("pong!"));
  server.finish(id);
  copy_output(server, client);
  EXPECT_EQ(events(server), "closed 1");
  EXPECT_EQ(events(client), "readable 1, finished 1");
  EXPECT_EQ(read_all(client, id), "pong!");
  EXPECT_EQ(events(client), "closed 1");
  EXPECT_EQ(client.stream_count() + server.stream_count(), 0u);
}

}  // namespace
}  // namespace starling::yamux
