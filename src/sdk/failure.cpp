#include "sdk/failure.hpp"

#include "node/errors.hpp"

namespace starling::sdk {

Failure to_failure(const Error& error) {
  return {std::string(to_string(error.kind())),
          std::string(error.category().name) + "/" + std::to_string(error.code()), error.to_string()};
}

Failure stopped_failure() {
  Failure failure = to_failure(node::make_error(node::Errc::shutting_down));
  failure.kind = to_string(Kind::cancelled);
  return failure;
}

}  // namespace starling::sdk
