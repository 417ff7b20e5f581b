#include "node/gossip_streams.hpp"

#include <algorithm>

#include "format/varint.hpp"
#include "gossip/out_queue.hpp"
#include "node/errors.hpp"
#include "node/limits.hpp"
#include "node/protocol_streams.hpp"

namespace starling::node {
namespace {

class GossipReceiver final : public StreamHandler {
 public:
  Result<std::size_t> on_data(ByteView bytes, StreamIo& io) override {
    frames_.receive(bytes);
    while (true) {
      STARLING_ASSIGN(const auto body, frames_.next());
      if (!body) return bytes.size();
      STARLING_ASSIGN(gossip::Rpc rpc, gossip::decode(*body));
      io.tell(up::GossipReceived{io.conn(), std::move(rpc)});
    }
  }
  std::size_t held_bytes() const override { return frames_.buffered_bytes(); }

 private:
  format::FrameReader frames_{gossip::kRpcBytesMax};
};

/// Writes RPCs as fast as the stream takes them; what waits is bounded and ordered by gossip::OutQueue.
class GossipSender final : public StreamHandler {
 public:
  explicit GossipSender(gossip::Protocol protocol) : protocol_(protocol) {}

  Result<void> on_open(StreamIo& io) override {
    io.tell(up::GossipOpened{io.conn(), protocol_});
    return {};
  }
  /// Nothing is ever said in this direction.
  Result<std::size_t> on_data(ByteView bytes, StreamIo&) override { return bytes.size(); }
  Result<void> on_drained(StreamIo& io) override {
    pump(io);
    return {};
  }
  Result<void> on_command(StreamCommand command, StreamIo& io) override {
    auto& send = std::get<down::SendGossip>(command);
    switch (queue_.push(std::move(send.rpc), send.lane)) {
      case gossip::Pushed::queued: break;
      case gossip::Pushed::trimmed: io.env().metrics.add("gossip_queue_trimmed"); break;
      case gossip::Pushed::refused: io.env().metrics.add("gossip_own_refused"); break;
      case gossip::Pushed::overflow: return fail(Errc::slow_peer);
    }
    pump(io);
    return {};
  }
  void on_gone(Error, StreamIo& io) override { io.tell(up::GossipClosed{io.conn()}); }
  std::size_t held_bytes() const override { return queue_.waiting_bytes(); }
  std::size_t backlog_bytes() const override {
    return std::max(queue_.waiting_bytes(), queue_.waiting_messages() * kBacklogBytesPerMessage);
  }

 private:
  void pump(StreamIo& io) {
    while (io.room() > 0) {
      const auto frame = queue_.next_frame();
      if (!frame) return;
      for (const Slice& part : frame->parts) io.write(part);
    }
  }

  gossip::Protocol protocol_;
  gossip::OutQueue queue_;
};

}  // namespace

std::unique_ptr<StreamHandler> make_gossip_receiver() { return std::make_unique<GossipReceiver>(); }
std::unique_ptr<StreamHandler> make_gossip_sender(gossip::Protocol protocol) {
  return std::make_unique<GossipSender>(protocol);
}

std::string_view gossip_protocol_id(gossip::Protocol protocol) noexcept {
  switch (protocol) {
    case gossip::Protocol::meshsub_1_1: return gossip::kMeshsub11;
    case gossip::Protocol::meshsub_1_0: return gossip::kMeshsub10;
    case gossip::Protocol::floodsub_1_0: return gossip::kFloodsub10;
  }
  return {};
}

}  // namespace starling::node
