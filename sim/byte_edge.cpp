#include "sim/byte_edge.hpp"

#include "node/errors.hpp"

namespace starling::sim {
namespace {

constexpr std::size_t kOutputBytes = 64 * 1024;  ///< asked of a session at once, as a shard does

}  // namespace

ByteEdge::End* ByteEdge::find(node::ConnId conn) {
  const auto it = ends_.find(conn);
  return it == ends_.end() ? nullptr : &it->second;
}

node::Session* ByteEdge::announced(node::ConnId conn) {
  End* end = find(conn);
  return end != nullptr && !end->closing && end->session.announced() ? &end->session : nullptr;
}

void ByteEdge::touch(node::ConnId conn) {
  End* end = find(conn);
  if (end != nullptr && !std::exchange(end->dirty, true)) dirty_.push_back(conn);
}

void ByteEdge::open(node::ConnId conn, node::DialId dial, node::Direction direction, const Multiaddr& remote,
                    std::optional<PeerId> expected_peer, Now now) {
  node::Session::Setup setup{conn, dial, direction, remote, std::move(expected_peer), local_, &shared_};
  const auto [it, fresh] = ends_.try_emplace(conn, std::move(setup), env_, now);
  STARLING_ASSERT(fresh);
  it->second.dial = dial;
  touch(conn);
}

void ByteEdge::receive(node::ConnId conn, MutableByteView bytes, Instant now) {
  End* end = find(conn);
  if (end == nullptr || end->closing) return;
  if (const auto received = end->session.receive(bytes, now); !received) close(conn, received.error(), now);
  touch(conn);
}

void ByteEdge::lost(node::ConnId conn, const Error& reason, Instant now) {
  if (End* end = find(conn)) end->silent = true;
  close(conn, reason, now);
}

void ByteEdge::close(node::ConnId conn, const Error& reason, Instant now) {
  End* end = find(conn);
  if (end == nullptr) return;
  end->session.close(reason, now);
  end->closing = true;
  touch(conn);
}

bool ByteEdge::cancel(node::DialId dial, Instant now) {
  for (auto& [conn, end] : ends_) {
    if (end.dial != dial || end.session.announced()) continue;
    close(conn, node::make_error(node::Errc::connection_closed), now);
    return true;
  }
  return false;
}

void ByteEdge::apply(const node::down::SetLocal& command, Instant now) {
  local_ = command.info;
  for (auto& [conn, end] : ends_) {
    if (end.closing) continue;
    end.session.apply(command, now);
    touch(conn);
  }
}

/// There are no application streams in the simulator: what a session says of them is nobody's business.
void ByteEdge::drain(End& end) {
  while (auto event = end.session.poll())
    if (auto* edge = std::get_if<node::EdgeEvent>(&*event)) events_.push_back(std::move(*edge));
}

std::optional<node::EdgeEvent> ByteEdge::next_event() {
  for (std::size_t i = 0; events_.empty() && i < dirty_.size(); ++i)
    if (End* end = find(dirty_[i])) drain(*end);
  if (events_.empty()) return std::nullopt;
  std::optional<node::EdgeEvent> out(std::move(events_.front()));
  events_.pop_front();
  return out;
}

std::optional<ByteEdge::Output> ByteEdge::next_output(Instant now) {
  while (!dirty_.empty()) {
    const node::ConnId conn = dirty_.front();
    End* end = find(conn);
    STARLING_ASSERT(end != nullptr);
    if (end->session.has_output() && !end->silent) {
      Output out{conn, {}};
      if (const auto produced = end->session.produce(out.bytes, kOutputBytes, now); !produced) {
        end->silent = true;
        close(conn, produced.error(), now);
      }
      drain(*end);  // room made for writers
      if (!out.bytes.empty()) return out;
    }
    dirty_.pop_front();
    end->dirty = false;
    if (!end->closing) {
      arm(conn, *end);
      continue;
    }
    drain(*end);
    if (!end->armed.is_never()) deadlines_.erase({end->armed, conn});
    ends_.erase(conn);
    return Output{conn, {}};
  }
  return std::nullopt;
}

/// An entry that comes too early is harmless and left where it is: deadlines move back with every byte
/// received.
void ByteEdge::arm(node::ConnId conn, End& end) {
  const Instant wanted = end.session.deadline();
  if (wanted >= end.armed) return;
  if (!end.armed.is_never()) deadlines_.erase({end.armed, conn});
  end.armed = wanted;
  deadlines_.emplace(wanted, conn);
}

void ByteEdge::on_deadline(Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const node::ConnId conn = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    End* end = find(conn);
    STARLING_ASSERT(end != nullptr);
    end->armed = Instant::never();
    if (end->closing) continue;
    if (end->session.deadline() <= now) {
      if (const auto result = end->session.on_deadline(now); !result) close(conn, result.error(), now);
      touch(conn);
    } else {
      arm(conn, *end);
    }
  }
}

}  // namespace starling::sim
