#include "base/env.hpp"

namespace starling {
namespace {

std::string key_of(std::string_view name, std::string_view label) {
  std::string key(name);
  if (!label.empty()) {
    key += '{';
    key += label;
    key += '}';
  }
  return key;
}

}  // namespace

std::uint64_t& Metrics::counter(std::string_view name, std::string_view label) {
  if (label.empty()) {
    if (const auto it = values_.find(name); it != values_.end()) return it->second;
  }
  return values_[key_of(name, label)];
}

std::uint64_t Metrics::value(std::string_view name, std::string_view label) const {
  const auto it = values_.find(key_of(name, label));
  return it == values_.end() ? 0 : it->second;
}

}  // namespace starling
