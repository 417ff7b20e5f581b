#pragma once
#include <cstdint>
#include <map>
#include <string>

namespace starling::daemon {

/// Gossip messages that a daemon received and did not pass on.
struct Drops {
  /// Came faster than the control thread takes them: lost for every subscriber.
  std::uint64_t on_the_way = 0;
  /// Lost for one subscriber who did not read, once for each such subscriber; by topic.
  std::map<std::string, std::uint64_t> unread;
  /// The same for topics beyond kDropTopicsMax.
  std::uint64_t unread_elsewhere = 0;

  bool operator==(const Drops&) const = default;
};

}  // namespace starling::daemon
