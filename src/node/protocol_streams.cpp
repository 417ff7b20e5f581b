#include "node/protocol_streams.hpp"

#include "agent/names.hpp"
#include "gossip/strict_sign.hpp"
#include "identify/codec.hpp"
#include "identify/collector.hpp"
#include "node/errors.hpp"
#include "node/gossip_streams.hpp"
#include "node/limits.hpp"
#include "node/request_streams.hpp"
#include "ping/pinger.hpp"
#include "ping/responder.hpp"

namespace starling::node {
namespace {

/// What a teller says: the same for identify and push, but for the observed address, which only the peer can
/// use.
identify::Info describe(const LocalInfo& local, const Multiaddr& remote) {
  identify::Info info;
  info.protocol_version = local.protocol_version;
  info.agent_version = local.agent_version;
  info.public_key = local.key.public_key();
  info.listen_addrs = local.listen_addrs;
  info.observed_addr = remote;
  info.protocols = local.protocols;
  info.signed_peer_record = local.signed_record;
  return info;
}

class IdentifyTeller final : public StreamHandler {
 public:
  Result<void> on_open(StreamIo& io) override {
    for (const Bytes& message : identify::encode(describe(io.local(), io.remote()))) io.write(message);
    io.finish();
    return {};
  }
  Result<std::size_t> on_data(ByteView bytes, StreamIo&) override { return bytes.size(); }
};

class IdentifyListener final : public StreamHandler {
 public:
  enum class Purpose : std::uint8_t { answer, push };
  IdentifyListener(Purpose purpose, std::shared_ptr<const identify::Info> known, Instant now)
      : purpose_(purpose), known_(std::move(known)), collector_(now) {}

  Result<void> on_open(StreamIo& io) override {
    // Closing our side at once tells the responder that nothing follows; a pusher gets nothing from us
    // anyway.
    io.finish();
    return {};
  }
  Result<std::size_t> on_data(ByteView bytes, StreamIo&) override {
    STARLING_TRY(collector_.receive(bytes));
    return bytes.size();
  }
  Result<void> on_end(StreamIo& io) override {
    STARLING_ASSIGN(identify::Info info, collector_.finish());
    STARLING_TRY(identify::verify(info, io.peer()));
    if (purpose_ == Purpose::push) {
      if (!known_) return {};  // identify itself is under way and will say it all
      identify::Info merged = *known_;
      identify::merge_push(merged, info);
      info = std::move(merged);
    }
    io.tell(up::Identified{io.conn(), std::make_shared<const identify::Info>(std::move(info))});
    return {};
  }
  void on_gone(Error, StreamIo& io) override {
    if (purpose_ == Purpose::answer) io.env().metrics.add("identify_failed");
  }
  Instant deadline() const override { return collector_.deadline(); }
  Result<void> on_deadline(StreamIo& io) override { return collector_.on_deadline(io.now()); }
  std::size_t held_bytes() const override { return collector_.buffered_bytes(); }

 private:
  Purpose purpose_;
  std::shared_ptr<const identify::Info> known_;
  identify::Collector collector_;
};

class PingEcho final : public StreamHandler {
 public:
  explicit PingEcho(Instant now) : responder_(now) {}
  Result<std::size_t> on_data(ByteView bytes, StreamIo& io) override {
    if (io.room() == 0) return 0;
    const std::size_t taken = responder_.receive(bytes, io.now());
    const ByteView answer = responder_.to_send();
    io.write(answer);
    responder_.sent(answer.size());
    return taken;
  }
  Instant deadline() const override { return responder_.deadline(); }
  Result<void> on_deadline(StreamIo& io) override { return responder_.on_deadline(io.now()); }

 private:
  ping::Responder responder_;
};

class PingAsker final : public StreamHandler {
 public:
  explicit PingAsker(AskId ask) : ask_(ask) {}
  Result<void> on_open(StreamIo& io) override {
    pinger_.start(io.env().rng, io.now());
    const ByteView bytes = pinger_.to_send();
    io.write(bytes);
    pinger_.sent(bytes.size());
    return {};
  }
  Result<std::size_t> on_data(ByteView bytes, StreamIo& io) override {
    STARLING_ASSIGN(const auto rtt, pinger_.receive(bytes, io.now()));
    if (rtt) {
      done_ = true;
      io.tell(up::Pinged{ask_, *rtt});
      io.finish();
    }
    return bytes.size();
  }
  Result<void> on_end(StreamIo&) override { return done_ ? Result<void>() : fail(Errc::stream_reset); }
  void on_gone(Error error, StreamIo& io) override {
    if (!done_) io.tell(up::Pinged{ask_, fail(error)});
  }
  Instant deadline() const override { return pinger_.deadline(); }
  Result<void> on_deadline(StreamIo& io) override { return pinger_.on_deadline(io.now()); }

 private:
  AskId ask_;
  ping::Pinger pinger_;
  bool done_ = false;
};

}  // namespace

InboundKind inbound_kind(std::string_view protocol, const LocalInfo& local) noexcept {
  if (protocol == identify::kProtocolId) return InboundKind::identify;
  if (protocol == identify::kPushProtocolId) return InboundKind::identify_push;
  if (protocol == ping::kProtocolId) return InboundKind::ping;
  if (!local.kad_protocol.empty() && protocol == local.kad_protocol) return InboundKind::kad;
  if (local.gossip && gossip::protocol_of(protocol)) return InboundKind::gossip;
  if (protocol == agent::kPresenceProtocol) return InboundKind::presence;
  return InboundKind::application;
}

std::size_t streams_max(InboundKind kind) noexcept {
  switch (kind) {
    case InboundKind::identify:
    case InboundKind::identify_push: return kIdentifyStreamsMax;
    case InboundKind::ping: return kPingStreamsMax;
    case InboundKind::kad: return kKadStreamsMax;
    case InboundKind::gossip: return 2;  // the new one replaces the old
    case InboundKind::presence: return kPresenceStreamsMax;
    case InboundKind::application: return kInboundStreamsMax;
  }
  return 0;
}

std::unique_ptr<StreamHandler> make_inbound_handler(InboundKind kind,
                                                    std::shared_ptr<const identify::Info> known,
                                                    Instant now) {
  switch (kind) {
    case InboundKind::identify: return make_identify_teller();
    case InboundKind::identify_push:
      return std::make_unique<IdentifyListener>(IdentifyListener::Purpose::push, std::move(known), now);
    case InboundKind::ping: return std::make_unique<PingEcho>(now);
    case InboundKind::kad: return make_kad_answerer(now);
    case InboundKind::gossip: return make_gossip_receiver();
    case InboundKind::presence: return make_presence_answerer(now);
    case InboundKind::application: return nullptr;
  }
  return nullptr;
}

std::unique_ptr<StreamHandler> make_identify_asker(Instant now) {
  return std::make_unique<IdentifyListener>(IdentifyListener::Purpose::answer, nullptr, now);
}
std::unique_ptr<StreamHandler> make_identify_teller() { return std::make_unique<IdentifyTeller>(); }
std::unique_ptr<StreamHandler> make_ping_asker(AskId ask) { return std::make_unique<PingAsker>(ask); }

}  // namespace starling::node
