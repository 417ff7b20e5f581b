#pragma once
// The few words of Redis that the official tests use to tell their programs about each other.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace interop {

/// What went wrong, for a person; ends the program.
struct Failed {
  std::string what;
};

/// One blocking connection to a Redis. Everything throws Failed, also when `limit` passes without an answer.
class Redis {
 public:
  /// `address` is host:port; without a port 6379.
  Redis(std::string_view address, std::chrono::seconds limit);
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;
  ~Redis();

  void ping() { ask({"PING"}); }
  void del(std::string_view key) { ask({"DEL", std::string(key)}); }
  void set(std::string_view key, std::string_view value) {
    ask({"SET", std::string(key), std::string(value)});
  }
  std::optional<std::string> get(std::string_view key) { return ask({"GET", std::string(key)}); }
  void push(std::string_view key, std::string_view value) {
    ask({"RPUSH", std::string(key), std::string(value)});
  }
  /// The first of a list, waited for.
  std::string pop(std::string_view key);
  /// A value that somebody sets some time.
  std::string wait_for(std::string_view key);

 private:
  std::optional<std::string> ask(const std::vector<std::string>& words);
  std::optional<std::string> answer(std::size_t depth);
  std::string line();
  std::string exactly(std::size_t count);
  void fill();

  int fd_ = -1;
  std::chrono::seconds limit_;
  std::string received_;
};

}  // namespace interop
