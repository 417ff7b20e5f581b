#include "node/connection.hpp"

#include <utility>

#include "base/assert.hpp"
#include "node/limits.hpp"

namespace starling::node {
namespace {

class SecureChannels final : public multistream::Protocols {
 public:
  bool supports(std::string_view protocol) const override {
    return protocol == noise::kProtocolId || protocol == tls::kProtocolId;
  }
};
class Muxers final : public multistream::Protocols {
 public:
  bool supports(std::string_view protocol) const override { return protocol == yamux::kProtocolId; }
};
const SecureChannels kSecureChannels;
const Muxers kMuxers;

std::vector<std::string> proposals(const std::vector<Security>& dial) {
  std::vector<std::string> out;
  for (const Security security : dial) out.emplace_back(protocol_id(security));
  return out;
}

// A channel of TLS says when it ends; what ends without a word is found by the driver, and the muxer's
// streams know by themselves whether they were finished.
Result<void> check_open(const noise::Transport&) { return {}; }
Result<void> check_open(const tls::Transport& transport) {
  if (transport.peer_closed()) return fail(Errc::connection_closed);
  return {};
}

// What is set behind a monostate.
template <class Variant, class Use>
auto use(Variant& variant, Use with) {
  auto* noise = std::get_if<1>(&variant);
  return noise != nullptr ? with(*noise) : with(std::get<2>(variant));
}

}  // namespace

struct Connection::Upgrade {
  const crypto::PrivateKey* identity;
  std::optional<PeerId> expected_peer;
  ConnectionsShared* shared;
  Rng* rng;
  Now began;
  Instant deadline;
  std::optional<multistream::Initiator> initiator;
  std::optional<multistream::Listener> listener;
  std::variant<std::monostate, noise::Handshake, tls::Handshake> handshake;
  bool negotiating_security = true;

  const std::optional<multistream::Outcome>& outcome() const {
    return initiator ? initiator->outcome() : listener->outcome();
  }
  Result<std::size_t> negotiate(ByteView bytes) {
    return initiator ? initiator->receive(bytes) : listener->receive(bytes);
  }
  bool shaking() const noexcept { return handshake.index() != 0; }
};

Connection::Connection(Setup setup, Env& env, Now now)
    : direction_(setup.direction),
      mux_config_(&setup.shared->mux),
      account_(setup.shared->budget),
      upgrade_(std::make_unique<Upgrade>()) {
  const bool dialler = direction_ == Direction::outbound;
  const auto& dial = setup.shared->dial;
  upgrade_->identity = setup.identity;
  upgrade_->expected_peer = std::move(setup.expected_peer);
  upgrade_->shared = setup.shared;
  upgrade_->rng = &env.rng;
  upgrade_->began = now;
  upgrade_->deadline = now.mono + (dialler ? kDialTimeout : kUpgradeTimeout);
  if (dialler) {
    upgrade_->initiator.emplace(proposals(dial), multistream::Lazy::yes, now.mono);
    if (upgrade_->initiator->may_write()) begin_handshake(dial.front(), now.mono);
  } else {
    upgrade_->listener.emplace(kSecureChannels, now.mono);
  }
  flush_upgrade();
}

Connection::~Connection() = default;

void Connection::begin_handshake(Security security, Instant now) {
  const bool dialler = direction_ == Direction::outbound;
  Upgrade& up = *upgrade_;
  if (security == Security::noise) {
    noise::Config config;
    config.expected_peer = up.expected_peer;
    config.muxers = {std::string(yamux::kProtocolId)};
    config.static_key = &up.shared->noise.get(*up.identity, *up.rng);
    const auto role = dialler ? noise::Role::initiator : noise::Role::responder;
    up.handshake.emplace<noise::Handshake>(role, *up.identity, *up.rng, std::move(config), now);
    return;
  }
  tls::Config config;
  config.expected_peer = up.expected_peer;
  config.muxers = {std::string(yamux::kProtocolId)};
  const auto role = dialler ? tls::Role::client : tls::Role::server;
  const Now at{now, up.began.wall + std::max(now - up.began.mono, Duration::zero())};
  up.handshake.emplace<tls::Handshake>(role, up.shared->tls.get(*up.identity, *up.rng), std::move(config),
                                       at);
}

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
  if (upgrade_->shaking()) use(upgrade_->handshake, [&](auto& handshake) { move_out(handshake, raw_out_); });
}

/// Until both sides know how to secure the connection.
Result<std::size_t> Connection::receive_negotiation(ByteView bytes, Instant now) {
  STARLING_ASSIGN(const std::size_t consumed, upgrade_->negotiate(bytes));
  const auto outcome = upgrade_->outcome();
  flush_upgrade();
  if (!outcome) return consumed;
  if (!*outcome) return fail(outcome->error());
  upgrade_->negotiating_security = false;
  upgrade_->initiator.reset();
  upgrade_->listener.reset();
  if (!upgrade_->shaking())
    begin_handshake((*outcome)->protocol == tls::kProtocolId ? Security::tls : Security::noise, now);
  flush_upgrade();
  return consumed;
}

template <class Secured>
Result<void> Connection::after_handshake(Secured secured, Instant now) {
  upgrade_->handshake.emplace<std::monostate>();
  peer_.emplace(ConnectionPeer{secured.peer, std::move(secured.key)});
  transport_ = std::move(secured.transport);
  if (secured.muxer) {
    if (*secured.muxer != yamux::kProtocolId) return fail(Errc::muxer_not_agreed);
    start_mux(now);
    return {};
  }
  negotiate_muxer(now);
  return {};
}

