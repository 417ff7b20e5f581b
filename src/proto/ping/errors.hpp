#pragma once
#include "base/result.hpp"

namespace starling::ping {

enum class Errc : std::uint16_t {
  wrong_answer = 1,  ///< the answer is not the echo of what was sent
  unasked_answer,    ///< bytes without a ping that waits for them
  timed_out,         ///< no answer in time, or an idle inbound stream
};
Error make_error(Errc code) noexcept;

}  // namespace starling::ping
