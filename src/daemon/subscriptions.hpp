#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "daemon/control_loop.hpp"
#include "daemon/drops.hpp"
#include "daemon/limits.hpp"
#include "starling/host.hpp"

namespace starling::daemon {

/// Who is subscribed to which topic. The host is subscribed as long as anybody here is; every client gets
/// each message once per subscription, encoded once for all of them, those that this daemon publishes
/// included.
///
/// On the loop's thread, but for tell() and drops(). Limits: Limits::subscriptions, ::messages_on_the_way,
/// kDropTopicsMax.
class Subscriptions {
 public:
  using Frame = std::shared_ptr<const std::vector<std::uint8_t>>;
  /// False when the subscriber has no room for it.
  using Deliver = std::function<bool(const Frame&)>;
  using Id = std::uint64_t;

  Subscriptions(ControlLoop& loop, Host& host, const Limits& limits)
      : loop_(loop), host_(host), limits_(limits) {}
  /// `deliver` gets messages until remove(), `done` whether the host is subscribed, on any thread.
  /// Errc::too_many_subscriptions, and then neither is called.
  Result<Id> add(const std::string& topic, Deliver deliver, Host::Done<void> done);
  /// No-op for an unknown id.
  void remove(Id id);
  /// A message of the host, on the host's thread.
  void tell(const Message& message);
  /// On any thread.
  Drops drops() const;

 private:
  void deliver(const Message& message);
  void count_unread(const std::string& topic, std::size_t subscribers);

  ControlLoop& loop_;
  Host& host_;
  const Limits& limits_;
  std::map<std::string, std::map<Id, Deliver>, std::less<>> topics_;
  std::map<Id, std::string> subscriptions_;
  Id next_id_ = 1;
  std::atomic<std::size_t> on_the_way_ = 0;
  mutable std::mutex drops_mutex_;
  Drops drops_;
};

}  // namespace starling::daemon
