#pragma once
// Vector files. Members are asked for by name; a member that is missing or of another type aborts the test
// program, because then the file and the test disagree.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "testkit/testkit.hpp"

namespace starling::testkit {

namespace json = boost::json;

/// A JSON file below the repository, e.g. `tests/conformance/vectors/agent/keys.json`.
json::value read_json(std::string_view repo_path);

/// Whether an object has a member of this name.
bool has(const json::value& object, std::string_view name);
/// The member, whatever its type.
const json::value& at(const json::value& object, std::string_view name);
const json::array& array_at(const json::value& object, std::string_view name);
std::string text_at(const json::value& object, std::string_view name);
/// Bytes of a member in hex.
Bytes hex_at(const json::value& object, std::string_view name);
/// A member that is a number, or a decimal number in a string (as the agent vectors write 64-bit integers).
std::uint64_t number_at(const json::value& object, std::string_view name);
bool bool_at(const json::value& object, std::string_view name);

}  // namespace starling::testkit
