#include "proto/kad/message.hpp"

namespace starling::kad {

std::string_view to_string(MessageType type) noexcept {
  switch (type) {
    case MessageType::put_value: return "PUT_VALUE";
    case MessageType::get_value: return "GET_VALUE";
    case MessageType::add_provider: return "ADD_PROVIDER";
    case MessageType::get_providers: return "GET_PROVIDERS";
    case MessageType::find_node: return "FIND_NODE";
    case MessageType::ping: return "PING";
  }
  return "?";
}

}  // namespace starling::kad
