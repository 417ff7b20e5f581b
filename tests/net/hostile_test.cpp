// Hostile peers against one of our hosts over a real socket: the process lives, the offender is cut for a
// counted reason, others are served meanwhile, memory and file descriptors come back.
#include "net/hostile.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <functional>
#include <mutex>
#include <thread>

#include "net/hosts.hpp"
#include "node/limits.hpp"

namespace starling::net {
namespace {

using namespace std::chrono_literals;

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kGrowthBytesMax = (64 + 256)
                                          << 20;  // what is freed waits in quarantine, 256 MiB of it
#else
constexpr std::uint64_t kGrowthBytesMax = 64 << 20;
#endif
constexpr std::uint16_t kSyn = 1;
constexpr std::uint16_t kRst = 8;

/// A victim, a bystander that is its peer, and what must be as before when an attack is over.
class Victim : public ::testing::Test {
 protected:
  void SetUp() override {
    HostOptions options = listening();
    options.connections_total = 400;
    options.connections_high = 400;
    victim_ = start(options);
    bystander_ = start(dialling());
    ASSERT_TRUE(connect(*bystander_, *victim_));
    port_ = port_of(victim_->addresses().front());
    ASSERT_TRUE(served());
    files_before_ = open_files();
    memory_before_ = resident_bytes();
  }

  void TearDown() override {
    EXPECT_TRUE(served()) << "the bystander is not served any more";
    EXPECT_LT(resident_bytes(), memory_before_ + kGrowthBytesMax);
    EXPECT_TRUE(eventually([&] { return open_files() <= files_before_; }))
        << open_files() << " after " << files_before_;
    EXPECT_EQ(stats(*victim_).connections, 1u);
  }

  bool served() {
    const auto bytes = pattern(1000);
    const auto back = echo(*bystander_, victim_->peer_id(), bytes);
    return back && *back == bytes;
  }
  std::uint64_t failed(const std::string& kind) {
    return counter(*victim_, "accept_failed{kind=\"" + kind + "\"}");
  }
  std::uint64_t closed(const std::string& kind) {
    return counter(*victim_, "connections_closed{kind=\"" + kind + "\"}");
  }

