#include "runtime/loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <optional>

#include "runtime/system.hpp"

namespace starling::runtime {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    here = Descriptor(fds[0]);
    there = Descriptor(fds[1]);
  }
  void send(std::string_view text) const {
    EXPECT_EQ(::write(there.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  Descriptor here;
  Descriptor there;
};

struct Client final : LoopClient {
  void on_ready(std::span<const Ready> ready) override {
    if (told) told(ready);
  }
  void on_timer() override {
    if (due) due();
  }
  std::function<void(std::span<const Ready>)> told;
  std::function<void()> due;
};

class LoopOfDescriptors : public testing::Test {
 protected:
  void SetUp() override { loop.start(); }
  void TearDown() override { loop.join(); }

  /// On the loop's thread, and done when this returns.
  template <class Work>
  auto there(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    loop.post([&task] { task(); });
    return result.get();
  }
  /// Whatever had been ready before has been told when this returns: the second work is posted behind a turn.
  void settle() {
    for (int turn = 0; turn < 3; ++turn) there([] { return 0; });
  }

  Loop loop;
};

TEST_F(LoopOfDescriptors, TellsOfAChangeOnceAndNotOfWhatStays) {
  Pair pair;
  Client client;
  std::size_t readable = 0;
  std::promise<void> first;
  client.told = [&](std::span<const Ready> ready) {
    for (const Ready& one : ready) {
      EXPECT_EQ(one.id, 7u);
      EXPECT_FALSE(one.ended);
      if (one.readable && ++readable == 1) first.set_value();
    }
  };
  const auto watch = there([&] { return loop.watch(pair.here.get(), client, 7); });
  ASSERT_TRUE(watch);
  pair.send("x");
  first.get_future().get();
  settle();
  EXPECT_EQ(there([&] { return readable; }), 1u);  // the byte lies there unread
  pair.send("y");
  settle();
  EXPECT_EQ(there([&] { return readable; }), 2u);
  there([&] { loop.unwatch(*watch); });
}

TEST_F(LoopOfDescriptors, SaysThatTheEndStandsBehindTheBytes) {
  Pair pair;
  Client client;
  std::optional<Ready> last;
  client.told = [&](std::span<const Ready> ready) { last = ready.back(); };
  pair.send("goodbye");
  ::shutdown(pair.there.get(), SHUT_WR);
  const auto watch = there([&] { return loop.watch(pair.here.get(), client, 1); });
  settle();
  const auto seen = there([&] { return last; });
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->readable);
  EXPECT_TRUE(seen->ended);
  there([&] { loop.unwatch(*watch); });
}

TEST_F(LoopOfDescriptors, ForgetsWhatIsLetGoOfInTheSameTurn) {
  Pair pairs[2];
  Client clients[2];
  Loop::WatchId watches[2] = {};
  std::size_t told = 0;
  const auto let_go_of = [&](std::size_t other) {
    return [&, other](std::span<const Ready> ready) {
      if (std::none_of(ready.begin(), ready.end(), [](const Ready& one) { return one.readable; })) return;
      ++told;
      loop.unwatch(watches[other]);
      pairs[other].here.reset();
    };
  };
  clients[0].told = let_go_of(1);
  clients[1].told = let_go_of(0);
  there([&] {
    for (std::size_t i = 0; i < 2; ++i) watches[i] = *loop.watch(pairs[i].here.get(), clients[i], i);
    for (const Pair& pair : pairs) pair.send("x");  // both are ready in the next turn
  });
  settle();
  EXPECT_EQ(there([&] { return told; }), 1u);
  there([&] {
    for (const auto watch : watches) loop.unwatch(watch);
  });
}

TEST_F(LoopOfDescriptors, ANewWatchInAnOldPlaceDoesNotHearOfTheOldOne) {
  Pair old_pair;
  Pair new_pair;
  Client client;
  std::vector<std::uint64_t> readable;
  client.told = [&](std::span<const Ready> ready) {
    for (const Ready& one : ready)
      if (one.readable) readable.push_back(one.id);
  };
  const auto watch = there([&] {
    const auto first = *loop.watch(old_pair.here.get(), client, 1);
    old_pair.send("x");
    loop.unwatch(first);  // its descriptor is still open: the kernel speaks of it
    const auto second = *loop.watch(new_pair.here.get(), client, 2);
    EXPECT_NE(first, second);
    EXPECT_EQ(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second));
    loop.unwatch(first);  // no harm
    return second;
  });
  settle();
  EXPECT_TRUE(there([&] { return readable; }).empty());
  new_pair.send("y");
  settle();
  EXPECT_EQ(there([&] { return readable; }), std::vector<std::uint64_t>{2});
  there([&] { loop.unwatch(watch); });
}

