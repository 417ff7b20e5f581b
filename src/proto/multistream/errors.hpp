#pragma once
#include "base/result.hpp"

namespace starling::multistream {

enum class Errc : std::uint16_t {
  no_common_protocol = 1,  ///< every proposal was answered `na`, or the peer gave up after our `na`
  bad_length,              ///< a length prefix that is 0, above kMessageBytesMax or not minimal
  missing_newline,         ///< a message that does not end with a newline
  bad_header,              ///< the first message is not `/multistream/1.0.0`
  unexpected_answer,       ///< neither `na` nor what was proposed
  too_many_proposals,      ///< the listener's limit of proposals in one negotiation
  timed_out,               ///< no outcome within the negotiation's deadline
};
Error make_error(Errc code) noexcept;

}  // namespace starling::multistream
