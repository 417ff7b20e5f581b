#include "participant.hpp"

#include <cstdlib>
#include <thread>

namespace interop {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread is started
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::string needed(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto value = variable(name)) return *std::move(value);
  throw Failed{std::string("the environment lacks ") + *names.begin()};
}

std::chrono::seconds time_limit() {
  constexpr std::chrono::seconds kUsual{180};
  for (const char* name : {"TEST_TIMEOUT_SECS", "test_timeout_seconds"}) {
    const auto text = variable(name);
    if (!text) continue;
    char* end = nullptr;
    const long seconds = std::strtol(text->c_str(), &end, 10);
    if (*end != '\0' || seconds <= 0 || seconds > 24L * 3600)
      throw Failed{std::string(name) + " is no number of seconds: " + *text};
    return std::chrono::seconds(seconds);
  }
  return kUsual;
}

starling::HostOptions host_options(bool listening) {
  starling::HostOptions options;
  options.key.type = starling::HostKey::Type::ed25519;
  if (listening) options.listen = {"/ip4/0.0.0.0/tcp/0"};
  options.protection = starling::HostOptions::Protection::off;
  if (variable("DEBUG").value_or("false") == "true") options.log_level = "debug";
  return options;
}

std::string public_address(const starling::Host& host) {
  if (host.addresses().empty()) throw Failed{"no interface is up"};
  return host.addresses().front();
}

void start(starling::Host& host) { value_of("start", host.start()); }

void stay(std::chrono::seconds limit) {
  std::this_thread::sleep_for(limit);
  throw Failed{"the time is up"};
}

}  // namespace interop
