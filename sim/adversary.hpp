#pragma once
#include <memory>
#include <optional>

#include "identify/info.hpp"
#include "node/port.hpp"

namespace starling::sim {

/// A machine of its own in the place of an AgentNode: it speaks node/port.hpp and does as it likes.
///
/// One per adversarial node, owned by World. Call order as with every machine: start() once, then inputs,
/// drain poll(), re-arm deadline(). Derive from it to try an attack; the edge vouches for peer ids, so an
/// adversary may carry any id but cannot speak in another's name.
class Adversary {
 public:
  virtual ~Adversary() = default;
  virtual const PeerId& id() const = 0;
  /// What identify tells of it.
  virtual std::shared_ptr<const identify::Info> info() const = 0;
  virtual void start(Now now) = 0;
  virtual void on(node::EdgeEvent event, Now now) = 0;
  virtual std::optional<node::EdgeCommand> poll(Now now) = 0;
  virtual Instant deadline() const = 0;
  virtual void on_deadline(Now now) = 0;
};

}  // namespace starling::sim
