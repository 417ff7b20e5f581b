#pragma once
// The messages of multistream-select 1.0: `varint length ‖ text ‖ newline`, the length counting the newline.
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "multistream/errors.hpp"
#include "multistream/limits.hpp"

namespace starling::multistream {

inline constexpr std::string_view kHeader = "/multistream/1.0.0";
inline constexpr std::string_view kNotAvailable = "na";

/// What a negotiation ended with.
struct Agreed {
  std::string protocol;
};
using Outcome = Result<Agreed>;

/// Appends one message. `text` has no newline and is below kMessageBytesMax: it is ours, so anything else is
/// asserted.
void put_message(Bytes& out, std::string_view text);

/// Cuts messages out of a byte stream and never looks at a byte behind the message it returns.
/// Memory: nothing while messages arrive whole, at most kLengthPrefixBytesMax + kMessageBytesMax bytes
/// otherwise.
class MessageReader {
 public:
  /// Takes the front of `bytes` off, as far as it belongs to the current message. Returns the message's text
  /// without its newline once complete, else nothing, and then `bytes` is empty. The view is valid until the
  /// next call, and not longer than the memory behind `bytes`. Errc::bad_length, Errc::missing_newline.
  Result<std::optional<std::string_view>> next(ByteView& bytes);

 private:
  Bytes partial_;       // prefix and body of a message that came in pieces
  bool spent_ = false;  // partial_ holds a message that was returned
};

}  // namespace starling::multistream
