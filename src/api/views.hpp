#pragma once
// The JSON shapes that scripts rely on (docs/cli.md), made in one place for CLI and control API.
#include <boost/json.hpp>

#include "api/service.hpp"

namespace starling::api {

boost::json::object view_of(const node::FoundPresence& found, Duration took);
boost::json::object view_of(const SendOutcome& outcome);
boost::json::object view_of(const home::InboxEntry& entry);
boost::json::object view_of(const agent::CheckedPresence& presence);
boost::json::object view_of(const PeerView& peer);
boost::json::object view_of(const StatusView& status);
boost::json::object view_of(const node::agent_event::Status& status);
/// `{"error":{code, kind, message, hint}}`. `what` is put before the message when it says more than the error
/// knows.
boost::json::object view_of(const Error& error, std::string_view what = {});

std::vector<std::string> texts_of(const std::vector<Bytes>& addresses);
std::string base64(ByteView bytes);

/// The stable code that people quote, `ST-301`: three hundreds are the node's.
std::string code_of(const Error& error);
/// What to do next; empty when there is nothing better than the message.
std::string_view hint_of(const Error& error) noexcept;
/// Exit code of a program for a kind of error: 1 is never used, 2 is wrong usage.
int exit_code(Kind kind) noexcept;
/// HTTP status for a kind of error.
unsigned http_status(Kind kind) noexcept;

}  // namespace starling::api
