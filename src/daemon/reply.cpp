#include "daemon/reply.hpp"

#include "daemon/connection.hpp"

namespace starling::daemon {

// Always by post, also on the loop's own thread: a client that sends many requests at once must not make the
// stack grow.

void Reply::answer(Response response) const {
  loop_->post([connection = connection_, ticket = ticket_, response = std::move(response)] {
    connection->answer(ticket, response);
  });
}

void Reply::fail(std::string why) const {
  Response response;
  response.error = std::move(why);
  answer(std::move(response));
}

void Reply::settle(const Outcome<void>& outcome) const {
  if (outcome)
    answer({});
  else
    fail(outcome.failure());
}

void Reply::begin_list() const {
  loop_->post([connection = connection_, ticket = ticket_] { connection->begin_list(ticket); });
}

void Reply::add_to_list(DhtResponse response) const {
  loop_->post([connection = connection_, ticket = ticket_, response = std::move(response)] {
    connection->add_to_list(ticket, response);
  });
}

void Reply::end_list() const {
  loop_->post([connection = connection_, ticket = ticket_] { connection->end_list(ticket); });
}

void Reply::become_stream(Stream stream) const {
  loop_->post([connection = connection_, ticket = ticket_, stream = std::move(stream)]() mutable {
    connection->become_stream(ticket, std::move(stream));
  });
}

void Reply::subscribe(std::string topic) const {
  loop_->post([connection = connection_, ticket = ticket_, topic = std::move(topic)] {
    connection->subscribe(ticket, topic);
  });
}

}  // namespace starling::daemon
