#pragma once
// The state of one stream, and the lists it stands in.
#include <cstdint>

#include "base/time.hpp"
#include "proto/yamux/byte_queue.hpp"
#include "proto/yamux/limits.hpp"

namespace starling::yamux {

struct Stream;

/// The place of a stream in one list.
struct Link {
  Stream* previous = nullptr;
  Stream* next = nullptr;
  bool linked = false;
};

/// Events of a stream that were not polled yet, in the order in which poll() gives them.
enum Pending : std::uint8_t {
  kOpenedPending = 1,
  kReadablePending = 2,
  kRemoteFinishedPending = 4,
  kWritablePending = 8,
  kResetPending = 16,
  kClosedPending = 32,
};

/// A plain record; Engine keeps its invariants:
/// - `receive_credit` + bytes in `receive` ≤ `receive_window`; their difference is what we owe the peer;
/// - in the control list iff a SYN, ACK, window update or FIN waits; in the data list iff bytes and credit to
///   send exist.
struct Stream {
  explicit Stream(std::uint32_t stream_id) noexcept : id(stream_id) {}

  std::uint32_t id;
  std::uint32_t receive_window = kWindowInitial;
  std::uint32_t receive_credit = kWindowInitial;  ///< what the peer may still send
  std::uint32_t send_credit = kSendWindowInitial;
  Instant window_epoch =
      Instant::never();             ///< when the first data came, then when the window was last returned
  std::uint32_t grown_samples = 0;  ///< round trips that had been measured when the window last grew
  ByteQueue receive;
  ByteQueue send;

  Link event_link;
  Link control_link;
  Link data_link;

  std::uint32_t reset_code = 0;
  std::uint8_t pending = 0;  ///< Pending bits
  bool reset_by_us : 1 = false;
  bool inbound : 1 = false;
  bool unacknowledged : 1 = true;  ///< ours: no ACK came; the peer's: none left
  bool syn_due : 1 = false;
  bool ack_due : 1 = false;
  bool credit_due : 1 = false;
  bool finished : 1 = false;         ///< finish() was called: no more writes
  bool fin_sent : 1 = false;         ///< our direction is over
  bool remote_finished : 1 = false;  ///< the peer's direction is over
  bool wants_writable : 1 = false;
  bool gone : 1 = false;  ///< ended; lives only until its last event is polled

  bool fin_due() const noexcept { return finished && !fin_sent && send.empty(); }
  bool control_due() const noexcept { return syn_due || ack_due || credit_due || fin_due(); }
  /// What the peer's window lacks.
  std::uint32_t credit_owed() const noexcept {
    return receive_window - receive_credit - static_cast<std::uint32_t>(receive.size());
  }
};

static_assert(sizeof(Stream) <= 240, "an idle stream, its slot in the table included, stays below 300 bytes");

/// A FIFO threaded through its streams: no allocation, O(1) everywhere.
template <Link Stream::*Place>
class StreamList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  Stream* front() const noexcept { return first_; }
  /// No-op when it stands in the list already.
  void push_back(Stream& stream) noexcept {
    Link& link = stream.*Place;
    if (link.linked) return;
    link = {last_, nullptr, true};
    (last_ == nullptr ? first_ : (last_->*Place).next) = &stream;
    last_ = &stream;
  }
  /// No-op when it does not stand in the list.
  void remove(Stream& stream) noexcept {
    Link& link = stream.*Place;
    if (!link.linked) return;
    (link.previous == nullptr ? first_ : (link.previous->*Place).next) = link.next;
    (link.next == nullptr ? last_ : (link.next->*Place).previous) = link.previous;
    link = {};
  }

 private:
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
};

}  // namespace starling::yamux
