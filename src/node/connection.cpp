#include "node/connection.hpp"

#include "node/limits.hpp"

namespace starling::node {
namespace {

/// A set of exactly one protocol.
class OnlyProtocol final : public multistream::Protocols {
 public:
  explicit OnlyProtocol(std::string_view name) noexcept : name_(name) {}
  bool supports(std::string_view protocol) const override { return protocol == name_; }

 private:
  std::string_view name_;
};
const OnlyProtocol kOnlyNoise(noise::kProtocolId);
const OnlyProtocol kOnlyYamux(yamux::kProtocolId);

}  // namespace

struct Connection::Upgrade {
  std::optional<multistream::Initiator> initiator;
  std::optional<multistream::Listener> listener;
  std::optional<noise::Handshake> handshake;
  bool negotiating_security = true;
  Instant deadline;
};

Connection::Connection(Setup setup, Env& env, Instant now)
    : direction_(setup.direction),
      mux_config_(&setup.shared->mux),
      account_(setup.shared->budget),
      upgrade_(std::make_unique<Upgrade>()) {
  const bool dialler = direction_ == Direction::outbound;
  upgrade_->deadline = now + (dialler ? kDialTimeout : kUpgradeTimeout);
  noise::Config config;
  config.expected_peer = std::move(setup.expected_peer);
  config.muxers = {std::string(yamux::kProtocolId)};
  const auto role = dialler ? noise::Role::initiator : noise::Role::responder;
  upgrade_->handshake.emplace(role, *setup.identity, env.rng, std::move(config), now);
  if (dialler)
    upgrade_->initiator.emplace(std::vector<std::string>{std::string(noise::kProtocolId)},
                                multistream::Lazy::yes, now);
  else
    upgrade_->listener.emplace(kOnlyNoise, now);
  flush_upgrade();
}

Connection::~Connection() = default;

/// Moves what negotiation and handshake want to send into the outgoing bytes, in their order.
void Connection::flush_upgrade() {
  if (!upgrade_) return;
  const auto move_out = [](auto& machine, Bytes& out) {
    const ByteView bytes = machine.to_send();
    append(out, bytes);
    machine.sent(bytes.size());
  };
  Bytes& out = upgrade_->negotiating_security ? raw_out_ : early_out_;
  if (upgrade_->initiator) move_out(*upgrade_->initiator, out);
  if (upgrade_->listener) move_out(*upgrade_->listener, out);
  const bool may_shake =
      !upgrade_->negotiating_security || (upgrade_->initiator && upgrade_->initiator->may_write());
  if (upgrade_->handshake && may_shake) move_out(*upgrade_->handshake, raw_out_);
}

Result<std::size_t> Connection::receive_plain(ByteView bytes, Instant now) {
  std::size_t consumed = 0;
  if (upgrade_->negotiating_security) {
    auto taken =
        upgrade_->initiator ? upgrade_->initiator->receive(bytes) : upgrade_->listener->receive(bytes);
    if (!taken) return fail(taken.error());
    consumed += *taken;
    const auto& outcome =
        upgrade_->initiator ? upgrade_->initiator->outcome() : upgrade_->listener->outcome();
    flush_upgrade();
    if (!outcome) return consumed;
    if (!*outcome) return fail(outcome->error());
    upgrade_->negotiating_security = false;
    upgrade_->initiator.reset();
    upgrade_->listener.reset();
  }
  auto taken = upgrade_->handshake->receive(bytes.subspan(consumed));
  if (!taken) return fail(taken.error());
  consumed += *taken;
  flush_upgrade();
  if (upgrade_->handshake->complete()) STARLING_TRY(after_handshake(now));
  return consumed;
}

Result<void> Connection::after_handshake(Instant now) {
  noise::Secured secured = upgrade_->handshake->take();
  flush_upgrade();
  upgrade_->handshake.reset();
  peer_.emplace(ConnectionPeer{secured.peer, std::move(secured.key)});
  transport_.emplace(std::move(secured.transport));
  if (secured.muxer) {
    if (*secured.muxer != yamux::kProtocolId) return fail(Errc::muxer_not_agreed);
    start_mux(now);
    return {};
  }
  if (direction_ == Direction::outbound) {
    upgrade_->initiator.emplace(std::vector<std::string>{std::string(yamux::kProtocolId)},
                                multistream::Lazy::no, now);
  } else {
    upgrade_->listener.emplace(kOnlyYamux, now);
  }
  flush_upgrade();
  return {};
}

void Connection::start_mux(Instant now) {
  upgrade_.reset();
  raw_out_.shrink_to_fit();
  const auto role = direction_ == Direction::outbound ? yamux::Role::client : yamux::Role::server;
  mux_ = std::make_unique<yamux::Session>(role, *mux_config_, now, &account_);
}

Result<void> Connection::receive_plaintext(ByteView plaintext, Instant now) {
  if (!mux_) {
    auto taken = upgrade_->initiator ? upgrade_->initiator->receive(plaintext)
                                     : upgrade_->listener->receive(plaintext);
    if (!taken) return fail(taken.error());
    const auto outcome = upgrade_->initiator ? upgrade_->initiator->outcome() : upgrade_->listener->outcome();
    flush_upgrade();
    if (!outcome) return {};
    if (!*outcome) return fail(outcome->error());
    start_mux(now);
    plaintext = plaintext.subspan(*taken);
    if (plaintext.empty()) return {};
  }
  return mux_->receive(plaintext, now);
}

/// Opens the records at the front of `bytes`; keeps what is left of an incomplete one.
Result<void> Connection::receive_records(MutableByteView bytes, Instant now) {
  if (!partial_.empty()) {
    // Only as much as the record at the front still wants is copied; the rest is opened where it lies.
    while (!bytes.empty()) {
      const std::size_t wanted = noise::Transport::wanted_bytes(partial_);
      const std::size_t n = std::min(bytes.size(), wanted - std::min(wanted, partial_.size()));
      append(partial_, bytes.first(n));
      bytes = bytes.subspan(n);
      STARLING_ASSIGN(const auto opened, transport_->open_next(partial_));
      if (!opened) continue;
      const Result<void> received = receive_plaintext(opened->plaintext, now);
      Bytes().swap(partial_);
      STARLING_TRY(received);
      break;
    }
  }
  while (!bytes.empty()) {
    STARLING_ASSIGN(const auto opened, transport_->open_next(bytes));
    if (!opened) {
      partial_.assign(bytes.begin(), bytes.end());
      return {};
    }
    bytes = bytes.subspan(opened->consumed);
    STARLING_TRY(receive_plaintext(opened->plaintext, now));
  }
  return {};
}

Result<void> Connection::receive(MutableByteView bytes, Instant now) {
  bytes_received_ += bytes.size();
  while (!transport_ && !bytes.empty()) {
    STARLING_ASSIGN(const std::size_t consumed, receive_plain(bytes, now));
    bytes = bytes.subspan(consumed);
    if (consumed == 0 && !transport_) break;
  }
  return transport_ ? receive_records(bytes, now) : Result<void>();
}

bool Connection::has_output() const {
  return !raw_out_.empty() || !early_out_.empty() || (mux_ && mux_->has_output());
}

Result<void> Connection::produce(Bytes& out, std::size_t bytes_max, Instant now) {
  append(out, raw_out_);
  raw_out_.clear();
  if (!transport_) return {};
  if (!early_out_.empty()) {
    const ByteView part(early_out_);
    STARLING_TRY(transport_->seal({&part, 1}, out));
    Bytes().swap(early_out_);
  }
  while (mux_ && mux_->has_output() && out.size() < bytes_max) {
    gather_.clear();
    if (mux_->gather(gather_, bytes_max - out.size(), now) == 0) break;
    const Result<void> sealed = transport_->seal(gather_, out);
    mux_->sent();
    STARLING_TRY(sealed);
  }
  return {};
}

Instant Connection::deadline() const { return mux_ ? mux_->deadline() : upgrade_->deadline; }

Result<void> Connection::on_deadline(Instant now) {
  if (mux_) return mux_->on_deadline(now);
  if (upgrade_->deadline <= now) return fail(Errc::dial_timeout);
  return {};
}

}  // namespace starling::node
