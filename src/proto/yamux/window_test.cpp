// Receive windows over a simulated link: virtual time, a bandwidth and a delay each way.
#include <gtest/gtest.h>

#include <deque>

#include "proto/yamux/frames_for_tests.hpp"
#include "proto/yamux/session.hpp"

namespace starling::yamux {
namespace {

using namespace testing;

/// One direction: bytes leave at the link's rate and arrive after its delay.
class Link1 {
 public:
  /// `late`: what arrives first takes this much longer, and holds up what comes after it.
  Link1(double bytes_per_s, Duration delay, Duration late = {})
      : ns_per_byte_(1e9 / bytes_per_s), delay_(delay), late_(late) {}
  bool idle(Instant now) const { return free_at_ <= now; }
  Instant free_at() const { return free_at_; }
  void put(Bytes bytes, Instant now) {
    const double took_ns = ns_per_byte_ * static_cast<double>(bytes.size());
    free_at_ = std::max(free_at_, now) + Duration(static_cast<std::int64_t>(took_ns)) + late_;
    late_ = {};
    queue_.push_back({free_at_ + delay_, std::move(bytes)});
  }
  Instant next_arrival() const { return queue_.empty() ? Instant::never() : queue_.front().at; }
  Bytes take() {
    Bytes out = std::move(queue_.front().bytes);
    queue_.pop_front();
    return out;
  }