TEST_F(LoopOfDescriptors, TellsOfMoreThanOneTurnHolds) {
  constexpr std::size_t kCount = 2 * kEventsPerTurnMax + 3;
  std::vector<Pair> pairs(kCount);
  Client client;
  std::set<std::uint64_t> readable;
  std::size_t most = 0;
  client.told = [&](std::span<const Ready> ready) {
    most = std::max(most, ready.size());
    for (const Ready& one : ready)
      if (one.readable) readable.insert(one.id);
  };
  std::vector<Loop::WatchId> watches;
  there([&] {
    for (std::size_t i = 0; i < kCount; ++i) {
      watches.push_back(*loop.watch(pairs[i].here.get(), client, i));
      pairs[i].send("x");
    }
  });
  for (int turn = 0; turn < 4; ++turn) settle();
  EXPECT_EQ(there([&] { return readable.size(); }), kCount);
  EXPECT_EQ(there([&] { return most; }), kEventsPerTurnMax);
  there([&] {
    for (const auto watch : watches) loop.unwatch(watch);
  });
}

TEST_F(LoopOfDescriptors, RefusesWhatIsNoDescriptor) {
  Client client;
  EXPECT_FALSE(there([&] { return loop.watch(-1, client, 1).has_value(); }));
}

TEST_F(LoopOfDescriptors, TimersComeInOrderAndNoneIsEarly) {
  Client clients[3];
  std::vector<std::size_t> order;
  std::promise<void> all;
  Instant due[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    clients[i].due = [&, i] {
      EXPECT_GE(read_clock().mono, due[i]);
      order.push_back(i);
      if (order.size() == 3) all.set_value();
    };
  }
  there([&] {
    const Instant now = read_clock().mono;
    due[0] = now + 30ms;
    due[1] = now - 1s;  // past: at once
    due[2] = now + 10ms;
    loop.wake_at(clients[0], now + 1h);  // replaced
    for (std::size_t i = 0; i < 3; ++i) loop.wake_at(clients[i], due[i]);
  });
  all.get_future().get();
  EXPECT_EQ(there([&] { return order; }), (std::vector<std::size_t>{1, 2, 0}));
}

TEST_F(LoopOfDescriptors, ATimerTakenBackDoesNotCome) {
  Client taken_back;
  Client later;
  bool came = false;
  std::promise<void> done;
  taken_back.due = [&] { came = true; };
  later.due = [&] { done.set_value(); };
  there([&] {
    const Instant now = read_clock().mono;
    loop.wake_at(taken_back, now + 1ms);
    loop.wake_at(taken_back, Instant::never());
    loop.wake_at(later, now + 10ms);
  });
  done.get_future().get();
  EXPECT_FALSE(there([&] { return came; }));
}

TEST_F(LoopOfDescriptors, AClientThatIsAlwaysDueLetsOthersHaveTheirTurn) {
  Pair pair;
  Client greedy;
  Client modest;
  std::promise<void> heard;
  bool enough = false;
  greedy.due = [&] {
    if (!enough) loop.wake_at(greedy, read_clock().mono);
  };
  modest.told = [&](std::span<const Ready> ready) {
    if (ready.back().readable && !std::exchange(enough, true)) heard.set_value();
  };
  const auto watch = there([&] {
    loop.wake_at(greedy, read_clock().mono);
    return *loop.watch(pair.here.get(), modest, 1);
  });
  pair.send("x");
  heard.get_future().get();
  there([&] { loop.unwatch(watch); });
}

TEST_F(LoopOfDescriptors, WorkOfManyThreadsIsDoneInTheOrderOfEachAndAllOfIt) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 2000;
  std::array<std::vector<std::size_t>, kThreads> done;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t n = 0; n < kEach; ++n) {
        loop.post([&, i, n] {
          EXPECT_TRUE(loop.in_this_thread());
          EXPECT_TRUE(on_loop_thread());
          done[i].push_back(n);
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  settle();
  EXPECT_FALSE(loop.in_this_thread());
  for (const auto& numbers : done) {
    EXPECT_EQ(numbers.size(), kEach);
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  }
}

TEST(LoopLife, WorkPostedBeforeTheEndIsDoneAndLaterWorkIsDropped) {
  Loop loop;
  loop.start();
  bool done = false;
  loop.post([&] { done = true; });
  loop.join();
  EXPECT_TRUE(done);
  const auto owned = std::make_shared<int>(1);
  {
    Loop ended;
    ended.start();
    ended.join();
    ended.post([owned] { ADD_FAILURE(); });
  }
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace starling::runtime
