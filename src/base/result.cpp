#include "base/result.hpp"

namespace starling {

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::malformed: return "malformed";
    case Kind::misbehaviour: return "misbehaviour";
    case Kind::limit: return "limit";
    case Kind::unreachable: return "unreachable";
    case Kind::timeout: return "timeout";
    case Kind::refused: return "refused";
    case Kind::not_found: return "not_found";
    case Kind::cancelled: return "cancelled";
    case Kind::unsupported: return "unsupported";
    case Kind::storage: return "storage";
    case Kind::internal: return "internal";
  }
  return "internal";
}

std::string Error::to_string() const {
  std::string out(category_->name);
  out += ": ";
  out += message();
  return out;
}

}  // namespace starling