Result<std::size_t> Connection::receive_plain(ByteView bytes, Instant now) {
  if (upgrade_->negotiating_security) return receive_negotiation(bytes, now);
  return use(upgrade_->handshake, [&](auto& handshake) -> Result<std::size_t> {
    Result<std::size_t> consumed = 0;
    if constexpr (std::is_same_v<decltype(handshake), tls::Handshake&>)
      consumed = handshake.receive(bytes, now);
    else
      consumed = handshake.receive(bytes);
    flush_upgrade();  // after a failure too: it may have an alert to send
    if (!consumed || !handshake.complete()) return consumed;
    STARLING_TRY(after_handshake(handshake.take(), now));
    return consumed;
  });
}

void Connection::negotiate_muxer(Instant now) {
  if (direction_ == Direction::outbound) {
    upgrade_->initiator.emplace(std::vector<std::string>{std::string(yamux::kProtocolId)},
                                multistream::Lazy::no, now);
  } else {
    upgrade_->listener.emplace(kMuxers, now);
  }
  flush_upgrade();
}

void Connection::start_mux(Instant now) {
  upgrade_.reset();
  raw_out_.shrink_to_fit();
  const auto role = direction_ == Direction::outbound ? yamux::Role::client : yamux::Role::server;
  mux_ = std::make_unique<yamux::Session>(role, *mux_config_, now, &account_);
}

Result<void> Connection::receive_plaintext(ByteView plaintext, bool lent, Instant now) {
  if (!mux_) {
    STARLING_ASSIGN(const std::size_t taken, upgrade_->negotiate(plaintext));
    const auto outcome = upgrade_->outcome();
    flush_upgrade();
    if (!outcome) return {};
    if (!*outcome) return fail(outcome->error());
    start_mux(now);
    plaintext = plaintext.subspan(taken);
    if (plaintext.empty()) return {};
  }
  return lent ? mux_->lend(plaintext, now) : mux_->receive(plaintext, now);
}

/// Opens the records at the front of `bytes`; keeps what is left of an incomplete one.
template <class Transport>
Result<void> Connection::receive_records(Transport& transport, MutableByteView bytes, Instant now) {
  // Noise opens a record where it lies; TLS in memory that the next record takes over.
  constexpr bool kInPlace = std::is_same_v<Transport, noise::Transport>;
  if (!partial_.empty()) {
    // Only as much as the record at the front still wants is copied; the rest is opened where it lies.
    while (!bytes.empty()) {
      const std::size_t wanted = Transport::wanted_bytes(partial_);
      const std::size_t n = std::min(bytes.size(), wanted - std::min(wanted, partial_.size()));
      append(partial_, bytes.first(n));
      bytes = bytes.subspan(n);
      STARLING_ASSIGN(const auto opened, transport.open_next(partial_));
      if (!opened) continue;
      joined_ = std::exchange(partial_, {});  // where the plaintext is
      STARLING_TRY(receive_plaintext(opened->plaintext, kInPlace, now));
      STARLING_TRY(check_open(transport));
      break;
    }
  }
  while (!bytes.empty()) {
    STARLING_ASSIGN(const auto opened, transport.open_next(bytes));
    if (!opened) {
      partial_.assign(bytes.begin(), bytes.end());
      return {};
    }
    bytes = bytes.subspan(opened->consumed);
    STARLING_TRY(receive_plaintext(opened->plaintext, kInPlace, now));
    STARLING_TRY(check_open(transport));
  }
  return {};
}

void Connection::settle() {
  if (mux_) mux_->settle();
  Bytes().swap(joined_);
}

Result<void> Connection::lend(MutableByteView bytes, Instant now) {
  STARLING_ASSERT(joined_.empty());
  bytes_received_ += bytes.size();
  while (!secured() && !bytes.empty()) {
    STARLING_ASSIGN(const std::size_t consumed, receive_plain(bytes, now));
    bytes = bytes.subspan(consumed);
    if (consumed == 0 && !secured()) break;
  }
  if (!secured()) return {};
  return use(transport_, [&](auto& transport) { return receive_records(transport, bytes, now); });
}

bool Connection::has_output() const {
  if (!raw_out_.empty() || !early_out_.empty() || (mux_ && mux_->has_output())) return true;
  const auto* tls = std::get_if<tls::Transport>(&transport_);
  return tls != nullptr && tls->has_output();
}

Result<void> Connection::produce(Bytes& out, std::size_t bytes_max, Instant now) {
  append(out, raw_out_);
  raw_out_.clear();
  if (!secured()) return {};
  return use(transport_, [&](auto& transport) { return seal(transport, out, bytes_max, now); });
}

template <class Transport>
Result<void> Connection::seal(Transport& transport, Bytes& out, std::size_t bytes_max, Instant now) {
  if (!early_out_.empty()) {
    const ByteView part(early_out_);
    STARLING_TRY(transport.seal({&part, 1}, out));
    Bytes().swap(early_out_);
  }
  while (mux_ && mux_->has_output() && out.size() < bytes_max) {
    gather_.clear();
    if (mux_->gather(gather_, bytes_max - out.size(), now) == 0) break;
    const Result<void> sealed = transport.seal(gather_, out);
    mux_->sent();
    STARLING_TRY(sealed);
  }
  if constexpr (std::is_same_v<Transport, tls::Transport>) {
    if (closing_ && !(mux_ && mux_->has_output())) transport.close();
    if (transport.has_output()) return transport.seal({}, out);
  }
  return {};
}

void Connection::close() {
  closing_ = true;
  if (mux_) mux_->go_away();
}

Instant Connection::deadline() const { return mux_ ? mux_->deadline() : upgrade_->deadline; }

Result<void> Connection::on_deadline(Instant now) {
  if (mux_) return mux_->on_deadline(now);
  if (upgrade_->deadline <= now) return fail(Errc::dial_timeout);
  return {};
}

}  // namespace starling::node
