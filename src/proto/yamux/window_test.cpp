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
  Link1(double bytes_per_s, Duration delay) : ns_per_byte_(1e9 / bytes_per_s), delay_(delay) {}
  bool idle(Instant now) const { return free_at_ <= now; }
  Instant free_at() const { return free_at_; }
  void put(Bytes bytes, Instant now) {
    const double took_ns = ns_per_byte_ * static_cast<double>(bytes.size());
    free_at_ = std::max(free_at_, now) + Duration(static_cast<std::int64_t>(took_ns));
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
  Instant free_at_;
  std::deque<Packet> queue_;
};

struct Outcome {
  double bytes_per_s = 0;  ///< over the second half of the time
  std::uint32_t window = 0;
};

/// A client that writes as fast as it may, on `streams` streams, and a server that reads at once, for `time`.
Outcome transfer(double link_bytes_per_s, Duration round_trip, Duration time, const Config& config = {},
                 int streams = 1) {
  Session ends[2] = {Session(Role::client, config, Instant{}), Session(Role::server, config, Instant{})};
  Link1 links[2] = {Link1(link_bytes_per_s, round_trip / 2), Link1(link_bytes_per_s, round_trip / 2)};
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

TEST(YamuxWindow, ASlowLinkDoesNotGrowItFar) {
  const Outcome outcome = transfer(1e6, 50ms, 5s);
  EXPECT_GE(outcome.bytes_per_s, 0.9e6);
  EXPECT_LE(outcome.window, 4 * kWindowInitial);
}

TEST(YamuxWindow, ManyStreamsStayWithinTheBudgetAndFillTheLink) {
  const Outcome outcome = transfer(kGigabit, 63ms, 3s, {}, 20);
  EXPECT_GE(outcome.bytes_per_s, 0.9 * kGigabit);
}

/// A receiver whose streams are all drained within a round trip.
class Receiver {
 public:
  explicit Receiver(const Config& config) : session_(Role::server, config, at(0s)) {
    output(session_, 1 << 20, at(0s));
    EXPECT_TRUE(session_.receive(ping_frame(kAck, 0), at(100ms)));
    now_ = at(200ms);
  }
  void open(std::uint32_t id) {
    EXPECT_TRUE(session_.receive(update_frame(kSyn, id, 0), now_));
    output(session_, 1 << 20, now_);
  }
  /// One window's worth comes and is read within `time`; returns the credit given back.
  std::uint32_t drain(std::uint32_t id, Duration time) {
    const Bytes half(session_.receive_window(StreamId(id)) / 2);
    EXPECT_TRUE(session_.receive(data_frame(0, id, half), now_));
    now_ = now_ + time;
    session_.consume(StreamId(id), half.size(), now_);
    const std::vector<Frame> out = frames(session_, now_);
    return out.empty() ? 0 : out.back().length;
  }
  std::uint32_t window(std::uint32_t id) const { return session_.receive_window(StreamId(id)); }
  Session& session() { return session_; }

 private:
  Session session_;
  Instant now_;
};

TEST(YamuxWindow, DoublesWhenHalfIsConsumedWithinTwoRoundTrips) {
  Receiver receiver{Config{}};
  receiver.open(1);
  EXPECT_EQ(receiver.drain(1, 199ms), kWindowInitial / 2 + kWindowInitial);
  EXPECT_EQ(receiver.window(1), 2 * kWindowInitial);
  EXPECT_EQ(receiver.drain(1, 200ms), kWindowInitial);
  EXPECT_EQ(receiver.window(1), 2 * kWindowInitial);
}

TEST(YamuxWindow, DoesNotGrowBeforeARoundTripIsKnown) {
  Session session(Role::server, Config{}, at(0s));
  ASSERT_TRUE(session.receive(data_frame(kSyn, 1, Bytes(kWindowInitial)), at(0s)));
  session.consume(StreamId(1), kWindowInitial, at(0s));
  EXPECT_EQ(session.receive_window(StreamId(1)), kWindowInitial);
}

TEST(YamuxWindow, StopsAtItsMaximum) {
  Receiver receiver{Config{}};
  receiver.open(1);
  for (int i = 0; i < 12; ++i) receiver.drain(1, 1ms);
  EXPECT_EQ(receiver.window(1), kWindowMax);
}

TEST(YamuxWindow, TheBudgetOfTheConnectionIsSharedAndReturned) {
  Config config;
  config.window_growth_budget_max = 3 * kWindowInitial;
  Receiver receiver{config};
  receiver.open(1);
  receiver.open(3);
  receiver.drain(1, 1ms);
  receiver.drain(1, 1ms);
  EXPECT_EQ(receiver.window(1), 4 * kWindowInitial);  // all of the budget
  receiver.drain(3, 1ms);
  EXPECT_EQ(receiver.window(3), kWindowInitial);
  receiver.session().reset(StreamId(1));
  receiver.drain(3, 1ms);
  EXPECT_EQ(receiver.window(3), 2 * kWindowInitial);
}

TEST(YamuxWindow, ThePeerMayFillAGrownWindowAndNotAByteMore) {
  Receiver receiver{Config{}};
  receiver.open(1);
  receiver.drain(1, 1ms);
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
  EXPECT_EQ(output(session, 1 << 20, at(31s)), ping_frame(kSyn, 1));
}

}  // namespace
}  // namespace starling::yamux
