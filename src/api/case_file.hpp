#pragma once
// Files of cases (tests/conformance/vectors/agent/README.md), for `starling inspect --cases` and the
// conformance test.
#include <string_view>
#include <vector>

#include "agent/case_judge.hpp"
#include "api/errors.hpp"

namespace starling::api {

struct FileCase {
  agent::Case input;
  agent::CaseResult expected;
  std::string why;
};
/// What could not be read, and where: the number of the case and the member.
struct CaseFileError {
  Error error;
  std::string where;
};
tl::expected<std::vector<FileCase>, CaseFileError> parse_cases(std::string_view json);

}  // namespace starling::api
