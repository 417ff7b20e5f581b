#include "drop_report.hpp"

#include <fmt/format.h>

namespace starling::cli {

std::optional<std::string> drop_report(const daemon::Drops& now, const daemon::Drops& before) {
  const std::uint64_t on_the_way = now.on_the_way - before.on_the_way;
  std::uint64_t unread = now.unread_elsewhere - before.unread_elsewhere;
  std::uint64_t most = 0;
  std::string_view worst;
  for (const auto& [topic, count] : now.unread) {
    const auto known = before.unread.find(topic);
    const std::uint64_t more = count - (known == before.unread.end() ? 0 : known->second);
    if (more == 0) continue;
    unread += more;
    if (more <= most) continue;
    most = more;
    worst = topic;
  }
  if (unread == 0 && on_the_way == 0) return std::nullopt;
  std::string report = "gossip messages dropped:";
  if (unread > 0) report += fmt::format(" {} for subscribers that do not read", unread);
  if (most == unread && most > 0) report += fmt::format(" topic {:?}", worst);
  if (most < unread && most > 0) report += fmt::format(", of these {} of topic {:?}", most, worst);
  if (unread > 0 && on_the_way > 0) report += ";";
  if (on_the_way > 0)
    report += fmt::format(" {} for every subscriber, because they came too fast", on_the_way);
  return report;
}

}  // namespace starling::cli
