// What this machine can do at all, measured by the smallest programs that do it with the fastest library of
// the system: the limits against which `./x bench wire` holds every stack. One JSON object on stdout.
//
// usage: starling-limits [SECONDS]      how long each is measured; 1 by default
#include <cryptopp/donna.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sched.h>
#include <secp256k1.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kRecordBytes = 65519;  // the largest plaintext of a Noise record
constexpr std::size_t kBlockBytes = 128 * 1024;
constexpr std::size_t kMessageBytes = 64;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void must(bool good, const char* what) {
  if (!good) die(what);
}

void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  sched_setaffinity(0, sizeof set, &set);  // with one core, both are there
}

/// Calls a second of `work`.
template <class Work>
double rate(double seconds, Work work) {
  work();
  const auto began = Clock::now();
  std::size_t count = 0;
  Seconds took{};
  do {
    for (int i = 0; i < 16; ++i) work();
    count += 16;
    took = Clock::now() - began;
  } while (took.count() < seconds);
  return static_cast<double>(count) / took.count();
}

/// Gbit/s of ChaCha20-Poly1305 seals of one record.
double seal_gbps(double seconds) {
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           &EVP_CIPHER_CTX_free);
  std::array<unsigned char, 32> key{};
  std::array<unsigned char, 12> nonce{};
  std::array<unsigned char, 16> tag{};
  std::vector<unsigned char> plain(kRecordBytes);
  std::vector<unsigned char> sealed(kRecordBytes);
  must(EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, key.data(), nonce.data()) == 1,
       "AEAD");
  return rate(seconds,
              [&] {
                ++nonce[4];
                int size = 0;
                EVP_EncryptInit_ex(context.get(), nullptr, nullptr, nullptr, nonce.data());
                EVP_EncryptUpdate(context.get(), sealed.data(), &size, plain.data(),
                                  static_cast<int>(plain.size()));
                EVP_EncryptFinal_ex(context.get(), sealed.data() + size, &size);
                EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag.size(), tag.data());
              }) *
         kRecordBytes * 8 / 1e9;
}

double x25519_rate(double seconds) {
  std::array<unsigned char, crypto_scalarmult_SCALARBYTES> secret{1};
  std::array<unsigned char, crypto_scalarmult_BYTES> point{};
  must(crypto_scalarmult_base(point.data(), secret.data()) == 0, "X25519");
  // What comes out goes in again, so that nothing can be left out.
  return rate(seconds,
              [&] { must(crypto_scalarmult(point.data(), secret.data(), point.data()) == 0, "X25519"); });
}

double ed25519_rate(double seconds) {
  std::array<unsigned char, 32> seed{1};
  std::array<unsigned char, 32> public_key{};
  std::array<unsigned char, 64> signature{};
  const std::array<unsigned char, kMessageBytes> message{};
  CryptoPP::Donna::ed25519_publickey(public_key.data(), seed.data());
  CryptoPP::Donna::ed25519_sign(message.data(), message.size(), seed.data(), public_key.data(),
                                signature.data());
  return rate(seconds, [&] {
    must(CryptoPP::Donna::ed25519_sign_open(message.data(), message.size(), public_key.data(),
                                            signature.data()) == 0,
         "Ed25519");
  });
}

double secp256k1_rate(double seconds) {
  const std::unique_ptr<secp256k1_context, void (*)(secp256k1_context*)> context(
      secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY),
      &secp256k1_context_destroy);
  std::array<unsigned char, 32> secret{};
  secret.fill(7);
  std::array<unsigned char, 32> digest{};
  digest.fill(9);
  secp256k1_pubkey key{};
  secp256k1_ecdsa_signature signature{};
  must(secp256k1_ec_pubkey_create(context.get(), &key, secret.data()) == 1 &&
           secp256k1_ecdsa_sign(context.get(), &signature, digest.data(), secret.data(), nullptr, nullptr) ==
               1,
       "secp256k1");
  return rate(seconds, [&] {
    must(secp256k1_ecdsa_verify(context.get(), &signature, digest.data(), &key) == 1, "secp256k1");
  });
}

