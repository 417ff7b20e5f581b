// What an idle connection costs: counted through OpenSSL's allocator, not believed.
#include <openssl/crypto.h>

#include <cstdlib>

#include "tls/fixtures.hpp"

namespace {

std::size_t live_bytes = 0;

// Each block knows its size.
void* take(std::size_t size, const char*, int) {
  auto* memory = static_cast<std::size_t*>(std::malloc(size + 16));
  if (memory == nullptr) return nullptr;
  *memory = size;
  live_bytes += size;
  return memory + 2;
}
void give(void* memory, const char*, int) {
  if (memory == nullptr) return;
  auto* block = static_cast<std::size_t*>(memory) - 2;
  live_bytes -= *block;
  std::free(block);
}
void* retake(void* memory, std::size_t size, const char* file, int line) {
  if (memory == nullptr) return take(size, file, line);
  void* fresh = take(size, file, line);
  if (fresh == nullptr) return nullptr;
  std::memcpy(fresh, memory, std::min(size, *(static_cast<std::size_t*>(memory) - 2)));
  give(memory, file, line);
  return fresh;
}
const bool kCounted = CRYPTO_set_mem_functions(take, retake, give) == 1;

}  // namespace

namespace starling::tls {
namespace {

TEST(TlsMemory, IdleConnectionHoldsNoBuffers) {
  ASSERT_TRUE(kCounted) << "nothing of OpenSSL's is allocated before main";
  const auto a = identity(1);
  const auto b = identity(2);
  { auto warm_up = connect(*a, *b); }
  const std::size_t before = live_bytes;
  auto channels = connect(*a, *b);
  const std::size_t after_handshake = live_bytes - before;
  for (int i = 0; i < 3; ++i) {
    const Bytes data(50'000, 1);
    ASSERT_EQ(open_all(channels.server.transport, sealed(channels.client.transport, data)), data);
    ASSERT_EQ(open_all(channels.client.transport, sealed(channels.server.transport, data)), data);
  }
  const std::size_t idle = live_bytes - before;
  RecordProperty("bytes_per_end", static_cast<int>(idle / 2));
  std::printf("an idle end holds %zu bytes in OpenSSL, %zu right after the handshake\n", idle / 2,
              after_handshake / 2);
  EXPECT_LE(idle, after_handshake + 1024) << "nothing of the data stays";
  EXPECT_LT(idle / 2, 24'000u);
}

TEST(TlsMemory, EverythingIsGivenBack) {
  const auto a = identity(1);
  const auto b = identity(2);
  { auto warm_up = connect(*a, *b); }
  const std::size_t before = live_bytes;
  for (int i = 0; i < 5; ++i) {
    auto channels = connect(*a, *b);
    Handshake half(Role::server, *b, with_yamux(), kStart);
    Handshake client(Role::client, *a, with_yamux(), kStart);
    ASSERT_TRUE(half.receive(drain(client), kStart.mono));
  }
  EXPECT_EQ(live_bytes, before);
}

// A peer that announces a record of 12 KiB and sends none costs no memory for it.
TEST(TlsMemory, ServerAllocatesForBytesThatArrivedOnly) {
  const auto b = identity(2);
  const std::size_t before = live_bytes;
  Handshake server(Role::server, *b, with_yamux(), kStart);
  ASSERT_TRUE(server.receive(testkit::hex("1603013000"), kStart.mono));
  EXPECT_EQ(live_bytes, before);
}

}  // namespace
}  // namespace starling::tls
