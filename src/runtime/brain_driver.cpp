#include "runtime/brain_driver.hpp"

#include <algorithm>

#include "runtime/errors.hpp"

namespace starling::runtime {

BrainDriver::BrainDriver(std::unique_ptr<Brain> brain, std::vector<Shard*> shards)
    : home_(*shards.front()),
      shards_(std::move(shards)),
      outboxes_(shards_.size()),
      brain_(std::move(brain)),
      dials_on_(shards_.size(), 0) {
  home_.host_brain(*this);
}

BrainDriver::~BrainDriver() = default;

Result<void> BrainDriver::start(const std::vector<Multiaddr>& listen, Now now) {
  if (listen.size() > kListenersMax) return fail(Errc::too_many_listeners);
  std::vector<std::unique_ptr<Listener>> opened;
  std::vector<Multiaddr> addresses;
  for (const Multiaddr& address : listen) {
    const auto ip = address.as_tcp();
    if (!ip) return fail(Errc::bad_listen_address);
    STARLING_ASSIGN(Descriptor socket, listen_on(*ip));
    const auto bound = local_address(socket.get());
    if (!bound) return fail(Errc::cannot_listen);
    for (auto& advertised : advertised_for(*bound)) addresses.push_back(std::move(advertised));
    opened.push_back(std::make_unique<Listener>(
        home_, std::move(socket),
        [this](const IpPort& remote) { return brain_->host().admit_inbound(remote); },
        [this](Descriptor accepted, const IpPort& remote) { take_in(std::move(accepted), remote); }));
  }
  listeners_ = std::move(opened);
  listening_ = addresses;
  drain(now);  // the shards learn who we are before the first connection comes
  brain_->host().set_listening(std::move(addresses), now);
  drain(now);
  brain_->start(now);
  drain(now);
  for (const auto& listener : listeners_) STARLING_TRY(listener->start());
  return {};
}

void BrainDriver::take_in(Descriptor socket, const IpPort& remote) {
  const std::size_t target = next_accept_++ % shards_.size();
  const Multiaddr address = Multiaddr::tcp(remote);
  if (shards_[target] == &home_) return home_.accepted(std::move(socket), address);
  outboxes_[target].emplace_back(Job([socket = std::move(socket), address](Shard& shard, Now) mutable {
    shard.accepted(std::move(socket), address);
  }));
}

void BrainDriver::on(node::EdgeEvent event, Now now) {
  const auto dial_over = [this](node::DialId dial) {
    const auto it = dials_.find(dial);
    if (it == dials_.end()) return;
    --dials_on_[it->second];
    dials_.erase(it);
  };
  if (const auto* connected = std::get_if<node::up::Connected>(&event))
    dial_over(connected->dial);
  else if (const auto* failed = std::get_if<node::up::DialFailed>(&event))
    dial_over(failed->dial);
  brain_->on(std::move(event), now);
}

void BrainDriver::drain(Now now) {
  brain_->drain(now, *this);
  deadline_ = brain_->deadline();
  if (stopping_ && !closing_ && brain_->ready_to_close(now)) close_all(now);
}

void BrainDriver::settle(Now now) {
  brain_->settle(now, *this);
  drain(now);
}

std::size_t BrainDriver::shard_of(node::ConnId conn) const noexcept {
  const auto index = static_cast<std::size_t>(conn.value() >> 56U);
  return index < shards_.size() ? index : 0;
}

std::size_t BrainDriver::least_loaded() const noexcept {
  std::size_t best = 0;
  for (std::size_t i = 1; i < shards_.size(); ++i) {
    if (shards_[i]->load() + dials_on_[i] < shards_[best]->load() + dials_on_[best]) best = i;
  }
  return best;
}

void BrainDriver::carry(std::size_t shard, node::EdgeCommand command) {
  if (shards_[shard] == &home_)
    home_.add(Mail(std::move(command)));
  else
    outboxes_[shard].emplace_back(std::move(command));
}

void BrainDriver::command(node::EdgeCommand command) {
  const auto conn_of = [](const auto& typed) -> node::ConnId {
    if constexpr (requires { typed.conn; })
      return typed.conn;
    else if constexpr (requires { typed.to.conn; })
      return typed.to.conn;
    else
      return {};
  };
  if (const auto* dial = std::get_if<node::down::Dial>(&command)) {
    const std::size_t shard = least_loaded();
    dials_.emplace(dial->dial, shard);
    ++dials_on_[shard];
    carry(shard, std::move(command));
  } else if (const auto* cancel = std::get_if<node::down::CancelDial>(&command)) {
    if (const auto it = dials_.find(cancel->dial); it != dials_.end()) carry(it->second, std::move(command));
  } else if (auto* name = std::get_if<node::down::Resolve>(&command)) {
    resolve(std::move(*name));
  } else if (std::holds_alternative<node::down::SetLocal>(command)) {
    for (std::size_t i = 0; i < shards_.size(); ++i) carry(i, command);
  } else {
    const std::size_t shard = shard_of(std::visit(conn_of, command));
    const auto* gossip = std::get_if<node::down::SendGossip>(&command);
    if (gossip != nullptr && gossip->lane == gossip::Lane::relay && shards_[shard] != &home_ &&
        shards_[shard]->inbox()->data_full()) {
      home_.metrics().add("mailbox_dropped", "what=\"relay\"");
      return;
    }
    carry(shard, std::move(command));
  }
}

void BrainDriver::resolve(node::down::Resolve command) {
  if (!resolver_) resolver_ = std::make_unique<Resolver>();
  resolver_->resolve(std::move(command.address), [inbox = home_.inbox(), id = command.resolve](auto found) {
    std::vector<Mail> mail;
    mail.emplace_back(node::EdgeEvent(node::up::Resolved{id, std::move(found)}));
    inbox->put(mail);
  });
}

void BrainDriver::send_mail() {
  for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->inbox()->put(outboxes_[i]);
}

void BrainDriver::begin_stop(std::function<void()> done, Now now) {
  stopped_ = std::move(done);
  stopping_ = true;
  for (const auto& listener : listeners_) listener->close();
  brain_->begin_shutdown(now);
  drain(now);
}

void BrainDriver::close_all(Now now) {
  closing_ = true;
  brain_->host().shut_down(now);
  brain_->drain(now, *this);
  resolver_.reset();
  const Instant deadline = now.mono + kDrainTimeMax;
  shards_running_ = shards_.size();
  const auto one_stopped = [this](Shard& home, Now at) {
    brain_->drain(at, *this);
    if (--shards_running_ == 0) home.at(at.mono, [done = std::move(stopped_)](Shard&, Now) { done(); });
  };
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Job job([deadline, inbox = home_.inbox(), one_stopped](Shard& shard, Now) {
      shard.begin_stop(deadline, [inbox, one_stopped](Shard&, Now) { inbox->post(one_stopped); });
    });
    if (shards_[i] == &home_)
      home_.add(Mail(std::move(job)));
    else
      outboxes_[i].emplace_back(std::move(job));
  }
}

}  // namespace starling::runtime