 private:
  struct Packet {
    Instant at;
    Bytes bytes;
  };
  double ns_per_byte_;
  Duration delay_;
  Duration late_;
  Instant free_at_;
  std::deque<Packet> queue_;
};

struct Outcome {
  double bytes_per_s = 0;  ///< over the second half of the time
  std::uint32_t window = 0;
};

/// A client that writes as fast as it may, on `streams` streams, and a server that reads at once, for `time`.
Outcome transfer(double link_bytes_per_s, Duration round_trip, Duration time, const Config& config = {},
                 int streams = 1, Duration first_answer_late = {}) {
  Session ends[2] = {Session(Role::client, config, Instant{}), Session(Role::server, config, Instant{})};
  Link1 links[2] = {Link1(link_bytes_per_s, round_trip / 2),
                    Link1(link_bytes_per_s, round_trip / 2, first_answer_late)};
  std::vector<StreamId> ids;
  for (int i = 0; i < streams; ++i) ids.push_back(*ends[0].open());
  const Bytes block(64 * 1024);
  const Instant end = at(time);
  std::uint64_t late_bytes = 0;
  Instant now;
  while (now < end) {
    for (const StreamId id : ids)
      while (ends[0].write(id, ByteView(block)) == block.size()) continue;
    Instant next = Instant::never();
    for (int side = 0; side < 2; ++side) {
      if (links[side].idle(now) && ends[side].has_output())
        links[side].put(output(ends[side], 64 * 1024, now), now);
      if (ends[side].has_output()) next = std::min(next, links[side].free_at());
      next = std::min(next, links[side].next_arrival());
    }
    if (next.is_never()) break;
    now = next;
    for (int side = 0; side < 2; ++side) {
      if (links[side].next_arrival() > now) continue;
      EXPECT_TRUE(ends[1 - side].receive(links[side].take(), now));
      while (ends[1 - side].poll()) continue;
    }
    for (const StreamId id : ids) {
      const std::size_t count = ends[1].readable_bytes(id);
      ends[1].consume(id, count, now);
      if (now >= at(time / 2)) late_bytes += count;
    }
  }
  const double seconds = std::chrono::duration<double>(time / 2).count();
  return {static_cast<double>(late_bytes) / seconds, ends[1].receive_window(ids[0])};
}

constexpr double kGigabit = 1e9 / 8;

TEST(YamuxWindow, OneStreamFillsAGigabitOver63Milliseconds) {
  const Outcome outcome = transfer(kGigabit, 63ms, 4s);
  EXPECT_GE(outcome.bytes_per_s, 0.9 * kGigabit);
  EXPECT_EQ(outcome.window, kWindowMax);
}

TEST(YamuxWindow, WithoutGrowthTheInitialWindowLimitsTheRate) {
  Config config;
  config.window_growth_budget_max = 0;
  const Outcome outcome = transfer(kGigabit, 63ms, 2s, config);
  EXPECT_LE(outcome.bytes_per_s, 1.05 * kWindowInitial / 0.063);
  EXPECT_EQ(outcome.window, kWindowInitial);
}

TEST(YamuxWindow, FillsALanWithoutGrowingFar) {
  const Outcome outcome = transfer(kGigabit, 500us, 1s);
  EXPECT_GE(outcome.bytes_per_s, 0.95 * kGigabit);
  EXPECT_LE(outcome.window, 4 * kWindowInitial);
}

TEST(YamuxWindow, AFirstRoundTripThatTookFarTooLongDoesNotGrowItFar) {
  const Outcome outcome = transfer(10 * kGigabit, 150us, 1s, {}, 1, 3ms);
  EXPECT_GE(outcome.bytes_per_s, 0.85 * 10 * kGigabit);
  EXPECT_LE(outcome.window, 4 * kWindowInitial);
}

TEST(YamuxWindow, ASlowLinkDoesNotGrowItFar) {
  const Outcome outcome = transfer(1e6, 50ms, 5s);
  EXPECT_GE(outcome.bytes_per_s, 0.9e6);
  EXPECT_LE(outcome.window, 4 * kWindowInitial);
}

TEST(YamuxWindow, ManyStreamsStayWithinTheBudgetAndFillTheLink) {
  const Outcome outcome = transfer(kGigabit, 63ms, 3s, {}, 20);
  EXPECT_GE(outcome.bytes_per_s, 0.9 * kGigabit);
}

constexpr Duration kRoundTrip = 100ms;

/// A receiver whose streams are all drained by and by, and whose pings are answered within a round trip.
class Receiver {
 public:
  explicit Receiver(const Config& config) : session_(Role::server, config, at(0s)) {
    for (std::uint32_t i = 0; i < kRttSamplesMin; ++i) {
      session_.ping(now_);
      send();
      answer();
    }
  }
  void open(std::uint32_t id) {
    EXPECT_TRUE(session_.receive(update_frame(kSyn, id, 0), now_));
    send();
  }
  /// Half a window's worth comes and is read `time` later, at least a round trip; returns the credit given
  /// back.
  std::uint32_t drain(std::uint32_t id, Duration time, bool answers = true) {
    const Bytes half(session_.receive_window(StreamId(id)) / 2);
    EXPECT_TRUE(session_.receive(data_frame(0, id, half), now_));
    const Instant read_at = now_ + time;
    if (answers) answer();
    now_ = read_at;
    session_.consume(StreamId(id), half.size(), now_);
    return send();
  }
  std::uint32_t window(std::uint32_t id) const { return session_.receive_window(StreamId(id)); }
  Session& session() { return session_; }

 private:
  /// Takes what there is to send; returns the last window update's length.
  std::uint32_t send() {
    std::uint32_t credit = 0;
    for (const Frame& frame : frames(session_, now_)) {
      if (frame.type == FrameType::window_update) credit = frame.length;
      if (frame.type == FrameType::ping) ping_ = {frame.length, now_};
    }
    return credit;
  }
  void answer() {
    if (!ping_) return;
    now_ = std::max(now_, ping_->second + kRoundTrip);
    EXPECT_TRUE(session_.receive(ping_frame(kAck, ping_->first), now_));
    ping_.reset();
  }

