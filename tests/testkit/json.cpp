#include "testkit/json.hpp"

#include <boost/json/parse.hpp>
#include <cstdio>
#include <cstdlib>

namespace starling::testkit {
namespace {

[[noreturn]] void disagree(std::string_view name, const char* what) {
  std::fprintf(stderr, "vector file: member '%.*s' %s\n", static_cast<int>(name.size()), name.data(), what);
  std::abort();
}

const json::value* find(const json::value& object, std::string_view name) {
  const json::object* members = object.if_object();
  return members == nullptr ? nullptr : members->if_contains(json::string_view(name.data(), name.size()));
}

}  // namespace

json::value read_json(std::string_view repo_path) {
  const std::string text = read_repo_file(repo_path);
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) disagree(repo_path, "is a file without valid JSON");
  return value;
}

bool has(const json::value& object, std::string_view name) { return find(object, name) != nullptr; }

const json::value& at(const json::value& object, std::string_view name) {
  const json::value* member = find(object, name);
  if (member == nullptr) disagree(name, "is missing");
  return *member;
}

const json::array& array_at(const json::value& object, std::string_view name) {
  const json::array* array = at(object, name).if_array();
  if (array == nullptr) disagree(name, "is not an array");
  return *array;
}

std::string text_at(const json::value& object, std::string_view name) {
  const json::string* text = at(object, name).if_string();
  if (text == nullptr) disagree(name, "is not a string");
  return {text->data(), text->size()};
}

Bytes hex_at(const json::value& object, std::string_view name) {
  const auto bytes = from_hex(text_at(object, name));
  if (!bytes) disagree(name, "is not hex");
  return *bytes;
}

std::uint64_t number_at(const json::value& object, std::string_view name) {
  const json::value& member = at(object, name);
  if (const auto* number = member.if_uint64()) return *number;
  if (const auto* number = member.if_int64(); number != nullptr && *number >= 0)
    return static_cast<std::uint64_t>(*number);
  const std::string text = text_at(object, name);
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') disagree(name, "is not a number");
  return value;
}

bool bool_at(const json::value& object, std::string_view name) {
  const bool* value = at(object, name).if_bool();
  if (value == nullptr) disagree(name, "is not a boolean");
  return *value;
}

}  // namespace starling::testkit
