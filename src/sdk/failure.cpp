#include "sdk/failure.hpp"

#include "node/errors.hpp"

namespace starling::sdk {

Failure to_failure(const Error& error) {
  return {std::string(to_string(error.kind())),
          std::string(error.category().name) + "/" + std::to_string(error.code()), error.to_string()};
}

Failure to_failure(const Error& error, std::string_view what) {
  Failure failure = to_failure(error);
  failure.message = std::string(what) + ": " + std::string(error.message());
  return failure;
}

Error stopped_error() noexcept { return node::make_error(node::Errc::shutting_down); }

}  // namespace starling::sdk
