#pragma once
// The parts that the official tests give to a program.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "redis.hpp"
#include "starling/host.hpp"
#include "starling/wait.hpp"

namespace interop {

/// The value of an environment variable; nothing when it is missing or empty.
std::optional<std::string> variable(const char* name);
/// The first of `names` that is set; throws Failed that names the first of them.
std::string needed(std::initializer_list<const char*> names);
/// TEST_TIMEOUT_SECS, under either name; 180 s when not set.
std::chrono::seconds time_limit();

/// Options without what protects against strangers; listens on all interfaces when told to.
starling::HostOptions host_options(bool listening);
/// The listen address that somebody on another machine can dial; only with no other interface a loopback one.
std::string public_address(const starling::Host& host);
void start(starling::Host& host);

/// The value of an outcome; throws Failed with what was tried and why it failed.
template <class T>
T value_of(const char* what, starling::Outcome<T> outcome) {
  if (!outcome) throw Failed{std::string(what) + ": " + outcome.failure().message};
  if constexpr (!std::is_void_v<T>) return std::move(outcome).value();
}

/// Never returns: whoever started the program ends it, or the limit passes, which is a failure.
[[noreturn]] void stay(std::chrono::seconds limit);

// The programs; each throws Failed.
void run_transport();
void run_kad_dht();
void run_perf(const std::vector<std::string>& arguments);

}  // namespace interop
