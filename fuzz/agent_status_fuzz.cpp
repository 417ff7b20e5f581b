// fuzz-depends: agent
// NodeStatus: any bytes; what passes comes back from its own encoding.
#include "agent/limits.hpp"
#include "agent/node_status.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace starling;
  using namespace starling::agent;
  const auto status = decode_status({data, size});
  if (!status) return 0;
  const auto again = decode_status(encode(*status));
  STARLING_ASSERT(again && encode(*again) == encode(*status));
  if (const auto checked = check_fields(*status, NetworkName())) {
    STARLING_ASSERT(checked->fields.topics.size() <= kStatusTopicsMax);
    STARLING_ASSERT(checked->fields.version.size() <= kAgentVersionBytesMax);
  }
  return 0;
}
