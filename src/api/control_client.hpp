#pragma once
#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "api/errors.hpp"

namespace starling::api {

/// Asks a running node over its control socket. Blocking; one connection per call.
class ControlClient {
 public:
  explicit ControlClient(std::filesystem::path socket) : socket_(std::move(socket)) {}
  /// Whether a node answers there.
  bool reachable() const;
  struct Answer {
    unsigned status = 0;
    boost::json::value body;
  };
  /// Errc::no_node, bad_answer. A status other than 200 comes with the node's own error object as body.
  Result<Answer> get(std::string_view target) const;
  Result<Answer> post(std::string_view target, const boost::json::object& body) const;
  /// Calls back with each event's JSON until it returns false or the node goes away.
  Result<void> follow(std::string_view target,
                      const std::function<bool(const boost::json::value&)>& on_event) const;

 private:
  Result<Answer> request(std::string_view method, std::string_view target, std::string body) const;
  std::filesystem::path socket_;
};

}  // namespace starling::api
