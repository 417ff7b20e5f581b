#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "daemon/control_loop.hpp"
#include "starling/host.hpp"

namespace starling::daemon {

/// Who is subscribed to which topic. The host is subscribed as long as anybody here is; every client gets
/// each message once per subscription, encoded once for all of them, those that this daemon publishes
/// included.
///
/// On the loop's thread, but for tell(). Limits: kSubscriptionsMax, kMessagesOnTheWayMax.
class Subscriptions {
 public:
  using Frame = std::shared_ptr<const std::vector<std::uint8_t>>;
  using Deliver = std::function<void(const Frame&)>;
  using Id = std::uint64_t;

  Subscriptions(ControlLoop& loop, Host& host) : loop_(loop), host_(host) {}
  /// `deliver` gets messages until remove(), `done` whether the host is subscribed, on any thread.
  /// Errc::too_many_subscriptions, and then neither is called.
  Result<Id> add(const std::string& topic, Deliver deliver, Host::Done<void> done);
  /// No-op for an unknown id.
  void remove(Id id);
  /// A message of the host, on the host's thread.
  void tell(const Message& message);

 private:
  void deliver(const Message& message);

  ControlLoop& loop_;
  Host& host_;
  std::map<std::string, std::map<Id, Deliver>, std::less<>> topics_;
  std::map<Id, std::string> subscriptions_;
  Id next_id_ = 1;
  std::atomic<std::size_t> on_the_way_ = 0;
};

}  // namespace starling::daemon
