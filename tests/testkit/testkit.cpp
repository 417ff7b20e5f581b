#include "testkit/testkit.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/assert.hpp"

namespace starling::testkit {

std::uint64_t seed(std::uint64_t fallback) {
  const char* text = std::getenv("STARLING_SEED");
  const std::uint64_t value = text != nullptr ? std::strtoull(text, nullptr, 0) : fallback;
  std::printf("replay with STARLING_SEED=%llu\n", static_cast<unsigned long long>(value));
  return value;
}

std::string read_repo_file(std::string_view path) {
  std::ifstream file(std::string(STARLING_SOURCE_DIR) + "/" + std::string(path), std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "missing test file: %.*s\n", static_cast<int>(path.size()), path.data());
    std::abort();
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Bytes hex(std::string_view text) {
  auto bytes = from_hex(text);
  STARLING_ASSERT(bytes.has_value());
  return *std::move(bytes);
}

}  // namespace starling::testkit
