#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "starling/outcome.hpp"

namespace starling::cli {

/// Command-line flags as programs in Go read them: `-name=value`, `-name value`, `-name` alone for a switch,
/// with one dash or two; they end at the first argument without a dash, or at `--`. For verbs that stand in
/// for such a program.
class GoFlags {
 public:
  enum class Type : std::uint8_t { text, toggle, number, duration };

  void add(std::string name, Type type, std::string value, std::string help);
  /// Says what is wrong, and with which flag.
  starling::Outcome<void> parse(const std::vector<std::string>& arguments);

  const std::string& text(const std::string& name) const { return flags_.at(name).value; }
  bool on(const std::string& name) const { return flags_.at(name).value == "true"; }
  std::int64_t number(const std::string& name) const;
  std::chrono::nanoseconds duration(const std::string& name) const;
  /// Whether it stood on the command line.
  bool given(const std::string& name) const { return given_.contains(name); }
  bool wants_help() const noexcept { return wants_help_; }
  /// One flag after the other, with what it is without being given.
  std::string help() const;

  /// `1h2m3.5s`, `100ms`, `0`: as time.ParseDuration() reads it.
  static std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

 private:
  struct Flag {
    Type type;
    std::string value;
    std::string help;
  };
  starling::Outcome<void> set(const std::string& name, const std::string& value);

  std::map<std::string, Flag> flags_;
  std::set<std::string> given_;
  bool wants_help_ = false;
};

}  // namespace starling::cli
