// starling-peer: the peer contract on the public API of Starling.
#include <boost/json/parse.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "peer.hpp"

namespace {

using peer::CommandError;
using peer::Fields;

/// Runs every command on a thread of its own, so that they may wait side by side.
class CommandThreads {
 public:
  template <class Work>
  void start(Work work) {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    std::thread([this, work = std::move(work)]() mutable {
      work();
      const std::lock_guard lock(mutex_);
      --running_;
      changed_.notify_all();
    }).detach();
  }
  /// False when some did not end in time.
  bool wait(std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return running_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;
};

void answer(peer::Peer& node, peer::Output& output, const Fields& line) {
  const auto* id = line.if_contains("id");
  Fields fields;
  try {
    const auto* name = line.if_contains("cmd");
    if (name == nullptr || !name->is_string()) throw CommandError("cmd is needed");
    fields = node.run(std::string(name->get_string()), peer::Request(line));
    fields["ok"] = true;
  } catch (const CommandError& error) {
    fields = {{"ok", false}, {"error", error.what()}};
  }
  fields["id"] = id == nullptr ? boost::json::value(nullptr) : *id;
  output.emit(fields);
}

void serve(peer::Peer& node, peer::Output& output, CommandThreads& threads) {
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    boost::system::error_code code;
    const auto parsed = boost::json::parse(line, code);
    if (code || !parsed.is_object()) {
      output.emit({{"id", nullptr}, {"ok", false}, {"error", "not a JSON object"}});
      continue;
    }
    const Fields& fields = parsed.get_object();
    if (const auto* name = fields.if_contains("cmd"); name != nullptr && *name == "quit") {
      const auto* id = fields.if_contains("id");
      output.emit({{"id", id == nullptr ? boost::json::value(nullptr) : *id}, {"ok", true}});
      return;
    }
    threads.start([&node, &output, fields] { answer(node, output, fields); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    peer::Output output;
    CommandThreads threads;
    peer::Peer node(peer::parse_flags({argv + 1, argv + argc}), output);
    node.start();
    output.emit(node.ready());
    serve(node, output, threads);
    node.stop();
    if (!threads.wait(std::chrono::seconds(5))) {
      std::fputs("starling-peer: a command did not end\n", stderr);
      std::fflush(nullptr);
      std::_Exit(1);
    }
  } catch (const CommandError& error) {
    std::fprintf(stderr, "starling-peer: %s\n", error.what());
    return 2;
  }
  return 0;
}
