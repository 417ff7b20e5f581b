#pragma once
#include <string>

#include "base/time.hpp"

namespace starling::kad {

/// RFC 3339 in UTC with milliseconds, as Record.timeReceived says it. Years end at 9999.
std::string rfc3339(WallTime time);

}  // namespace starling::kad
