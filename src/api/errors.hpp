#pragma once
#include "base/result.hpp"

namespace starling::api {

enum class Errc : std::uint16_t {
  no_node = 1,    ///< no node answers on the control socket
  bad_request,    ///< not a request of this API
  bad_answer,     ///< the node answered something else than JSON
  bad_config,     ///< a configuration file or option that does not make sense
  bad_input,      ///< an address, file or text that cannot be read
  socket_path,    ///< the path of the control socket is too long for the system
  cannot_listen,  ///< the control socket cannot be opened
  remote_error,   ///< the node reported an error of its own
  bad_key,        ///< not a key of the DHT in any of its forms, or one that cannot be used for this
  bad_value,      ///< a value that the key's namespace does not allow
};
Error make_error(Errc code) noexcept;

}  // namespace starling::api
