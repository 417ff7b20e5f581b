#pragma once
#include <functional>

#include "runtime/shard.hpp"

namespace starling::runtime {

/// Accepts connections on one address, on the brain's shard.
///
/// Who is not admitted is closed before anything is allocated for it. Out of file descriptors: a spare one is
/// given up to take the waiting connection off the queue and close it, then the listener is silent for
/// kAcceptBackoff, so that it neither spins nor leaves the peer hanging.
class Listener final : public LoopClient {
 public:
  /// Refuses by returning an error.
  using Admit = std::function<Result<void>(const IpPort& remote)>;
  using Accepted = std::function<void(Descriptor socket, const IpPort& remote)>;

  Listener(Shard& home, Descriptor socket, Admit admit, Accepted accepted);
  ~Listener() override { close(); }

  /// Within a turn. The errors of Loop::watch().
  Result<void> start();
  void close();

 private:
  void on_ready(std::span<const Ready> ready) override;
  void on_timer() override;
  void accept_some();
  void out_of_files();

  Shard& home_;
  Descriptor socket_;
  Loop::WatchId watch_ = 0;
  bool started_ = false;
  Admit admit_;
  Accepted accepted_;
  Descriptor spare_;
};

}  // namespace starling::runtime
