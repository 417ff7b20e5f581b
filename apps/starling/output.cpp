#include <cstdio>
#include <iostream>

#include "api/views.hpp"
#include "command.hpp"

namespace starling::cli {

void Output::line(const boost::json::value& value) const { text(boost::json::serialize(value)); }

void Output::text(std::string_view text) const {
  std::cout << text << '\n';
  std::cout.flush();
}

void Output::note(std::string_view text) const {
  if (!json_) std::cerr << text << '\n';
}

int Output::fail(const Failure& failure) const {
  return relay_error(api::view_of(failure.error, failure.what));
}

int Output::relay_error(const boost::json::value& error_object) const {
  const auto text_of = [&](std::string_view name) {
    const auto* object = error_object.is_object() ? error_object.get_object().if_contains("error") : nullptr;
    const auto* value =
        object != nullptr && object->is_object() ? object->get_object().if_contains(name) : nullptr;
    return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string()))
                                                  : std::string();
  };
  if (json_) {
    std::cerr << boost::json::serialize(error_object) << '\n';
  } else {
    std::cerr << "error " << text_of("code") << ": " << text_of("message") << '\n';
    if (const auto hint = text_of("hint"); !hint.empty()) std::cerr << "next:  " << hint << '\n';
  }
  const std::string kind = text_of("kind");
  for (int k = 0; k <= static_cast<int>(Kind::internal); ++k)
    if (to_string(static_cast<Kind>(k)) == kind) return api::exit_code(static_cast<Kind>(k));
  return api::exit_code(Kind::internal);
}

int run_version(const Output& output) {
  if (output.json())
    output.line({{"version", STARLING_VERSION}, {"compiler", __VERSION__}});
  else
    output.text("starling " STARLING_VERSION);
  return 0;
}

}  // namespace starling::cli
