// Two or more hosts of ours over the loopback interface.
#include "net/hosts.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace starling::net {
namespace {

TEST(NetHosts, ConnectIdentifyAndPing) {
  const auto a = start(dialling());
  const auto b = start(listening());
  const auto connected = connect(*a, *b);
  ASSERT_TRUE(connected) << connected.failure().message;
  EXPECT_EQ(*connected, b->peer_id());

  const auto info = answer<PeerInfo>([&](auto done) { a->peer_info(b->peer_id(), done); });
  ASSERT_TRUE(info) << info.failure().message;
  EXPECT_NE(std::find(info->protocols.begin(), info->protocols.end(), kEcho), info->protocols.end());
  EXPECT_EQ(info->addresses.front() + "/p2p/" + b->peer_id(), b->addresses().front());

  const auto rtt = answer<std::chrono::nanoseconds>([&](auto done) { a->ping(b->peer_id(), done); });
  ASSERT_TRUE(rtt) << rtt.failure().message;
  EXPECT_GT(rtt->count(), 0);
}

TEST(NetHosts, SixteenMebibytesComeBackUnchanged) {
  const auto a = start(dialling());
  const auto b = start(listening());
  ASSERT_TRUE(connect(*a, *b));
  const auto bytes = pattern(16 << 20);
  const auto back = echo(*a, b->peer_id(), bytes);
  ASSERT_TRUE(back) << back.failure().message;
  EXPECT_TRUE(*back == bytes);
}

TEST(NetHosts, ConnectionsOnSeveralShardsServeAtTheSameTime) {
  HostOptions options = listening();
  options.threads = 4;
  const auto server = start(options);
  HostOptions dialler = dialling();
  dialler.threads = 3;
  std::vector<std::unique_ptr<Host>> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(start(dialler));
  const auto bytes = pattern(1 << 20);
  std::vector<std::future<bool>> results;
  for (const auto& client : clients) {
    ASSERT_TRUE(connect(*client, *server));
    results.push_back(std::async(std::launch::async, [&bytes, &server, host = client.get()] {
      const auto back = echo(*host, server->peer_id(), bytes);
      return back && *back == bytes;
    }));
  }
  for (auto& result : results) EXPECT_TRUE(result.get());
  EXPECT_EQ(stats(*server).connections, clients.size());
}

// Several shards meet their first connection over TLS at the same time.
TEST(NetHosts, SpeakTlsWhenTheyAreToldTo) {
  HostOptions options = listening();
  options.threads = 4;
  const auto server = start(options);
  HostOptions dialler = dialling();
  dialler.security = {"tls"};
  std::vector<std::unique_ptr<Host>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(start(dialler));
  std::vector<std::future<Outcome<std::string>>> connecting;
  for (const auto& client : clients)
    connecting.push_back(std::async(std::launch::async, [&] { return connect(*client, *server); }));
  for (auto& connected : connecting) {
    const auto peer = connected.get();
    ASSERT_TRUE(peer) << peer.failure().message;
    EXPECT_EQ(*peer, server->peer_id());
  }
  const auto bytes = pattern(16 << 20);
  const auto back = echo(*clients.front(), server->peer_id(), bytes);
  ASSERT_TRUE(back) << back.failure().message;
  EXPECT_TRUE(*back == bytes);
  const auto there = echo(*server, clients.front()->peer_id(), pattern(1 << 20));
  ASSERT_TRUE(there) << there.failure().message;
}

TEST(NetHosts, SecurityThatNobodyKnowsIsRefused) {
  for (const auto& names : std::vector<std::vector<std::string>>{{}, {"plaintext"}, {"tls", "tls"}}) {
    HostOptions options = dialling();
    options.security = names;
    Host host(options);
    const auto started = host.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.failure().code, "sdk/option");
  }
}

