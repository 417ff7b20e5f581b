// A wire between two network namespaces that is as long as asked: every packet that goes into the device at
// one end comes out of the other one a while later. It stands in for `tc netem` in `./x bench wire` where the
// kernel has none.
//
// usage: starling-far-line PID PID DELAY_MICROSECONDS GBIT_PER_SECOND
//
// The processes name the namespaces. Each gets a TUN device `far`, through which the kernel passes whole
// segments of up to 64 KiB, so that the wire costs little beside what is measured. Says `ready` when both
// devices are there, and ends with its standard input; the devices end with it.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPacketBytesMax =
    65'536 + 64;                              // the largest segment, and what the kernel says about it
constexpr std::size_t kReadsPerTurnMax = 32;  // so that a full device does not hold up what is due
constexpr Clock::duration kBacklogMax =
    std::chrono::milliseconds(100);  // before the bottleneck; then packets are lost

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int device_in(const char* pid) {
  const int place = ::open(("/proc/" + std::string(pid) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
  if (place < 0 || ::setns(place, CLONE_NEWNET) != 0) die("namespace");
  ::close(place);
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) die("/dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, "far", IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(fd, TUNSETIFF, &request) != 0) die("TUNSETIFF");
  if (::ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0) die("TUNSETOFFLOAD");
  return fd;
}

struct Packet {
  Clock::time_point due;
  std::size_t size = 0;
  std::vector<char> bytes;
};

/// One way. Packets leave in the order in which they came, so the first one is always due first.
class Way {
 public:
  Way(int from, int to, Clock::duration delay, double gbps)
      : from_(from), to_(to), delay_(delay), nanoseconds_per_byte_(8 / gbps) {}

  int from() const { return from_; }
  bool waits() const { return !under_way_.empty(); }
  Clock::time_point due() const { return under_way_.front().due; }

  void take() {
    for (std::size_t i = 0; i < kReadsPerTurnMax; ++i) {
      Packet packet = fresh();
      const ssize_t size = ::read(from_, packet.bytes.data(), packet.bytes.size());
      if (size < 0 && errno != EAGAIN && errno != EINTR) die("read");
      const Clock::time_point now = Clock::now();
      if (size <= 0 || free_at_ > now + kBacklogMax) {
        spare_.push_back(std::move(packet.bytes));
        if (size <= 0) return;
        continue;  // lost
      }
      packet.size = static_cast<std::size_t>(size);
      free_at_ =
          std::max(free_at_, now) +
          std::chrono::nanoseconds(static_cast<long>(nanoseconds_per_byte_ * static_cast<double>(size)));
      packet.due = free_at_ + delay_;
      under_way_.push_back(std::move(packet));
    }
  }

  void deliver(Clock::time_point now) {
    while (waits() && due() <= now) {
      Packet packet = std::move(under_way_.front());
      under_way_.pop_front();
      // A device that is not up yet takes nothing: on a wire that is a lost packet.
      if (::write(to_, packet.bytes.data(), packet.size) < 0 && errno != EIO && errno != EAGAIN) die("write");
      spare_.push_back(std::move(packet.bytes));
    }
  }

 private:
  Packet fresh() {
    Packet packet;
    if (spare_.empty()) {
      packet.bytes.resize(kPacketBytesMax);
    } else {
      packet.bytes = std::move(spare_.back());
      spare_.pop_back();
    }
    return packet;
  }

  int from_;
  int to_;
  Clock::duration delay_;
  double nanoseconds_per_byte_;
  Clock::time_point free_at_{};  // when the bottleneck has sent all that came
  std::deque<Packet> under_way_;
  std::vector<std::vector<char>> spare_;
};

void carry(std::array<Way, 2>& ways) {
  while (true) {
    Clock::duration sleep = std::chrono::seconds(1);
    const Clock::time_point now = Clock::now();
    for (const Way& way : ways) {
      if (way.waits()) sleep = std::min(sleep, std::max(way.due() - now, Clock::duration::zero()));
    }
    std::array<pollfd, 3> wanted{
        {{ways[0].from(), POLLIN, 0}, {ways[1].from(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(sleep).count();
    const timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    if (::ppoll(wanted.data(), wanted.size(), &timeout, nullptr) < 0 && errno != EINTR) die("poll");
    if (wanted[2].revents != 0) return;
    for (std::size_t i = 0; i < ways.size(); ++i) {
      ways[i].deliver(Clock::now());
      if (wanted[i].revents != 0) ways[i].take();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const long delay = argc == 5 ? std::strtol(argv[3], nullptr, 10) : 0;
  const double gbps = argc == 5 ? std::strtod(argv[4], nullptr) : 0;
  if (delay <= 0 || gbps <= 0) {
    std::fputs("usage: starling-far-line PID PID DELAY_MICROSECONDS GBIT_PER_SECOND\n", stderr);
    return 2;
  }
  ::prctl(PR_SET_TIMERSLACK, 1'000);  // nanoseconds; the usual 50 µs would be part of every way
  const int home = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  const int first = device_in(argv[1]);
  if (home < 0 || ::setns(home, CLONE_NEWNET) != 0) die("namespace");
  const int second = device_in(argv[2]);
  const auto one_way = std::chrono::microseconds(delay);
  std::array<Way, 2> ways{Way{first, second, one_way, gbps}, Way{second, first, one_way, gbps}};
  std::puts("ready");
  std::fflush(stdout);
  carry(ways);
  return 0;
}