  std::unique_ptr<Host> victim_;
  std::unique_ptr<Host> bystander_;
  std::uint16_t port_ = 0;
  std::size_t files_before_ = 0;
  std::uint64_t memory_before_ = 0;
};

using HostileTransport = Victim;
using HostileYamux = Victim;

/// Threats E.2 #1 and #2: the deadline is one for the whole upgrade, however busily a peer says nothing.
TEST_F(HostileTransport, WhoeverDoesNotFinishTheUpgradeIsCutAtItsDeadline) {
  std::vector<std::unique_ptr<RawPeer>> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(std::make_unique<RawPeer>(port_));
  RawPeer slow(port_);
  RawPeer half(port_);
  half.send("\x13/multistream/1.0.0\n\x07/noise\n");
  RawPeer announces(port_);
  announces.send("\x13/multistream/1.0.0\n\x07/noise\n");
  announces.send(std::string_view("\x00\x20", 2));  // a Noise message of 32 bytes that never comes

  const std::string_view words = "\x13/multistream/1.0.0\n\x07/noise\n";
  const auto began = std::chrono::steady_clock::now();
  std::size_t said = 0;
  bool slow_cut = false;
  while (!slow_cut && std::chrono::steady_clock::now() - began < node::kUpgradeTimeout + 5s) {
    slow.send(words.substr(said++ % words.size(), 1));
    slow_cut = slow.cut_within(1s);
    EXPECT_TRUE(served());
  }
  EXPECT_TRUE(slow_cut);
  EXPECT_LT(std::chrono::steady_clock::now() - began, node::kUpgradeTimeout + 3s);
  for (const auto& peer : silent) EXPECT_TRUE(peer->cut_within(1s));
  EXPECT_TRUE(half.cut_within(1s));
  EXPECT_TRUE(announces.cut_within(1s));
  EXPECT_TRUE(eventually([&] { return failed("timeout") >= 53u; })) << failed("timeout");
}

TEST_F(HostileTransport, NeverSpeakingPeersTakeNoMoreThanTheUpgradesTheirLimitAllows) {
  std::vector<std::unique_ptr<RawPeer>> silent;
  for (std::size_t i = 0; i < node::kUpgradesAtOnceMax + 40; ++i)
    silent.push_back(std::make_unique<RawPeer>(port_));
  ASSERT_TRUE(eventually([&] { return counter(*victim_, "accept_refused{kind=\"limit\"}") >= 40; }));
  std::size_t cut = 0;
  for (const auto& peer : silent) cut += peer->cut() ? 1U : 0U;
  EXPECT_EQ(cut, 40u);
  EXPECT_TRUE(served());
  silent.clear();
  EXPECT_TRUE(eventually([&] {
    return counter(*victim_, "accept_failed{kind=\"unreachable\"}") >= node::kUpgradesAtOnceMax ||
           open_files() <= files_before_;
  }));
}

TEST_F(HostileTransport, GarbageEndsAtOnce) {
  for (int i = 0; i < 50; ++i) {
    RawPeer peer(port_);
    Bytes garbage = pattern(4096 + static_cast<std::size_t>(i));
    garbage[0] = 0x7f;
    peer.send(garbage);
    EXPECT_TRUE(peer.cut_within(2s)) << i;
  }
  EXPECT_TRUE(served());
}

TEST_F(HostileTransport, MultistreamTricksEndAtOnce) {
  const std::string header = "\x13/multistream/1.0.0\n";
  const std::vector<std::string> tricks = {
      std::string(64, '\xff'),                                       // a length that never ends
      header + std::string("\x81\x10", 2) + std::string(2049, 'a'),  // a token beyond 1024 bytes
      header + std::string("\x07/noise_", 8),                        // no newline
      std::string("\x13/multistream/9.9.9\n", 20),                   // another protocol
  };
  for (const auto& trick : tricks) {
    RawPeer peer(port_);
    peer.send(trick);
    EXPECT_TRUE(peer.cut_within(2s)) << to_hex(as_bytes(trick.substr(0, 24)));
  }
  EXPECT_GE(failed("malformed") + failed("misbehaviour") + failed("limit") + failed("unsupported"),
            tricks.size());
}

TEST_F(HostileTransport, AFloodOfProposalsAndListsIsBounded) {
  for (const std::string& proposal : {std::string("\x03ls\n"), std::string("\x08/nobody\n", 9)}) {
    RawPeer peer(port_);
    peer.send("\x13/multistream/1.0.0\n");
    std::string flood;
    for (int i = 0; i < 10'000; ++i) flood += proposal;
    peer.send(flood);
    EXPECT_TRUE(peer.cut_within(2s));
  }
}

TEST_F(HostileTransport, HalfHandshakesAndResetsLeaveNothingBehind) {
  for (int i = 0; i < 100; ++i) {
    RawPeer peer(port_);
    peer.send("\x13/multistream/1.0.0\n\x07/noise\n");
    Bytes message{0, 32};
    append(message, pattern(32));
    peer.send(message);
    if (i % 2 == 0)
      peer.abort();
    else
      peer.close();
  }
  EXPECT_TRUE(eventually([&] { return open_files() <= files_before_; }));
}

/// A limit on file descriptors while it lives: whoever wants one more does not get it.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const runtime::Descriptor next(::open("/dev/null", O_RDONLY | O_CLOEXEC));  // the lowest free number
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(next.get());
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// Threats E.2 #1: accept() without a descriptor left neither spins nor ends the listener.
TEST_F(HostileTransport, WithoutFileDescriptorsTheListenerWaitsAndThenGoesOn) {
  constexpr std::size_t kPeers = 8;
  std::vector<RawPeer> peers;
  for (std::size_t i = 0; i < kPeers; ++i) peers.emplace_back();
  {
    const NoMoreFiles limit;
    for (auto& peer : peers) peer.connect(port_);
    ASSERT_TRUE(eventually([&] { return counter(*victim_, "accept_out_of_files") >= 3; }));
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t count = counter(*victim_, "accept_out_of_files");
    EXPECT_TRUE(served());
    std::this_thread::sleep_for(500ms);
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_LE(counter(*victim_, "accept_out_of_files") - count, static_cast<std::uint64_t>(took / 100ms) + 1);
  }
  RawPeer late(port_);
  late.send("\x13/multistream/1.0.0\n");
  EXPECT_TRUE(eventually([&] { return late.receive(100ms).value_or(Bytes()).size() == 20; }));
}

TEST_F(HostileTransport, NoiseMessagesOfWrongLengthEndAtOnce) {
  for (const Bytes& first : {Bytes{0, 0}, Bytes{0, 1, 7}, Bytes(40, 0)}) {
    RawPeer peer(port_);
    peer.send("\x13/multistream/1.0.0\n\x07/noise\n");
    peer.send(first);
    peer.send(Bytes(64, 0));
    EXPECT_TRUE(peer.cut_within(2s)) << to_hex(first);
  }
}

TEST_F(HostileTransport, ARecordThatDoesNotDecryptEndsTheConnection) {
  RawMuxPeer peer(port_);
  ASSERT_TRUE(eventually([&] { return stats(*victim_).connections == 2; }));
  Bytes record{0, 64};
  append(record, pattern(64));
  peer.raw().send(record);
  EXPECT_TRUE(peer.raw().cut_within(2s));
  EXPECT_TRUE(eventually([&] { return closed("malformed") + closed("misbehaviour") >= 1; }));
}

// ---------------------------------------------------------------------------------------------- threats E.2
// #5

TEST_F(HostileYamux, FramesThatNoPeerSendsEndTheConnection) {
  using Frames = std::vector<Bytes>;
  const auto frame = &RawMuxPeer::frame;
  const std::vector<Frames> attacks = {
      {frame(0, kSyn, 1, 0xffffffff)},                              // a body of 4 GiB
      {frame(0, kSyn, 1, 0), frame(0, 0, 1, 17 << 20)},             // a body beyond the window
      {frame(1, kSyn, 1, 0xffffffff), frame(1, 0, 1, 0xffffffff)},  // credit beyond 2^32
      {frame(0, kSyn, 2, 0)},                                       // the listener's parity
      {frame(0, kSyn, 0, 0)},                                       // the session's own id
      {frame(9, 0, 1, 0)},                                          // no such type
      {frame(1, kSyn, 1, 0), frame(1, kSyn, 1, 0)},                 // SYN twice
  };
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    RawMuxPeer peer(port_);
    for (const Bytes& bytes : attacks[i]) peer.send(bytes);
    EXPECT_TRUE(peer.raw().cut_within(2s)) << "attack " << i;
  }
  EXPECT_TRUE(eventually(
      [&] { return closed("malformed") + closed("misbehaviour") + closed("limit") >= attacks.size(); }));
}

TEST_F(HostileYamux, RapidResetsEndTheConnection) {
  RawMuxPeer peer(port_);
  Bytes frames;
  bool cut = false;
  for (std::uint32_t id = 1; id < 200'001 && !cut; id += 2) {
    append(frames, RawMuxPeer::frame(1, kSyn, id, 0));
    append(frames, RawMuxPeer::frame(1, kRst, id, 0));
    if (frames.size() < 48 * 1024) continue;
    cut = !peer.send(frames);
    frames.clear();
  }
  EXPECT_TRUE(cut || peer.raw().cut_within(2s));
}

TEST_F(HostileYamux, PingsToAPeerWhoseAnswersNobodyReadsCostNoMemory) {
  RawMuxPeer peer(port_);
  Bytes pings;
  for (std::uint32_t i = 0; i < 4000; ++i) append(pings, RawMuxPeer::frame(2, kSyn, 0, i));
  for (int i = 0; i < 100; ++i) {
    if (!peer.send(pings)) break;
  }
  EXPECT_TRUE(served());
  EXPECT_LT(resident_bytes(), memory_before_ + kGrowthBytesMax);
  peer.raw().close();
}

TEST_F(HostileYamux, StreamsThatAreOpenedAndLeftAreRefusedBeyondTheLimit) {
  RawMuxPeer peer(port_);
  Bytes frames;
  for (std::uint32_t id = 1; id < 20'001; id += 2) append(frames, RawMuxPeer::frame(1, kSyn, id, 0));
  peer.send(frames);
  EXPECT_TRUE(served());
  EXPECT_LT(resident_bytes(), memory_before_ + kGrowthBytesMax);
  peer.raw().close();
}

TEST_F(HostileYamux, BytesThatNobodyAskedForAreHeldBackByTheWindow) {
  RawMuxPeer peer(port_);
  // A stream that never negotiates a protocol: its bytes are the negotiation's, which ends at the first bad
  // one.
  peer.send(RawMuxPeer::frame(1, kSyn, 1, 0));
  for (int i = 0; i < 64; ++i) {
    Bytes data = RawMuxPeer::frame(0, 0, 1, 16 * 1024);
    append(data, Bytes(16 * 1024, 0xff));
    if (!peer.send(data)) break;
  }
  EXPECT_TRUE(served());
  EXPECT_LT(resident_bytes(), memory_before_ + kGrowthBytesMax);
  peer.raw().close();
}

/// Threats E.2 #5: what one connection may buffer, many together may not.
TEST_F(HostileTransport, PeersWhoseBytesNobodyReadsGetNoMoreThanTheNodeCanSpare) {
  constexpr std::size_t kBudget = 8 << 20;
  constexpr std::size_t kHogs = 12;
  HostOptions options = listening();
  options.connections_bytes_max = kBudget;
  const auto small = start(options);
  std::mutex mutex;
  std::vector<Stream> unread;
  small->set_stream_handler("/test/unread/1", [&](const Stream& stream) {
    const std::lock_guard lock(mutex);
    unread.push_back(stream);
  });
  ASSERT_TRUE(connect(*bystander_, *small));
  const auto block = pattern(256 << 10);
  std::vector<std::unique_ptr<Host>> hogs;
  for (std::size_t i = 0; i < kHogs; ++i) {
    hogs.push_back(start(dialling()));
    ASSERT_TRUE(connect(*hogs.back(), *small));
    for (int stream = 0; stream < 8; ++stream) {
      auto opened = answer<Stream>(
          [&](auto done) { hogs.back()->open_stream(small->peer_id(), {"/test/unread/1"}, done); });
      ASSERT_TRUE(opened);
      opened->write(block);
      opened->finish();
    }
  }
  EXPECT_TRUE(eventually([&] { return counter(*small, "streams_evicted") >= kHogs; }));
  EXPECT_LE(counter(*small, "connections_bytes"), kBudget + kHogs * node::kConnectionBytesFloor);
  const auto bytes = pattern(30'000);
  const auto back = echo(*bystander_, small->peer_id(), bytes);
  EXPECT_TRUE(back && *back == bytes) << "who holds little must not suffer";
  hogs.clear();
  {
    const std::lock_guard lock(mutex);
    unread.clear();
  }
  EXPECT_TRUE(eventually([&] { return counter(*small, "connections_bytes") == 0; }));
}

}  // namespace
}  // namespace starling::net
