#pragma once
#include <memory>
#include <string>

#include "daemon/control_loop.hpp"
#include "daemon/messages.hpp"
#include "starling/host.hpp"

namespace starling::daemon {

class Connection;

/// The answer to one request: a handle that may be copied, and used from any thread. Exactly one of answer(),
/// fail(), begin_list() … end_list(), become_stream() and subscribe() is called; after the request's deadline
/// nothing comes of it.
class Reply {
 public:
  Reply(std::shared_ptr<Connection> connection, ControlLoop& loop, std::uint64_t ticket)
      : connection_(std::move(connection)), loop_(&loop), ticket_(ticket) {}

  void answer(Response response) const;
  void fail(std::string why) const;
  void fail(const Failure& failure) const { fail(failure.message); }
  /// OK, or why not.
  void settle(const Outcome<void>& outcome) const;

  void begin_list() const;
  void add_to_list(DhtResponse response) const;
  void end_list() const;

  void become_stream(Stream stream) const;
  void subscribe(std::string topic) const;

 private:
  std::shared_ptr<Connection> connection_;
  ControlLoop* loop_;
  std::uint64_t ticket_;
};

}  // namespace starling::daemon
