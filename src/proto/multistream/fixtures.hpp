#pragma once
// What the tests of this folder share.
#include <gtest/gtest.h>

#include <set>

#include "multistream/initiator.hpp"
#include "multistream/listener.hpp"
#include "testkit/testkit.hpp"

namespace starling::multistream {

inline constexpr Instant kStart = Instant::from_ns(1'000'000'000);

class Known final : public Protocols {
 public:
  explicit Known(std::set<std::string, std::less<>> names) : names_(std::move(names)) {}
  bool supports(std::string_view protocol) const override { return names_.contains(protocol); }

 private:
  std::set<std::string, std::less<>> names_;
};

/// Messages as they stand on the wire.
inline Bytes wire(std::initializer_list<std::string_view> texts) {
  Bytes out;
  for (const auto text : texts) put_message(out, text);
  return out;
}

/// Everything that a machine wants to send, marked as sent.
template <class Machine>
Bytes drain(Machine& machine) {
  Bytes out = to_bytes(machine.to_send());
  machine.sent(out.size());
  return out;
}

}  // namespace starling::multistream
