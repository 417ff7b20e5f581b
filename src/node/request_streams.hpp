#pragma once
#include <memory>

#include "node/stream_handler.hpp"

namespace starling::node {

/// Reads DHT requests, tells up::KadAsked, takes down::AnswerKad.
std::unique_ptr<StreamHandler> make_kad_answerer(Instant now);
/// Reads wallets, tells up::PresenceAsked, takes down::AnswerPresence; in order.
std::unique_ptr<StreamHandler> make_presence_answerer(Instant now);

}  // namespace starling::node
