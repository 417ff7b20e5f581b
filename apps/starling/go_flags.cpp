#include "go_flags.hpp"

#include <charconv>
#include <optional>

namespace starling::cli {
namespace {

std::optional<bool> parse_toggle(std::string_view text) {
  for (const auto* yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == yes) return true;
  for (const auto* no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no) return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Nanoseconds of the unit in front, which is taken off.
std::optional<double> take_unit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    double nanoseconds;
  };
  static constexpr Unit kUnits[] = {{"ns", 1},  {"us", 1e3}, {"µs", 1e3},  {"ms", 1e6},
                                    {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  for (const auto& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.nanoseconds;
  }
  return std::nullopt;
}

starling::Failure bad_flag(std::string message) { return {"malformed", "cli/flag", std::move(message)}; }

}  // namespace

std::optional<std::chrono::nanoseconds> GoFlags::parse_duration(std::string_view text) {
  constexpr double kMost = 9223372036854774784.0;  // the largest that int64 holds too
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double count = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
    if (error != std::errc() || count < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto unit = take_unit(text);
    if (!unit) return std::nullopt;
    total += count * *unit;
  }
  if (!(total <= kMost)) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

void GoFlags::add(std::string name, Type type, std::string value, std::string help) {
  flags_.insert_or_assign(std::move(name), Flag{type, std::move(value), std::move(help)});
}

starling::Outcome<void> GoFlags::parse(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.size() < 2 || argument.front() != '-' || argument == "--") return {};
    std::string name = argument.substr(argument[1] == '-' ? 2 : 1);
    std::optional<std::string> value;
    if (const auto equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    if (name == "h" || name == "help") {
      wants_help_ = true;
      return {};
    }
    const auto flag = flags_.find(name);
    if (flag == flags_.end()) return bad_flag("flag provided but not defined: -" + name);
    if (!value && flag->second.type == Type::toggle) value = "true";
    if (!value && i + 1 == arguments.size()) return bad_flag("flag needs an argument: -" + name);
    if (!value) value = arguments[++i];
    if (auto taken = set(name, *value); !taken) return taken;
  }
  return {};
}

starling::Outcome<void> GoFlags::set(const std::string& name, const std::string& value) {
  Flag& flag = flags_.at(name);
  const auto invalid = [&] { return bad_flag("invalid value \"" + value + "\" for flag -" + name); };
  if (flag.type == Type::toggle) {
    const auto on = parse_toggle(value);
    if (!on) return invalid();
    flag.value = *on ? "true" : "false";
  } else {
    if (flag.type == Type::number && !parse_number(value)) return invalid();
    if (flag.type == Type::duration && !parse_duration(value)) return invalid();
    flag.value = value;
  }
  given_.insert(name);
  return {};
}

std::int64_t GoFlags::number(const std::string& name) const { return *parse_number(text(name)); }
std::chrono::nanoseconds GoFlags::duration(const std::string& name) const {
  return *parse_duration(text(name));
}

std::string GoFlags::help() const {
  std::string out;
  for (const auto& [name, flag] : flags_) {
    out += "  -" + name;
    if (flag.type == Type::text) out += " string";
    if (flag.type == Type::number) out += " int";
    if (flag.type == Type::duration) out += " duration";
    out += "\n    \t" + flag.help;
    const bool plain = flag.value.empty() || flag.value == "false" || flag.value == "0";
    if (!plain) out += " (default " + flag.value + ")";
    out += "\n";
  }
  return out;
}

}  // namespace starling::cli
