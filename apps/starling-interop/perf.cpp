// "perf": real transfers of /perf/1.0.0, one process a connection.
#include "starling/perf.hpp"

#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "participant.hpp"

namespace interop {
namespace {

constexpr std::chrono::hours kRunLimit{24};

struct Flags {
  bool serves = false;
  std::string address;
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

std::uint64_t count_of(const std::string& flag, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw Failed{flag + " is no number: " + text};
  return value;
}

/// `--flag value` and `--flag=value`; --run-server stands alone or with true or false.
Flags read_flags(const std::vector<std::string>& arguments) {
  Flags out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string name = arguments[i];
    std::optional<std::string> value;
    if (const auto equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < arguments.size() && !arguments[i + 1].starts_with("--")) {
      value = arguments[++i];
    }
    if (name == "--run-server")
      out.serves = value.value_or("true") == "true";
    else if (!value)
      throw Failed{name + " needs a value"};
    else if (name == "--server-address")
      out.address = *value;
    else if (name == "--upload-bytes")
      out.up = count_of(name, *value);
    else if (name == "--download-bytes")
      out.down = count_of(name, *value);
    else if (name != "--transport")
      throw Failed{"unknown flag " + name};
    else if (*value != "tcp")
      throw Failed{"the transport " + *value + " is not spoken, only tcp"};
  }
  if (out.address.empty()) throw Failed{"--server-address is needed"};
  return out;
}

/// host:port as a multiaddr.
std::string multiaddr(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) throw Failed{"--server-address is no host:port: " + address};
  std::string host = address.substr(0, colon);
  const std::string port = address.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return "/ip6/" + host.substr(1, host.size() - 2) + "/tcp/" + port;
  const bool is_ip4 = host.find_first_not_of("0123456789.") == std::string::npos;
  return (is_ip4 ? "/ip4/" : "/dns/") + host + "/tcp/" + port;
}

/// The programs of other stacks expect this server to have the key of the all-zero seed.
void serve(const Flags& flags) {
  starling::HostOptions options = host_options(false);
  options.key.secret.assign(32, 0);
  options.listen = {multiaddr(flags.address)};
  starling::Host host(std::move(options));
  starling::serve_perf(host);
  start(host);
  std::fprintf(stderr, "serving on %s\n", public_address(host).c_str());
  stay(kRunLimit);
}

/// Prints what was carried: once a second, and all of it at the end.
class Report {
 public:
  void add(const starling::PerfProgress& progress) {
    const std::lock_guard lock(mutex_);
    now_ = progress;
  }
  void end(starling::Outcome<starling::PerfProgress> outcome) {
    const std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    ended_.notify_all();
  }
  void print_until_the_end() {
    using Clock = std::chrono::steady_clock;
    const auto began = began_;
    auto last = Clock::now();
    starling::PerfProgress told;
    std::unique_lock lock(mutex_);
    while (
        !ended_.wait_until(lock, last + std::chrono::seconds(1), [this] { return outcome_.has_value(); })) {
      const auto now = Clock::now();
      line("intermediary", now - last, now_.sent_bytes - told.sent_bytes,
           now_.received_bytes - told.received_bytes);
      told = now_;
      last = now;
    }
    const auto total = value_of("perf", *outcome_);
    line("final", Clock::now() - began, total.sent_bytes, total.received_bytes);
  }

 private:
  static void line(const char* type, std::chrono::duration<double> time, std::uint64_t up,
                   std::uint64_t down) {
    std::printf("{\"type\":\"%s\",\"timeSeconds\":%.6f,\"uploadBytes\":%llu,\"downloadBytes\":%llu}\n", type,
                time.count(), static_cast<unsigned long long>(up), static_cast<unsigned long long>(down));
    std::fflush(stdout);
  }

  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable ended_;
  starling::PerfProgress now_;
  std::optional<starling::Outcome<starling::PerfProgress>> outcome_;
};

void measure(const Flags& flags) {
  starling::Host host(host_options(false));
  start(host);
  const auto report = std::make_shared<Report>();
  const auto peer =
      value_of("connect",
               starling::wait<std::string>([&](auto done) { host.connect(multiaddr(flags.address), done); }));
  const auto connection = value_of(
      "connection", starling::wait<starling::Connection>([&](auto done) { host.connection(peer, done); }));
  starling::measure_perf(
      connection, flags.up, flags.down, [report](const starling::PerfProgress& now) { report->add(now); },
      [report](starling::Outcome<starling::PerfProgress> outcome) { report->end(std::move(outcome)); });
  report->print_until_the_end();
}

}  // namespace

void run_perf(const std::vector<std::string>& arguments) {
  const Flags flags = read_flags(arguments);
  return flags.serves ? serve(flags) : measure(flags);
}

}  // namespace interop
