#pragma once
// How a verb gets its answer: from the running node, or from a node of its own for one question.
#include "api/control_client.hpp"
#include "command.hpp"

namespace starling::cli {

/// How long a node of one question looks for somebody who answers.
inline constexpr Duration kReachWait = 10s;

api::ControlClient client_of(const NodeOptions& options);
/// A member as text; empty when it is missing or null.
std::string text_of(const boost::json::value& value, std::string_view name);
/// A node for one question: joins through --bootstrap, asks, leaves.
Outcome<std::unique_ptr<api::Service>> short_lived(const NodeOptions& options);

/// Prints an answer of the node, or its error; returns the exit code.
template <class Print>
int show(const Result<api::ControlClient::Answer>& answer, const NodeOptions& options, const Output& output,
         Print print) {
  if (!answer) return output.fail({answer.error(), data_dir_of(options).string()});
  if (answer->status != 200) return output.relay_error(answer->body);
  print(answer->body);
  return 0;
}

}  // namespace starling::cli
