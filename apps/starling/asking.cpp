#include "asking.hpp"

#include "node/errors.hpp"

namespace starling::cli {

namespace json = boost::json;

api::ControlClient client_of(const NodeOptions& options) {
  return api::ControlClient(data_dir_of(options) / "control.sock");
}

std::string text_of(const json::value& value, std::string_view name) {
  const auto* member = value.is_object() ? value.get_object().if_contains(name) : nullptr;
  if (member == nullptr || member->is_null()) return {};
  if (member->is_string()) return std::string(std::string_view(member->get_string()));
  return json::serialize(*member);
}

Outcome<std::unique_ptr<api::Service>> short_lived(const NodeOptions& options) {
  if (options.bootstrap.empty())
    return failure(make_error(api::Errc::no_node),
                   data_dir_of(options).string() + " (and no --bootstrap to ask without one)");
  auto config = service_config(options);
  if (!config) return tl::unexpected<Failure>(config.error());
  config->short_lived = true;
  auto service = api::Service::start(*std::move(config));
  if (!service) return failure(service.error(), data_dir_of(options).string());
  if (!(*service)->wait_for_dht(kReachWait)) {
    std::string tried;
    for (const auto& address : options.bootstrap) tried += (tried.empty() ? "" : ", ") + address;
    return failure(make_error(node::Errc::all_addresses_failed), "no bootstrap node answered: " + tried);
  }
  return *std::move(service);
}

}  // namespace starling::cli
