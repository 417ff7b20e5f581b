#pragma once
#include "base/result.hpp"

namespace starling::yamux {

enum class Errc : std::uint16_t {
  bad_version = 1,       ///< a frame of a version other than 0
  bad_type,              ///< a frame type above 3
  bad_stream_id,         ///< stream 0 where a stream must be named, or a stream named where it must be 0
  wrong_parity,          ///< a SYN for an id that is ours to give
  duplicate_stream,      ///< a SYN for a stream that is open
  window_exceeded,       ///< more data than the window we granted
  frame_too_large,       ///< a body longer than any window we ever grant
  credit_overflow,       ///< WINDOW_UPDATE deltas that sum past 2^32 − 1
  rapid_reset,           ///< more streams opened and given up than the budget allows
  control_backlog_full,  ///< the peer makes us answer and does not read the answers
  keepalive_timeout,     ///< a ping unanswered and nothing else received
  too_many_streams,      ///< open(): our own limit of outbound streams
  ack_backlog_full,      ///< open(): too many streams wait for the peer's ACK; `Openable` follows
  going_away,            ///< open(): a GoAway was sent or received, or drain() was called
  stream_ids_exhausted,  ///< open(): all 2^31 ids of this connection are used
};
Error make_error(Errc code) noexcept;

}  // namespace starling::yamux
