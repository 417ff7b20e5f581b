#pragma once
// What a machine may use of the outside world, handed in by reference: randomness, a log sink, counters.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/rng.hpp"

namespace starling {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };

/// A sink for log lines. The driver decides where they go; machines only ask whether a level is wanted.
class Log {
 public:
  virtual ~Log() = default;
  virtual bool enabled(LogLevel level) const noexcept = 0;
  /// `module` is the folder's name (`kad`, `gossip`); `text` is one line without a newline.
  virtual void write(LogLevel level, std::string_view module, std::string_view text) = 0;
};

/// Drops everything.
class NullLog final : public Log {
 public:
  bool enabled(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// Named counters and gauges of one shard or simulated node. Ordered, so that exposition is deterministic.
/// Names follow `module_what_unit`; a label is a whole `key="value"` list or empty. Names come from code,
/// never from a peer, which bounds the map.
class Metrics {
 public:
  /// A counter stays at its address for the life of the registry: look it up once, increment often.
  std::uint64_t& counter(std::string_view name, std::string_view label = {});
  void add(std::string_view name, std::uint64_t amount = 1) { counter(name) += amount; }
  void add(std::string_view name, std::string_view label, std::uint64_t amount = 1) {
    counter(name, label) += amount;
  }
  void set(std::string_view name, std::uint64_t value) { counter(name) = value; }
  std::uint64_t value(std::string_view name, std::string_view label = {}) const;
  /// Key is `name` or `name{label}`.
  const std::map<std::string, std::uint64_t, std::less<>>& all() const noexcept { return values_; }

 private:
  std::map<std::string, std::uint64_t, std::less<>> values_;
};

/// One per shard or simulated node; outlives every machine that holds a reference to it.
struct Env {
  Rng& rng;
  Log& log;
  Metrics& metrics;
};

}  // namespace starling
