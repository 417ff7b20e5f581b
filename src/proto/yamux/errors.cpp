#include "proto/yamux/errors.hpp"

namespace starling::yamux {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::bad_version: return "frame of an unknown version";
    case Errc::bad_type: return "frame of an unknown type";
    case Errc::bad_stream_id: return "frame with a stream id that its type cannot have";
    case Errc::wrong_parity: return "the peer opened a stream with an id of ours";
    case Errc::duplicate_stream: return "the peer opened a stream that is open";
    case Errc::window_exceeded: return "the peer sent more than its window";
    case Errc::frame_too_large: return "frame body longer than any window";
    case Errc::credit_overflow: return "window updates sum past 2^32";
    case Errc::rapid_reset: return "the peer opens and abandons streams too fast";
    case Errc::control_backlog_full: return "the peer does not read the answers it causes";
    case Errc::keepalive_timeout: return "keep-alive ping unanswered";
    case Errc::too_many_streams: return "limit of outbound streams reached";
    case Errc::ack_backlog_full: return "too many streams wait for the peer's acknowledgement";
    case Errc::going_away: return "the connection takes no new streams";
    case Errc::stream_ids_exhausted: return "all stream ids of the connection are used";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"yamux", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::bad_version:
    case Errc::bad_type:
    case Errc::bad_stream_id: return Kind::malformed;
    case Errc::wrong_parity:
    case Errc::duplicate_stream:
    case Errc::window_exceeded:
    case Errc::frame_too_large:
    case Errc::credit_overflow:
    case Errc::rapid_reset:
    case Errc::control_backlog_full: return Kind::misbehaviour;
    case Errc::keepalive_timeout: return Kind::timeout;
    case Errc::too_many_streams:
    case Errc::ack_backlog_full:
    case Errc::stream_ids_exhausted: return Kind::limit;
    case Errc::going_away: return Kind::refused;
  }
  return Kind::internal;
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::yamux
