#pragma once
// Messages under validation, and the copies that wait for the verdict. PROTOCOL.md §5, rows 1 and 2.
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"
#include "proto/gossip/message.hpp"
#include "proto/gossip/peer_ref.hpp"
#include "proto/gossip/router.hpp"

namespace starling::gossip {

/// One distinct encoding of a message, and who brought it.
struct Copy {
  MessagePtr message;
  PeerRef from;                 ///< first bringer
  double score = 0;             ///< its score on arrival
  std::vector<PeerRef> others;  ///< peers that brought the same bytes later
  bool brought_by(PeerRef peer) const noexcept;
};

struct Validation {
  MessageId message_id;
  Copy current;
  std::vector<Copy> waiting;  ///< other bytes under the same id: at most one of them can be honest
  Instant deadline;
};

/// What became of a copy of an id that is being validated.
enum class Held : std::uint8_t { same, waits, dropped };

/// The table of open validations.
///
/// Attack it resists: somebody who sees a message first sends forged copies under its id, so that the honest
/// copy is dropped as a duplicate. Here an id is closed only by a good signature; different bytes wait, one
/// copy per bringer and kWaitingCopiesMax per id; when there are more, the copy of the peer with the lowest
/// score goes, and only for a better one. Bounded by count (Config::validations_max) and by the bytes of
/// everything held.
class Validations {
 public:
  Validations(std::size_t count_max, std::size_t bytes_max) noexcept
      : count_max_(count_max), bytes_max_(bytes_max) {}

  /// Nothing when the table is full. The id must not be open.
  std::optional<ValidationId> begin(MessageId id, Copy copy, Instant deadline);
  /// Null when the id is not open.
  const Validation* find(const MessageId& id) const;
  /// Another copy of an open id. `evicted` gets the first bringer of a waiting copy that had to go for it.
  Held hold(const MessageId& id, Copy copy, std::optional<PeerRef>& evicted);
  /// Closes it and hands everything out.
  std::optional<Validation> take(ValidationId id);
  /// Opens it again with the first waiting copy as the current one. There must be one.
  ValidationId resume(Validation validation, Instant deadline);
  /// The oldest one whose deadline has passed.
  std::optional<ValidationId> overdue(Instant now) const;

  bool contains(const MessageId& id) const { return by_message_.contains(id); }
  std::size_t size() const noexcept { return open_.size(); }
  bool empty() const noexcept { return open_.empty(); }
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t memory_bytes() const noexcept;

 private:
  ValidationId open(Validation validation);

  std::size_t count_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Validation> open_;  // ids grow with time, so the first one is the oldest
  std::unordered_map<MessageId, std::uint64_t, BytesHash, BytesEqual> by_message_;
};

}  // namespace starling::gossip
