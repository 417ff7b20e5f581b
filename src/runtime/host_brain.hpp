#pragma once
// A plain libp2p host as a brain.
#include <functional>

#include "runtime/brain.hpp"

namespace starling::runtime {

class HostBrain final : public Brain {
 public:
  using EventFunction = std::function<void(node::host_event::Event&, Now)>;
  /// Which DHT records are believed: public keys only, or everything (tests and interop runs).
  enum class Records : std::uint8_t { public_keys, anything };

  HostBrain(node::HostConfig config, crypto::PrivateKey key, Records records, EventFunction events, Env& env,
            Now now);

  node::Host& host() noexcept override { return host_; }
  void start(Now) override {}
  void on(node::EdgeEvent event, Now now) override { host_.on(std::move(event), now); }
  void drain(Now now, CommandSink& sink) override;
  Instant deadline() const override { return host_.deadline(); }
  void on_deadline(Now now) override { host_.on_deadline(now); }
  void begin_shutdown(Now) override {}
  bool ready_to_close(Now) const override { return true; }

 private:
  kad::PublicKeyValidator public_keys_;
  kad::PermissiveValidator anything_;
  kad::Validators validators_;
  EventFunction events_;
  node::Host host_;
};

}  // namespace starling::runtime
