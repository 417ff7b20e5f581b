// The validation pipeline of gossip alone: a frame as it comes from a stream is decoded, its id computed and
// looked up, the signature checked, the verdict given, and the message delivered. One JSON object on stdout,
// with the rate of bare signature checks of the same build beside it: the pipeline can at most be as fast as
// those.
//
// usage: starling-validation [MESSAGES [THREADS]]      of each thread; 20,000 and 1 by default
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "base/env.hpp"
#include "crypto/keys.hpp"
#include "proto/gossip/router.hpp"
#include "proto/gossip/rpc_codec.hpp"
#include "proto/gossip/strict_sign.hpp"

namespace {

using namespace starling;

constexpr std::size_t kPayloadBytes = 1024;
constexpr std::size_t kMessagesMax = 1'000'000;
constexpr std::size_t kThreadsMax = 64;
constexpr const char* kTopic = "bench";

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

gossip::Config config() {
  gossip::Config out;
  out.forwarder_rate_per_s = 1e9;
  out.forwarder_burst = 1e9;
  return out;
}

/// One thread's work: made before, and measured after.
class Pipeline {
 public:
  Pipeline(std::size_t count, std::uint64_t seed)
      : rng_(seed),
        env_{rng_, log_, metrics_},
        author_(crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng_)),
        forwarder_(PeerId::of(crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng_).public_key())),
        router_(*gossip::make_config(config()),
                PeerId::of(crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng_).public_key()),
                env_) {
    Bytes payload(kPayloadBytes);
    for (std::size_t i = 0; i < count; ++i) {
      rng_.fill(payload);
      gossip::Rpc rpc;
      rpc.messages.push_back(std::make_shared<const gossip::Message>(
          gossip::strict_sign::make_signed(author_, kTopic, Slice::copy(payload), i)));
      messages_.push_back(rpc.messages.front());
      Bytes frame;
      const auto encoded = gossip::encode(rpc);
      for (const Slice& part : encoded.front().parts)
        frame.insert(frame.end(), part.view().begin(), part.view().end());
      frames_.push_back(std::move(frame));
    }
    router_.on_peer(forwarder_, {}, now_);
    (void)router_.subscribe(kTopic, now_);
    while (router_.poll()) {
    }
  }

  /// Checks a second, and nothing else.
  double checks_rate() const {
    const auto began = std::chrono::steady_clock::now();
    for (const auto& message : messages_)
      if (!gossip::strict_sign::check(*message)) std::abort();
    return static_cast<double>(messages_.size()) / seconds_since(began);
  }

  double rate() {
    const auto began = std::chrono::steady_clock::now();
    std::size_t delivered = 0;
    for (const Bytes& frame : frames_) delivered += take(frame);
    const double out = static_cast<double>(frames_.size()) / seconds_since(began);
    if (delivered != frames_.size()) {
      std::fprintf(stderr, "delivered %zu of %zu\n", delivered, frames_.size());
      std::exit(1);
    }
    return out;
  }

 private:
  std::size_t take(ByteView frame) {
    // A heartbeat falls due now and then, as it would.
    now_ = now_ + std::chrono::microseconds(50);
    if (router_.deadline() <= now_) router_.on_deadline(now_);
    auto rpc = gossip::decode(without_length(frame));
    if (!rpc) return 0;
    router_.on_rpc(forwarder_, *std::move(rpc), now_);
    std::size_t delivered = 0;
    while (auto action = router_.poll()) {
      if (const auto* validate = std::get_if<gossip::Validate>(&*action)) {
        const bool good = gossip::strict_sign::check(*validate->message).has_value();
        router_.on_validated(validate->id, good ? gossip::Outcome::accept() : gossip::Outcome::forged(),
                             now_);
      } else if (std::holds_alternative<gossip::Deliver>(*action)) {
        ++delivered;
      }
    }
    return delivered;
  }
  static ByteView without_length(ByteView frame) {
    std::size_t length = 0;
    while ((frame[length] & 0x80U) != 0) ++length;
    return frame.subspan(length + 1);
  }

  SeededRng rng_;
  NullLog log_;
  Metrics metrics_;
  Env env_;
  crypto::PrivateKey author_;
  PeerId forwarder_;
  gossip::Router router_;
  Instant now_ = Instant::from_ns(1);
  std::vector<gossip::MessagePtr> messages_;
  std::vector<Bytes> frames_;
};

/// The rates of all pipelines at the same time, added up.
template <class Rate>
double together(std::vector<std::unique_ptr<Pipeline>>& pipelines, Rate rate) {
  std::vector<double> rates(pipelines.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < pipelines.size(); ++i)
    threads.emplace_back([&, i] { rates[i] = rate(*pipelines[i]); });
  for (auto& thread : threads) thread.join();
  double sum = 0;
  for (const double one : rates) sum += one;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20'000;
  const std::size_t threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  if (count == 0 || count > kMessagesMax || threads == 0 || threads > kThreadsMax) {
    std::fputs("usage: starling-validation [MESSAGES [THREADS]]\n", stderr);
    return 2;
  }
  std::vector<std::unique_ptr<Pipeline>> pipelines;
  for (std::size_t i = 0; i < threads; ++i) pipelines.push_back(std::make_unique<Pipeline>(count, i + 1));
  const double checks = together(pipelines, [](Pipeline& one) { return one.checks_rate(); });
  const double messages = together(pipelines, [](Pipeline& one) { return one.rate(); });
  std::printf("{\"threads\": %zu, \"messages_per_s\": %.0f, \"checks_per_s\": %.0f, \"share\": %.3f}\n",
              threads, messages, checks, messages / checks);
  return 0;
}