TEST(NetHosts, TwoHundredConnectionsComeAndGo) {
  const std::size_t files_before = open_files();
  {
    HostOptions options = listening();
    options.protection = HostOptions::Protection::off;
    const auto server = start(options);
    const EventLoops loops(1);
    HostOptions dialler = dialling();
    dialler.loops = loops;
    std::vector<std::unique_ptr<Host>> clients;
    for (int i = 0; i < 200; ++i) {
      clients.push_back(start(dialler));
      ASSERT_TRUE(connect(*clients.back(), *server)) << i;
    }
    // A dialler is done one flight before its listener.
    EXPECT_TRUE(eventually([&] { return stats(*server).connections == 200u; }));
    clients.clear();
    EXPECT_TRUE(eventually([&] { return stats(*server).connections == 0; }));
  }
  EXPECT_TRUE(eventually([&] { return open_files() == files_before; }))
      << open_files() << " after " << files_before;
}

TEST(NetHosts, AWrongPeerIdIsNotConnectedTo) {
  const auto a = start(dialling());
  const auto b = start(listening());
  const auto other = start(dialling());
  const std::string address = b->addresses().front();
  const std::string wrong = address.substr(0, address.find("/p2p/")) + "/p2p/" + other->peer_id();
  const auto connected = answer<std::string>([&](auto done) { a->connect(wrong, done); });
  EXPECT_FALSE(connected);
  EXPECT_EQ(stats(*a).connections, 0u);
}

TEST(NetHosts, NobodyListeningIsToldAsRefused) {
  const auto a = start(dialling());
  auto b = start(listening());
  const std::string address = b->addresses().front();
  b.reset();
  const auto connected = answer<std::string>([&](auto done) { a->connect(address, done); });
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.failure().kind, "unreachable");
}

TEST(NetHosts, APortInUseIsSaidSo) {
  const auto a = start(listening());
  HostOptions options = dialling();
  options.listen = {"/ip4/127.0.0.1/tcp/" + std::to_string(port_of(a->addresses().front()))};
  Host b(options);
  const auto started = b.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.failure().message.find("in use"), std::string::npos) << started.failure().message;
}

TEST(NetHosts, AListenAddressWithoutTcpIsRefused) {
  HostOptions options = dialling();
  options.listen = {"/ip4/127.0.0.1/udp/0/quic-v1"};
  Host host(options);
  EXPECT_FALSE(host.start());
}

TEST(NetHosts, AWildcardIsAdvertisedAsRealAddresses) {
  HostOptions options = dialling();
  options.listen = {"/ip4/0.0.0.0/tcp/0"};
  const auto host = start(options);
  ASSERT_FALSE(host->addresses().empty());
  for (const auto& address : host->addresses()) {
    EXPECT_EQ(address.find("0.0.0.0"), std::string::npos) << address;
    EXPECT_NE(port_of(address), 0) << address;
  }
}

TEST(NetHosts, StoppingInTheMiddleOfAnEchoAnswersEverybody) {
  const auto a = start(dialling());
  auto b = start(listening());
  ASSERT_TRUE(connect(*a, *b));
  auto stream = answer<Stream>([&](auto done) { a->open_stream(b->peer_id(), {kEcho}, done); });
  ASSERT_TRUE(stream);
  // Nobody reads what comes back, so the write cannot end.
  std::promise<bool> written;
  stream->write(pattern(8 << 20), [&](const Outcome<void>& outcome) { written.set_value(outcome.ok()); });
  ASSERT_TRUE(eventually([&] { return stats(*b).connections == 1; }));
  const auto began = std::chrono::steady_clock::now();
  b.reset();
  auto future = written.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(future.get());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(NetHosts, CallbacksOfAStoppedHostSaySo) {
  const auto host = start(dialling());
  host->stop();
  const auto peers = answer<std::vector<std::string>>([&](auto done) { host->peers(done); });
  ASSERT_FALSE(peers);
  EXPECT_EQ(peers.failure().kind, "cancelled");
}

TEST(NetHosts, PublicationsWaitForASlowPeerWhateverTheirSize) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{64} << 10, std::size_t{700} << 10}) {
    const std::size_t count = size > (100 << 10) ? 20 : size > 1000 ? 200 : 2000;
    std::atomic<std::size_t> delivered = 0;
    HostOptions hearing = listening();
    hearing.gossip = true;
    hearing.protection = HostOptions::Protection::off;  // whose rate per forwarder is not what is tested
    hearing.events.message = [&](const Message& message) {
      delivered += message.data.size() == size ? 1 : 0;
      // As long as a careful application takes; the publisher is faster.
      if (size > 1000) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    };
    HostOptions speaking = dialling();
    speaking.gossip = true;
    const auto listener = start(std::move(hearing));
    const auto speaker = start(std::move(speaking));
    for (Host* host : {listener.get(), speaker.get()})
      ASSERT_TRUE(answer<void>([&](auto done) { host->subscribe("news", done); }));
    ASSERT_TRUE(connect(*speaker, *listener));
    ASSERT_TRUE(eventually([&] {
      return answer<std::vector<std::string>>([&](auto done) {
               speaker->mesh_peers("news", done);
             })->size() == 1;
    }));
    std::atomic<std::size_t> accepted = 0;
    const auto data = pattern(size);
    for (std::size_t i = 0; i < count; ++i)
      speaker->publish("news", data,
                       [&](const Outcome<Published>& published) { accepted += published ? 1 : 0; });
    EXPECT_TRUE(eventually([&] { return accepted == count && delivered == count; }))
        << size << " bytes: " << accepted << " accepted, " << delivered << " delivered of " << count;
    speaker->stop();
    listener->stop();
  }
}

