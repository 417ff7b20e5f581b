#pragma once
// What the control API answers, without HTTP: a request in, JSON out.
#include <boost/json.hpp>
#include <map>
#include <string>

#include "api/service.hpp"

namespace starling::api {

struct Request {
  std::string method;
  std::string path;  ///< without the query
  std::map<std::string, std::string> query;
  std::string body;
};
struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
};

/// Blocks until the answer is there; every operation of the service ends by itself.
Response handle(const Request& request, Service& service);
Response error_response(const Error& error, std::string_view what = {});
/// Splits `/path?a=b&c=d`.
Request parse_target(std::string method, std::string_view target, std::string body);

/// One message as the control API and the CLI take it: {"to","text" or
/// "body_base64","content_type","plain","life_ms"}.
Result<node::SendOptions> send_options(const boost::json::object& request);

}  // namespace starling::api
