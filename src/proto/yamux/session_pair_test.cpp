// Two sessions against a naive model of byte streams: whatever is opened, written, read late, finished or
// reset on either side, every byte arrives once, in order, and nothing is left over.
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "proto/yamux/frames_for_tests.hpp"
#include "proto/yamux/session.hpp"
#include "testkit/testkit.hpp"

namespace starling::yamux {
namespace {

using namespace testing;

/// One direction of a stream as the model sees it.
struct Direction {
  std::deque<std::uint8_t> under_way;  ///< written and not yet read
  bool finished = false;
  bool saw_finish = false;
};

struct ModelStream {
  Direction direction[2];          ///< [0]: what side 0 writes
  bool reset = false;              ///< by either side
  bool over[2] = {false, false};   ///< the side has seen its end, or caused it
  bool known[2] = {false, false};  ///< the side knows of it
};

class World {
 public:
  World(std::uint64_t seed, const Config& config)
      : rng_(seed),
        sides_{Session(Role::client, config, Instant{}), Session(Role::server, config, Instant{})} {}

  void step() {
    now_ = now_ + Duration(static_cast<std::int64_t>(rng_.below(3'000'000)));
    const int side = static_cast<int>(rng_.below(2));
    switch (rng_.below(12)) {
      case 0: open(side); break;
      case 1:
      case 2:
      case 3: write(side, pick(side)); break;
      case 4:
      case 5: read(side, pick(side)); break;
      case 6:
        if (rng_.below(6) == 0) finish(side, pick(side));
        break;
      case 7:
        if (rng_.below(25) == 0) reset(side, pick(side));
        break;
      default: carry(side, 1 + rng_.below(200'000)); break;
    }
    drain(side);
  }

  /// Ends everything: both sides finish and read until nothing moves.
  void settle() {
    for (int round = 0; round < 10'000; ++round) {
      bool busy = false;
      for (int side = 0; side < 2; ++side) {
        drain(side);
        for (const std::uint32_t id : ids(side)) {
          finish(side, id);
          read(side, id);
        }
        carry(side, 1'000'000);
      }
      for (int side = 0; side < 2; ++side)
        busy = busy || sides_[side].has_output() || !wire_[side].empty() || sides_[side].stream_count() > 0;
      if (!busy) break;
    }
    for (int side = 0; side < 2; ++side) {
      drain(side);
      EXPECT_EQ(sides_[side].stream_count(), 0u);
      EXPECT_EQ(sides_[side].receive_buffered_bytes(), 0u);
      EXPECT_EQ(sides_[side].send_buffered_bytes(), 0u);
    }
    for (const auto& [id, stream] : model_) {
      EXPECT_TRUE(stream.over[0] || !stream.known[0]) << id;
      EXPECT_TRUE(stream.over[1] || !stream.known[1]) << id;
    }
  }

  std::size_t opened() const { return model_.size(); }
  std::uint64_t read_bytes() const { return read_bytes_; }

 private:
  std::vector<std::uint32_t> ids(int side) const {
    std::vector<std::uint32_t> out;
    for (const auto& [id, stream] : model_)
      if (stream.known[side] && !stream.over[side]) out.push_back(id);
    return out;
  }
  std::uint32_t pick(int side) {
    const std::vector<std::uint32_t> all = ids(side);
    return all.empty() ? 9'999 : all[rng_.below(all.size())];
  }

  void open(int side) {
    const Result<StreamId> id = sides_[side].open();
    if (!id) return;
    ASSERT_FALSE(model_.contains(id->value()));
    model_[id->value()].known[side] = true;
  }
  void write(int side, std::uint32_t id) {
    Bytes data(rng_.below(rng_.below(4) == 0 ? 150'000 : 2'000));
    rng_.fill(data);
    const std::size_t room = sides_[side].writable(StreamId(id));
    const std::size_t accepted = rng_.below(2) == 0 ? sides_[side].write(StreamId(id), ByteView(data))
                                                    : sides_[side].write(StreamId(id), Slice::copy(data));
    ASSERT_EQ(accepted, std::min(room, data.size()));
    if (accepted == 0) return;
    Direction& direction = model_.at(id).direction[side];
    ASSERT_FALSE(direction.finished);
    direction.under_way.insert(direction.under_way.end(), data.begin(),
                               data.begin() + static_cast<std::ptrdiff_t>(accepted));
  }
  void read(int side, std::uint32_t id) {
    Session& session = sides_[side];
    const std::size_t want = rng_.below(3) == 0 ? rng_.below(1'000) : 1'000'000;
    std::size_t done = 0;
    while (done < want && session.readable_bytes(StreamId(id)) > 0) {
      const ByteView run = session.readable(StreamId(id));
      const std::size_t count = std::min(run.size(), want - done);
      auto& expected = model_.at(id).direction[1 - side].under_way;
      ASSERT_LE(count, expected.size());
      ASSERT_TRUE(
          std::equal(run.begin(), run.begin() + static_cast<std::ptrdiff_t>(count), expected.begin()));
      expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(count));
      session.consume(StreamId(id), count, now_);
      done += count;
      read_bytes_ += count;
    }
    const bool all_came = model_.contains(id) && model_.at(id).direction[1 - side].saw_finish;
    if (session.at_end(StreamId(id)) && all_came) {
      ASSERT_TRUE(model_.at(id).direction[1 - side].under_way.empty());
    }
  }
  void finish(int side, std::uint32_t id) {
    sides_[side].finish(StreamId(id));
    if (model_.contains(id)) model_.at(id).direction[side].finished = true;
  }
  void reset(int side, std::uint32_t id) {
    if (!model_.contains(id)) return;
    sides_[side].reset(StreamId(id), id);
    model_.at(id).reset = true;
    model_.at(id).over[side] = true;
  }

  void carry(int side, std::size_t bytes_max) {
    std::vector<ByteView> parts;
    sides_[side].gather(parts, bytes_max, now_);
    if (rng_.below(2) == 0) sides_[side].gather(parts, bytes_max, now_);
    append(wire_[side], join(parts));
    sides_[side].sent();
    const std::size_t count = rng_.below(4) == 0 ? rng_.below(wire_[side].size() + 1) : wire_[side].size();
    const std::size_t piece = rng_.below(2) == 0 ? 40 : 70'000;
    testkit::in_random_pieces(rng_, ByteView(wire_[side]).first(count), piece, [&](ByteView part) {
      const Result<void> result = sides_[1 - side].receive(part, now_);
      ASSERT_TRUE(result) << result.error().to_string();
    });
    wire_[side].erase(wire_[side].begin(), wire_[side].begin() + static_cast<std::ptrdiff_t>(count));
    drain(1 - side);
  }

  void drain(int side) {
    while (const auto event = sides_[side].poll()) {
      if (const auto* opened = std::get_if<Opened>(&*event)) {
        ASSERT_TRUE(model_.contains(opened->id.value()));
        ASSERT_FALSE(model_.at(opened->id.value()).known[side]) << "opened twice";
        model_.at(opened->id.value()).known[side] = true;
      } else if (const auto* ended = std::get_if<RemoteFinished>(&*event)) {
        Direction& direction = model_.at(ended->id.value()).direction[1 - side];
        ASSERT_TRUE(direction.finished);
        ASSERT_FALSE(direction.saw_finish) << "finished twice";
        direction.saw_finish = true;
      } else if (const auto* reset = std::get_if<Reset>(&*event)) {
        ModelStream& stream = model_.at(reset->id.value());
        ASSERT_TRUE(stream.reset);
        ASSERT_FALSE(stream.over[side]);
        ASSERT_FALSE(reset->by_us);
        ASSERT_EQ(reset->code, reset->id.value());
        stream.over[side] = true;
      } else if (const auto* closed = std::get_if<Closed>(&*event)) {
        ModelStream& stream = model_.at(closed->id.value());
        ASSERT_FALSE(stream.over[side]);
        ASSERT_TRUE(stream.direction[1 - side].under_way.empty());
        ASSERT_TRUE(stream.reset || (stream.direction[0].finished && stream.direction[1].finished));
        stream.over[side] = true;
      } else if (const auto* readable = std::get_if<Readable>(&*event)) {
        ASSERT_GT(sides_[side].readable_bytes(readable->id), 0u);
      } else if (const auto* writable = std::get_if<Writable>(&*event)) {
        ASSERT_GT(sides_[side].writable(writable->id), 0u);
      }
    }
  }

  SeededRng rng_;
  Session sides_[2];
  Bytes wire_[2];  ///< [0]: from side 0 to side 1
  std::map<std::uint32_t, ModelStream> model_;
  Instant now_;
  std::uint64_t read_bytes_ = 0;
};

TEST(YamuxPair, EveryByteArrivesOnceAndInOrderWhateverHappens) {
  const std::uint64_t seed = testkit::seed(31);
  std::size_t opened = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    Config config;
    config.send_buffer_max = i % 2 == 0 ? kSendBufferMax : 5'000;
    config.ack_backlog_max = i % 3 == 0 ? 2 : kAckBacklogMax;
    config.window_growth_budget_max = i % 4 == 0 ? 300'000 : kWindowGrowthBudgetMax;
    World world(seed + i, config);
    for (int step = 0; step < 1'200 && !HasFatalFailure(); ++step) world.step();
    if (HasFatalFailure()) return;
    world.settle();
    opened += world.opened();
    bytes += world.read_bytes();
  }
  EXPECT_GT(opened, 200u);
  EXPECT_GT(bytes, 5'000'000u);
}

/// Bytes of every stream in what one gather() gave.
std::map<std::uint32_t, std::size_t> shares(Session& session, std::size_t bytes_max) {
  std::map<std::uint32_t, std::size_t> out;
  for (const Frame& one : parse(output(session, bytes_max)))
    if (one.type == FrameType::data) out[one.stream] += one.body.size();
  return out;
}

TEST(YamuxPair, StreamsWithDataShareTheConnectionEvenly) {
  Session session = started(Role::client);
  for (int i = 0; i < 10; ++i) session.write(*session.open(), Bytes(200'000));
  std::map<std::uint32_t, std::size_t> total;
  for (int turn = 0; turn < 10; ++turn)
    for (const auto& [id, bytes] : shares(session, 64 * 1024)) total[id] += bytes;
  ASSERT_EQ(total.size(), 10u);
  for (const auto& [id, bytes] : total) {
    EXPECT_GE(bytes, 3 * kFramePayloadSharedMax) << id;
    EXPECT_LE(bytes, 5 * kFramePayloadSharedMax) << id;
  }
}

TEST(YamuxPair, ASmallMessageDoesNotWaitBehindABulkStream) {
  Config config;
  config.send_buffer_max = 1 << 20;
  Session session = started(Role::client, config);
  session.write(*session.open(), Bytes(1 << 20));
  shares(session, 1);
  session.write(*session.open(), as_bytes("urgent"));
  std::size_t before = 0;
  for (const Frame& one : frames(session)) {
    if (as_text(one.body) == "urgent") break;
    before += kHeaderBytes + one.body.size();
  }
  EXPECT_LE(before, kFramePayloadMax + 10 * kHeaderBytes);
}

TEST(YamuxPair, AStalledStreamDoesNotHoldUpAnother) {
  Session client = started(Role::client);
  Session server = started(Role::server);
  const StreamId stalled = *client.open();
  const StreamId lively = *client.open();
  std::size_t arrived = 0;
  for (int turn = 0; turn < 200; ++turn) {
    client.write(stalled, Bytes(50'000));
    client.write(lively, Bytes(50'000));
    ASSERT_TRUE(server.receive(output(client), {}));
    arrived += read_all(server, lively).size();
    ASSERT_TRUE(client.receive(output(server), {}));
  }
  EXPECT_EQ(arrived, 200u * 50'000);
  EXPECT_EQ(server.readable_bytes(stalled), kSendWindowInitial);
}

}  // namespace
}  // namespace starling::yamux
