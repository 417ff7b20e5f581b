// The verbs that ask a node: the running one through its control socket, or a short-lived one of their own.
#include <future>
#include <iostream>
#include <iterator>

#include "api/routes.hpp"
#include "api/views.hpp"
#include "asking.hpp"
#include "format/protobuf.hpp"
#include "home/files.hpp"
#include "node/errors.hpp"

namespace starling::cli {

namespace json = boost::json;

namespace {

using api::ControlClient;

void print_found(const json::value& found, const Output& output) {
  if (output.json()) return output.line(found);
  output.text(text_of(found, "address") + "  " + text_of(found, "name") + "  (" + text_of(found, "role") +
              ")");
  output.text("  peer id  " + text_of(found, "peer_id"));
  for (const auto& address : found.at("addrs").as_array())
    output.text("  address  " + std::string(std::string_view(address.as_string())));
  if (found.at("withdrawn").as_bool()) output.text("  the agent has left: its record is withdrawn");
  output.text("  found in the " + text_of(found, "source") + " in " + text_of(found, "ms") + " ms");
}

void print_message(const json::value& message, const Output& output) {
  if (output.json()) return output.line(message);
  const bool broadcast = message.at("to").is_null();
  std::string line = text_of(message, "from") + (broadcast ? " to all: " : ": ");
  line += message.as_object().contains("text")
              ? text_of(message, "text")
              : "<" + text_of(message, "content_type") + ", base64> " + text_of(message, "body_base64");
  output.text(line);
}

void print_announcement(const json::value& presence, const Output& output) {
  if (output.json()) return output.line(presence);
  output.text(text_of(presence, "address") + "  " + text_of(presence, "role") + "  " +
              text_of(presence, "name") + (presence.at("withdrawn").as_bool() ? "  (left)" : ""));
}

void print_status(const json::value& status, const Output& output) {
  if (output.json()) return output.line(status);
  output.text(text_of(status, "address") + "  " + text_of(status, "role") + "  up " +
              text_of(status, "uptime_s") + " s  connections " + text_of(status, "connections") + "  dht " +
              text_of(status, "dht_table") + " peers, " + text_of(status, "dht_records") +
              " records  messages " + text_of(status, "messages_sent") + " sent, " +
              text_of(status, "messages_delivered") + " delivered");
}

template <class Print>
int follow_or_list(const FollowOptions& options, const std::string& path, const std::string& list_target,
                   const Output& output, Print print) {
  const ControlClient client = client_of(options.node);
  if (!options.follow) {
    return show(client.get(list_target), options.node, output, [&](const json::value& items) {
      for (const auto& item : items.as_array()) print(item, output);
    });
  }
  const auto followed = client.follow(path + "/follow", [&](const json::value& event) {
    print(event, output);
    return true;
  });
  return followed ? 0 : output.fail({followed.error(), data_dir_of(options.node).string()});
}

}  // namespace

int run_find(const FindOptions& options, const Output& output) {
  const auto wallet = EthAddress::parse(options.address);
  if (!wallet) return output.fail({wallet.error(), options.address});
  const ControlClient client = client_of(options.node);
  if (client.reachable()) {
    return show(client.post("/v1/find", {{"address", options.address}, {"cache_ms", options.cache_ms}}),
                options.node, output, [&](const json::value& found) { print_found(found, output); });
  }
  auto service = short_lived(options.node);
  if (!service) return output.fail(service.error());
  std::promise<api::FindOutcome> promise;
  (*service)->find(*wallet, Duration::zero(),
                   [&](api::FindOutcome outcome) { promise.set_value(std::move(outcome)); });
  const auto outcome = promise.get_future().get();
  if (!outcome.found) return output.fail({outcome.found.error(), wallet->to_string()});
  print_found(api::view_of(*outcome.found, outcome.took), output);
  return 0;
}

int run_send(const SendOptions& options, const Output& output) {
  json::object request{{"to", options.to == "all" ? json::value(nullptr) : json::value(options.to)},
                       {"content_type", options.content_type},
                       {"plain", options.plain},
                       {"life_ms", options.life_s * 1000}};
  Bytes body = to_bytes(options.text);
  if (!options.file.empty()) {
    auto content = home::read_file(options.file);
    if (!content) return output.fail({content.error(), options.file});
    body = *std::move(content);
  } else if (options.text == "-") {
    body = to_bytes(std::string(std::istreambuf_iterator<char>(std::cin), {}));
  }
  if (pb::is_utf8(body))
    request["text"] = as_text(body);
  else
    request["body_base64"] = api::base64(body);
  const auto checked = api::send_options(request);
  if (!checked) return output.fail({checked.error(), options.to});

  const auto print = [&](const json::value& sent) {
    if (output.json()) return output.line(sent);
    output.text(text_of(sent, "state") +
                (text_of(sent, "path").empty() ? "" : " by " + text_of(sent, "path")) + " in " +
                text_of(sent, "ms") + " ms  (id " + text_of(sent, "id") + ")");
  };
  const ControlClient client = client_of(options.node);
  if (client.reachable()) return show(client.post("/v1/send", request), options.node, output, print);
  auto service = short_lived(options.node);
  if (!service) return output.fail(service.error());
  if (!(*service)->wait_for_gossip(1, kReachWait))
    return output.fail({make_error(node::Errc::not_connected), "no peer takes messages"});
  std::promise<api::SendOutcome> promise;
  (*service)->send(*checked, 30s, [&](api::SendOutcome outcome) { promise.set_value(std::move(outcome)); });
  const auto outcome = promise.get_future().get();
  if (outcome.state.error) return output.fail({*outcome.state.error, options.to});
  print(api::view_of(outcome));
  return 0;
}

int run_inbox(const FollowOptions& options, const Output& output) {
  return follow_or_list(options, "/v1/inbox", "/v1/inbox?count=" + std::to_string(options.count), output,
                        print_message);
}

int run_announcements(const FollowOptions& options, const Output& output) {
  return follow_or_list(options, "/v1/announcements", "/v1/announcements", output, print_announcement);
}

int run_status(const NodeOptions& options, bool network, const Output& output) {
  const auto answer = client_of(options).get(network ? "/v1/status/network" : "/v1/status");
  return show(answer, options, output, [&](const json::value& status) {
    if (!network) return print_status(status, output);
    if (output.json()) return output.line(status);
    for (const auto& item : status.as_array()) print_status(item, output);
  });
}

int run_peers(const NodeOptions& options, const Output& output) {
  return show(client_of(options).get("/v1/peers"), options, output, [&](const json::value& peers) {
    if (output.json()) return output.line(peers);
    for (const auto& peer : peers.as_array())
      output.text(text_of(peer, "peer_id") + "  " + text_of(peer, "addr") + "  " +
                  text_of(peer, "direction") + "  " + text_of(peer, "agent") + "  score " +
                  text_of(peer, "score"));
  });
}

int run_stop(const NodeOptions& options, const Output& output) {
  return show(client_of(options).post("/v1/stop", {}), options, output, [&](const json::value& answer) {
    if (output.json())
      output.line(answer);
    else
      output.text("stopping");
  });
}

}  // namespace starling::cli