  Session session_;
  Instant now_;
  std::optional<std::pair<std::uint32_t, Instant>> ping_;
};

TEST(YamuxWindow, DoublesWhenHalfIsConsumedWithinOneAndAHalfRoundTrips) {
  Receiver receiver{Config{}};
  receiver.open(1);
  EXPECT_EQ(receiver.drain(1, 149ms), kWindowInitial / 2 + kWindowInitial);
  EXPECT_EQ(receiver.window(1), 2 * kWindowInitial);
  EXPECT_EQ(receiver.drain(1, 150ms), kWindowInitial);
  EXPECT_EQ(receiver.window(1), 2 * kWindowInitial);
}

TEST(YamuxWindow, GrowsAgainOnlyAfterAnotherRoundTripWasMeasured) {
  Receiver receiver{Config{}};
  receiver.open(1);
  receiver.drain(1, 1ms);
  for (int i = 0; i < 3; ++i) receiver.drain(1, 1ms, false);
  EXPECT_EQ(receiver.window(1), 2 * kWindowInitial);
  receiver.drain(1, kRoundTrip);
  EXPECT_EQ(receiver.window(1), 4 * kWindowInitial);
}

TEST(YamuxWindow, DoesNotGrowBeforeEnoughRoundTripsAreKnown) {
  Session session(Role::server, Config{}, at(0s));
  ASSERT_TRUE(session.receive(update_frame(kSyn, 1, 0), at(0s)));
  for (std::uint32_t i = 0; i <= kRttSamplesMin; ++i) {
    const Instant now = at(i * kRoundTrip);
    if (i > 0) {
      ASSERT_TRUE(session.receive(ping_frame(kAck, i - 1), now));
    }
    EXPECT_EQ(session.receive_window(StreamId(1)), kWindowInitial);
    ASSERT_TRUE(session.receive(data_frame(0, 1, Bytes(kWindowInitial)), now));
    session.consume(StreamId(1), kWindowInitial, now);
    output(session, 1 << 20, now);
  }
  EXPECT_EQ(session.receive_window(StreamId(1)), 2 * kWindowInitial);
}

TEST(YamuxWindow, StopsAtItsMaximum) {
  Receiver receiver{Config{}};
  receiver.open(1);
  for (int i = 0; i < 12; ++i) receiver.drain(1, kRoundTrip);
  EXPECT_EQ(receiver.window(1), kWindowMax);
}

TEST(YamuxWindow, TheBudgetOfTheConnectionIsSharedAndReturned) {
  Config config;
  config.window_growth_budget_max = 3 * kWindowInitial;
  Receiver receiver{config};
  receiver.open(1);
  receiver.open(3);
  receiver.drain(1, kRoundTrip);
  receiver.drain(1, kRoundTrip);
  EXPECT_EQ(receiver.window(1), 4 * kWindowInitial);  // all of the budget
  receiver.drain(3, kRoundTrip);
  EXPECT_EQ(receiver.window(3), kWindowInitial);
  receiver.session().reset(StreamId(1));
  receiver.drain(3, kRoundTrip);
  EXPECT_EQ(receiver.window(3), 2 * kWindowInitial);
}

TEST(YamuxWindow, ThePeerMayFillAGrownWindowAndNotAByteMore) {
  Receiver receiver{Config{}};
  receiver.open(1);
  receiver.drain(1, kRoundTrip);
  ASSERT_EQ(receiver.window(1), 2 * kWindowInitial);
  Session& session = receiver.session();
  EXPECT_TRUE(session.receive(data_frame(0, 1, Bytes(2 * kWindowInitial)), at(1s)));
  EXPECT_EQ(session.receive(data_frame(0, 1, "x"), at(1s)).error(), make_error(Errc::window_exceeded));
}

TEST(YamuxWindow, DataMeasuresTheRoundTripAgainAfterAWhile) {
  Receiver receiver{Config{}};
  receiver.open(1);
  Session& session = receiver.session();
  ASSERT_TRUE(session.receive(data_frame(0, 1, "x"), at(29s)));
  EXPECT_FALSE(session.has_output());
  ASSERT_TRUE(session.receive(data_frame(0, 1, "x"), at(31s)));
  EXPECT_EQ(output(session, 1 << 20, at(31s)), ping_frame(kSyn, kRttSamplesMin));
}

}  // namespace
}  // namespace starling::yamux
