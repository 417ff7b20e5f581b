// The whole story on one machine: real processes, real sockets, no account, nothing beyond loopback.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <poll.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "api/control_client.hpp"
#include "command.hpp"
#include "crypto/hash.hpp"

extern char** environ;

namespace starling::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string rounded(double ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", ms);
  return text;
}

/// A `starling up` of its own: a process, a folder, and what its first line said.
class NodeProcess {
 public:
  NodeProcess(std::string name, fs::path folder) : name_(std::move(name)), folder_(std::move(folder)) {}
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;
  ~NodeProcess() { stop(SIGKILL); }

  bool spawn(const std::string& role, const std::vector<std::string>& bootstrap) {
    std::vector<std::string> words{
        "starling", "up",         "--role",         role,        "--listen", "/ip4/127.0.0.1/tcp/0", "--name",
        name_,      "--data-dir", folder_.string(), "--threads", "1"};
    for (const auto& address : bootstrap) {
      words.emplace_back("--bootstrap");
      words.push_back(address);
    }
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int pipe_ends[2];
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) return false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    const std::string log = (folder_.string() + ".log");
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    const int failed = ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe_ends[1]);
    output_ = pipe_ends[0];
    if (failed != 0) pid_ = -1;
    return failed == 0;
  }

  /// Reads the ready line.
  bool wait_ready(std::chrono::milliseconds patience) {
    const auto end = Clock::now() + patience;
    std::string line;
    while (line.find('\n') == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
      pollfd waiting{output_, POLLIN, 0};
      if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return false;
      std::array<char, 4096> buffer;
      const ssize_t n = ::read(output_, buffer.data(), buffer.size());
      if (n <= 0) return false;
      line.append(buffer.data(), static_cast<std::size_t>(n));
    }
    boost::system::error_code error;
    const auto ready = json::parse(line.substr(0, line.find('\n')), error);
    if (error || !ready.is_object()) return false;
    address_ = std::string(std::string_view(ready.at("address").as_string()));
    multiaddr_ = std::string(std::string_view(ready.at("addrs").at(0).as_string()));
    return true;
  }

  void stop(int signal) {
    if (pid_ > 0) {
      ::kill(pid_, signal);
      int status = 0;
      ::waitpid(pid_, &status, 0);
    }
    pid_ = -1;
    if (output_ >= 0) ::close(output_);
    output_ = -1;
  }
  void ask_to_stop() const {
    if (pid_ > 0) ::kill(pid_, SIGTERM);
  }

  api::ControlClient control() const { return api::ControlClient(folder_ / "control.sock"); }
  const std::string& name() const noexcept { return name_; }
  const std::string& address() const noexcept { return address_; }
  const std::string& multiaddr() const noexcept { return multiaddr_; }
  const fs::path& folder() const noexcept { return folder_; }

 private:
  std::string name_;
  fs::path folder_;
  pid_t pid_ = -1;
  int output_ = -1;
  std::string address_;
  std::string multiaddr_;
};

std::string short_address(const std::string& address) {
  return address.substr(0, 6) + "…" + address.substr(38);
}

