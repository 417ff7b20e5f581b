#pragma once
#include <optional>

#include "api/routes.hpp"

namespace starling::api {

/// The DHT's part of the control API (`/v1/dht/…`); nothing for other paths. Blocks until the query has
/// ended.
std::optional<Response> handle_dht(const Request& request, Service& service);

}  // namespace starling::api
