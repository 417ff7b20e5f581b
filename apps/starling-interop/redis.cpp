#include "redis.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

namespace interop {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;
constexpr std::size_t kNestingMax = 2;
constexpr std::chrono::milliseconds kPollInterval{50};

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Failed{"Redis answered something that is no number: " + std::string(text)};
  return value;
}

}  // namespace

Redis::Redis(std::string_view address, std::chrono::seconds limit) : limit_(limit) {
  const auto colon = address.rfind(':');
  const std::string host(address.substr(0, colon));
  const std::string port(colon == std::string_view::npos ? "6379" : address.substr(colon + 1));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &raw); error != 0)
    throw Failed{"no address of Redis at " + std::string(address) + ": " + ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, &::freeaddrinfo);
  for (const addrinfo* entry = raw; entry != nullptr && fd_ < 0; entry = entry->ai_next) {
    fd_ = ::socket(entry->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ >= 0 && ::connect(fd_, entry->ai_addr, entry->ai_addrlen) != 0) ::close(std::exchange(fd_, -1));
  }
  if (fd_ < 0) throw Failed{"no Redis at " + std::string(address) + ": " + std::strerror(errno)};
  timeval time{};
  time.tv_sec = limit.count() + 1;  // Redis's own limit comes first
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

Redis::~Redis() {
  if (fd_ >= 0) ::close(fd_);
}

void Redis::fill() {
  std::array<char, 4096> part{};
  const ssize_t count = ::recv(fd_, part.data(), part.size(), 0);
  if (count < 0 && errno == EINTR) return;
  if (count == 0) throw Failed{"Redis closed the connection"};
  if (count < 0) throw Failed{std::string("no answer of Redis: ") + std::strerror(errno)};
  received_.append(part.data(), static_cast<std::size_t>(count));
  if (received_.size() > kAnswerBytesMax) throw Failed{"an answer of Redis is too long"};
}

std::string Redis::line() {
  std::size_t end = 0;
  while ((end = received_.find("\r\n")) == std::string::npos) fill();
  std::string out = received_.substr(0, end);
  received_.erase(0, end + 2);
  return out;
}

std::string Redis::exactly(std::size_t count) {
  while (received_.size() < count + 2) fill();
  std::string out = received_.substr(0, count);
  received_.erase(0, count + 2);
  return out;
}

/// Of a list, its last entry.
std::optional<std::string> Redis::answer(std::size_t depth) {
  const std::string head = line();
  if (head.empty()) throw Failed{"Redis answered nothing"};
  const std::string_view rest = std::string_view(head).substr(1);
  switch (head.front()) {
    case '+':
    case ':': return std::string(rest);
    case '-': throw Failed{"Redis refused: " + std::string(rest)};
    case '$': {
      const std::int64_t size = number(rest);
      if (size < 0) return std::nullopt;
      if (static_cast<std::uint64_t>(size) > kAnswerBytesMax) throw Failed{"an answer of Redis is too long"};
      return exactly(static_cast<std::size_t>(size));
    }
    case '*': {
      const std::int64_t count = number(rest);
      if (depth == kNestingMax) throw Failed{"Redis answered a list that is too deep"};
      std::optional<std::string> last;
      for (std::int64_t i = 0; i < count; ++i) last = answer(depth + 1);
      return last;
    }
    default: throw Failed{"Redis answered something unknown: " + head};
  }
}

std::optional<std::string> Redis::ask(const std::vector<std::string>& words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t count = ::send(fd_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) throw Failed{std::string("Redis is gone: ") + std::strerror(errno)};
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  return answer(0);
}

std::string Redis::pop(std::string_view key) {
  const auto value = ask({"BLPOP", std::string(key), std::to_string(limit_.count())});
  if (!value) throw Failed{"nobody pushed " + std::string(key) + " in time"};
  return *value;
}

std::string Redis::wait_for(std::string_view key) {
  const auto end = std::chrono::steady_clock::now() + limit_;
  while (std::chrono::steady_clock::now() < end) {
    if (auto value = get(key)) return *std::move(value);
    std::this_thread::sleep_for(kPollInterval);
  }
  throw Failed{"nobody set " + std::string(key) + " in time"};
}

}  // namespace interop