TEST(NetHosts, AProtocolThatIsNotSpokenFailsTheStream) {
  const auto a = start(dialling());
  const auto b = start(listening());
  ASSERT_TRUE(connect(*a, *b));
  auto stream =
      answer<Stream>([&](auto done) { a->open_stream(b->peer_id(), {"/nobody/speaks/this"}, done); });
  ASSERT_TRUE(stream);  // a single protocol is not waited for
  std::promise<bool> read;
  stream->read([&](const Outcome<ByteSpan>& got) { read.set_value(got.ok()); });
  EXPECT_FALSE(read.get_future().get());

  const auto none = answer<Stream>([&](auto done) {
    a->open_stream(b->peer_id(), {"/nobody/1", "/nobody/2"}, done);
  });
  EXPECT_FALSE(none);
  const auto second = answer<Stream>([&](auto done) {
    a->open_stream(b->peer_id(), {"/nobody/1", kEcho}, done);
  });
  ASSERT_TRUE(second);
  EXPECT_EQ(second->protocol(), kEcho);
}

TEST(NetHosts, AReaderWhoWaitsHoldsTheWriterBack) {
  const auto a = start(dialling());
  const auto b = start(listening());
  std::promise<Stream> accepted;
  b->set_stream_handler("/test/slow/1", [&](const Stream& stream) { accepted.set_value(stream); });
  ASSERT_TRUE(connect(*a, *b));
  auto stream = answer<Stream>([&](auto done) { a->open_stream(b->peer_id(), {"/test/slow/1"}, done); });
  ASSERT_TRUE(stream);
  std::atomic<std::size_t> written = 0;
  constexpr std::size_t kBlocks = 1024;
  const auto block = pattern(16 << 10);
  std::function<void()> write_on = [&] {
    if (written == kBlocks) return stream->finish();
    stream->write(block, [&](const Outcome<void>& outcome) {
      if (!outcome) return;
      ++written;
      write_on();
    });
  };
  write_on();
  Stream inbound = accepted.get_future().get();
  std::size_t last = 0;
  ASSERT_TRUE(eventually([&] { return std::exchange(last, written.load()) == written.load() && last > 0; }));
  EXPECT_LT(written, kBlocks) << "16 MiB left although nobody reads";

  std::promise<std::size_t> total;
  std::size_t received = 0;
  std::function<void()> read_on = [&] {
    inbound.read([&](const Outcome<ByteSpan>& got) {
      if (!got || got->empty()) return total.set_value(received);
      received += got->size();
      read_on();
    });
  };
  read_on();
  EXPECT_EQ(total.get_future().get(), kBlocks * block.size());
}

}  // namespace
}  // namespace starling::net