/// Two processes, one a core, on a TCP connection over loopback. `child` ends with the process.
template <class Child, class Parent>
auto between_two(Child child, Parent parent) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  must(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener, 1) == 0 &&
           ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0,
       "listen");
  const int yes = 1;
  const pid_t other = ::fork();
  must(other >= 0, "fork");
  if (other == 0) {
    pin(1);
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    must(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    child(fd);
    std::_Exit(0);
  }
  pin(0);
  const int fd = ::accept(listener, nullptr, nullptr);
  must(fd >= 0, "accept");
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const auto result = parent(fd);
  ::close(fd);
  ::close(listener);
  ::waitpid(other, nullptr, 0);
  return result;
}

struct Stream {
  double gbps = 0;  ///< of both processes together, each on its core
  double write_gbps =
      0;  ///< what the writing one could do if it did nothing but write(): bytes by its own CPU time
};

double own_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

Stream tcp_stream(double seconds) {
  return between_two(
      [](int fd) {
        std::vector<char> block(kBlockBytes);
        while (::read(fd, block.data(), block.size()) > 0) {
        }
      },
      [seconds](int fd) {
        const std::vector<char> block(kBlockBytes);
        const auto began = Clock::now();
        const double busy = own_cpu_seconds();
        double bytes = 0;
        Seconds took{};
        do {
          const ssize_t count = ::write(fd, block.data(), block.size());
          must(count > 0, "write");
          bytes += static_cast<double>(count);
          took = Clock::now() - began;
        } while (took.count() < seconds);
        return Stream{bytes * 8 / 1e9 / took.count(), bytes * 8 / 1e9 / (own_cpu_seconds() - busy)};
      });
}

struct PingPong {
  double p50_us = 0;
  double p99_us = 0;
};

void exactly(int fd, char* bytes, std::size_t count) {
  for (std::size_t have = 0; have < count;) {
    const ssize_t got = ::read(fd, bytes + have, count - have);
    if (got <= 0) std::_Exit(0);
    have += static_cast<std::size_t>(got);
  }
}

PingPong ping_pong(double seconds) {
  return between_two(
      [](int fd) {
        std::array<char, kMessageBytes> message{};
        while (true) {
          exactly(fd, message.data(), message.size());
          if (::write(fd, message.data(), message.size()) <= 0) return;
        }
      },
      [seconds](int fd) {
        std::array<char, kMessageBytes> message{};
        std::vector<double> times;
        const auto began = Clock::now();
        while (Seconds(Clock::now() - began).count() < seconds) {
          const auto sent = Clock::now();
          must(::write(fd, message.data(), message.size()) > 0, "write");
          exactly(fd, message.data(), message.size());
          times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
        }
        std::sort(times.begin(), times.end());
        return PingPong{times[times.size() / 2], times[times.size() * 99 / 100]};
      });
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 1;
  if (seconds <= 0 || seconds > 60) {
    std::fputs("usage: starling-limits [SECONDS]\n", stderr);
    return 2;
  }
  must(sodium_init() >= 0, "libsodium");
  pin(0);
  const double aead = seal_gbps(seconds);
  const double x25519 = x25519_rate(seconds);
  const double ed25519 = ed25519_rate(seconds);
  const double secp256k1 = secp256k1_rate(seconds);
  const Stream stream = tcp_stream(seconds);
  const PingPong ping = ping_pong(seconds);
  std::printf(
      "{\"aead_gbps\": %.3f, \"x25519_per_s\": %.0f, \"ed25519_verify_per_s\": %.0f, "
      "\"secp256k1_verify_per_s\": %.0f, \"tcp_stream_gbps\": %.3f, \"tcp_write_gbps\": %.3f, "
      "\"ping_pong_p50_us\": %.2f, \"ping_pong_p99_us\": %.2f}\n",
      aead, x25519, ed25519, secp256k1, stream.gbps, stream.write_gbps, ping.p50_us, ping.p99_us);
  return 0;
}