/// The demo's network and what happens in it.
class Demo {
 public:
  explicit Demo(const Output& output) : output_(output) {
    std::string folder = (fs::temp_directory_path() / "starling-demo-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
  }
  Demo(const Demo&) = delete;
  Demo& operator=(const Demo&) = delete;
  ~Demo() {
    for (auto& node : nodes_) node->ask_to_stop();
    for (auto& node : nodes_) node->stop(SIGTERM);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  int run() {
    const auto begin = Clock::now();
    if (!start_network()) return failed("the nodes did not start");
    if (!everybody_joined()) return failed("the agents did not find each other's network in time");
    if (!find(agent(0), agent(4), "through the DHT, knowing nothing but the address"))
      return failed("not found");
    if (!message(agent(0), agent(4), "hello dave, this is alice"))
      return failed("a direct message did not arrive");
    if (!broadcast(agent(1), "bob to everyone: good morning"))
      return failed("a broadcast did not arrive everywhere");
    step("killing bootstrap node " + bootstrap(0).name() + " (SIGKILL)");
    bootstrap(0).stop(SIGKILL);
    if (!find(agent(2), agent(3), "with one bootstrap node left")) return failed("not found after the kill");
    if (!message(agent(2), agent(3), "still here?")) return failed("a message did not arrive after the kill");
    if (!broadcast(agent(4), "dave to everyone: all is well"))
      return failed("a broadcast did not arrive after the kill");
    return finish(ms_since(begin));
  }

 private:
  NodeProcess& bootstrap(std::size_t index) { return *nodes_[index]; }
  NodeProcess& agent(std::size_t index) { return *nodes_[2 + index]; }

  void step(const std::string& text) {
    if (!output_.json()) output_.text(text);
  }
  void event(json::object object) {
    if (output_.json()) output_.line(std::move(object));
  }
  int failed(const std::string& why) {
    return output_.fail(Failure{make_error(api::Errc::remote_error), "demo: " + why});
  }

  bool start_network() {
    step("starting 2 bootstrap nodes and 5 agents, each a process of its own, on 127.0.0.1");
    const auto add = [&](const std::string& name) -> NodeProcess& {
      nodes_.push_back(std::make_unique<NodeProcess>(name, folder_ / name));
      return *nodes_.back();
    };
    std::vector<std::string> addresses;
    for (const auto* name : {"north", "south"}) {
      NodeProcess& node = add(name);
      if (!node.spawn("bootstrap", addresses) || !node.wait_ready(std::chrono::seconds(10))) return false;
      addresses.push_back(node.multiaddr());
    }
    for (const auto* name : {"alice", "bob", "carol", "erin", "dave"})
      if (!add(name).spawn("agent", addresses)) return false;
    for (std::size_t i = 0; i < 5; ++i)
      if (!agent(i).wait_ready(std::chrono::seconds(10))) return false;
    for (const auto& node : nodes_) {
      step("  " + node->name() + std::string(7 - node->name().size(), ' ') + node->address());
      event({{"event", "node"},
             {"name", node->name()},
             {"address", node->address()},
             {"addr", node->multiaddr()}});
    }
    return true;
  }

  /// Every agent's record is stored and every agent is in the message mesh with others.
  bool everybody_joined() {
    const auto end = Clock::now() + std::chrono::seconds(15);
    for (std::size_t i = 0; i < 5; ++i) {
      while (true) {
        const auto status = agent(i).control().get("/v1/status");
        if (status && status->status == 200) {
          const auto& object = status->body.as_object();
          std::int64_t mesh = 0;
          for (const auto& topic : object.at("topics").as_array())
            if (topic.at("topic").as_string() == "agent-messages")
              mesh = topic.at("mesh").to_number<std::int64_t>();
          if (object.at("presence").at("stored_by").to_number<std::int64_t>() > 0 && mesh > 0) break;
        }
        if (Clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
      }
    }
    return true;
  }

  bool find(NodeProcess& who, NodeProcess& whom, const std::string& how) {
    const auto start = Clock::now();
    const auto found = who.control().post("/v1/find", {{"address", whom.address()}});
    if (!found || found->status != 200) return false;
    const std::string source(std::string_view(found->body.at("source").as_string()));
    if (source != "dht") return false;
    step(who.name() + " finds " + short_address(whom.address()) + " " + how + ": " +
         rounded(ms_since(start)));
    event({{"event", "find"},
           {"who", who.name()},
           {"whom", whom.name()},
           {"source", source},
           {"ms", ms_since(start)}});
    return true;
  }

  /// True once the inbox of `node` holds the text; the time until then is what a reader of the inbox sees.
  bool arrives(NodeProcess& node, const std::string& text) {
    const auto end = Clock::now() + std::chrono::seconds(5);
    while (Clock::now() < end) {
      const auto inbox = node.control().get("/v1/inbox");
      if (inbox && inbox->status == 200)
        for (const auto& message : inbox->body.as_array())
          if (message.as_object().contains("text") && message.at("text").as_string() == text) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  bool message(NodeProcess& from, NodeProcess& to, const std::string& text) {
    const auto start = Clock::now();
    const auto sent = from.control().post("/v1/send", {{"to", to.address()}, {"text", text}});
    if (!sent || sent->status != 200 || !arrives(to, text)) return false;
    step(from.name() + " → " + to.name() + ", sealed: \"" + text + "\": " + rounded(ms_since(start)));
    event({{"event", "message"}, {"from", from.name()}, {"to", to.name()}, {"ms", ms_since(start)}});
    return true;
  }

  bool broadcast(NodeProcess& from, const std::string& text) {
    const auto start = Clock::now();
    const auto sent = from.control().post("/v1/send", {{"to", nullptr}, {"text", text}});
    if (!sent || sent->status != 200) return false;
    for (std::size_t i = 0; i < 5; ++i)
      if (&agent(i) != &from && !arrives(agent(i), text)) return false;
    step(from.name() + " → all, \"" + text + "\": 4 of 4 have it after " + rounded(ms_since(start)));
    event({{"event", "broadcast"}, {"from", from.name()}, {"ms", ms_since(start)}});
    return true;
  }

  int finish(double total_ms) {
    event({{"event", "done"}, {"ms", total_ms}});
    step("\nall of it in " + rounded(total_ms) + ". Your own node:\n  starling up");
    return 0;
  }

  const Output& output_;
  fs::path folder_;
  std::vector<std::unique_ptr<NodeProcess>> nodes_;
};

}  // namespace

int run_demo(const Output& output) {
  Demo demo(output);
  return demo.run();
}

}  // namespace starling::cli
