#pragma once
#include <chrono>

#include "daemon/desk.hpp"
#include "daemon/messages.hpp"
#include "daemon/reply.hpp"

namespace starling::daemon {

/// Has the host do what a request asks for, and answers it; on the loop's thread.
void run(Desk& desk, Request request, const Reply& reply);
/// The part of it that is about the DHT.
void run_dht(Desk& desk, const DhtRequest& request, const Reply& reply);
/// How long a request may take: as long as it says, within kRequestTimeMax; `otherwise` when it says nothing.
std::chrono::milliseconds time_of(const Request& request, std::chrono::milliseconds otherwise);

/// For requests that lack what they need, in the words of go's daemon.
inline constexpr const char* kMissingParameters = "Malformed request; missing parameters";

}  // namespace starling::daemon
