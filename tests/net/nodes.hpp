#pragma once
// Agent nodes for tests over real sockets, through the public API alone.
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/hosts.hpp"
#include "starling/node.hpp"

namespace starling::net {

/// Thread-safe list of what callbacks brought.
template <class T>
class Collected {
 public:
  void add(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    grew_.notify_all();
  }
  /// All of them once there are `count`; what there is after kPatience otherwise.
  std::vector<T> at_least(std::size_t count) {
    std::unique_lock lock(mutex_);
    grew_.wait_for(lock, kPatience, [&] { return items_.size() >= count; });
    return items_;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable grew_;
  std::vector<T> items_;
};

/// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

/// Listens on loopback, one thread, quiet.
NodeOptions agent_options(const std::vector<std::string>& bootstrap = {});
NodeOptions directory_options();
/// Started; throws when that fails.
std::unique_ptr<Node> run(NodeOptions options);
/// A directory and `agents` agents that have joined through it.
struct Town {
  std::unique_ptr<Node> directory;
  std::vector<std::unique_ptr<Node>> agents;
};
Town make_town(std::size_t agents);
void join(Node& node);

Outcome<Found> find(Node& from, const std::string& address);
Outcome<Delivery> send(Node& from, OutgoingMessage message);

}  // namespace starling::net
