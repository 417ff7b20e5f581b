#pragma once
/// Streams of bytes between two peers, many of them on one connection.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "starling/outcome.hpp"

namespace starling {

namespace sdk {
class StreamTable;
struct StreamState;
struct ConnectionState;
}  // namespace sdk

using ByteSpan = std::span<const std::uint8_t>;

/// A handle to one stream; cheap to copy. When the last copy goes, a stream that was not finished is reset;
/// of one that was, what is written still goes out and what still comes is thrown away.
///
/// Threads: methods may be called from anywhere; callbacks come on the thread that owns the connection, and
/// calls made there take effect at once. A callback may come before the call that asked for it returns. Every
/// callback comes exactly once. Do not block in one. Backpressure: what is not read is not acknowledged, so
/// the peer stops sending; a write is complete when it was accepted for sending, so who waits for that before
/// the next one holds no more than the stream's own buffer.
class Stream {
 public:
  using ReadDone = std::function<void(Outcome<ByteSpan>)>;
  using WriteDone = std::function<void(Outcome<void>)>;

  Stream() noexcept = default;
  Stream(const Stream& other) noexcept;
  Stream(Stream&& other) noexcept = default;
  Stream& operator=(Stream other) noexcept;
  ~Stream();

  explicit operator bool() const noexcept { return state_ != nullptr; }
  const std::string& protocol() const noexcept;
  /// The other side's peer id.
  std::string peer() const;
  /// Where the connection comes from or goes to, `/ip4/…/tcp/…`.
  std::string remote_address() const;
  bool inbound() const noexcept;

  /// Some bytes, at least one, as soon as there are any; none at the end of the stream. They are valid during
  /// the callback and are consumed when it returns. One read at a time.
  void read(ReadDone done);
  /// Queues bytes behind those written before; they are copied. `done` when the last of them was accepted for
  /// sending.
  void write(ByteSpan bytes, WriteDone done = {});
  /// No more writes; what was written still goes out. Reading goes on.
  void finish();
  /// Ends both directions now.
  void reset();

 private:
  friend class sdk::StreamTable;
  explicit Stream(std::shared_ptr<sdk::StreamState> state) noexcept;
  void release() noexcept;
  std::shared_ptr<sdk::StreamState> state_;
};

/// When a stream of a single protocol is handed out: at once, trusting that the peer speaks it (a refusal
/// comes as a failure of the stream, and a round trip is saved), or when the peer has agreed.
enum class Agreement : std::uint8_t { presumed, awaited };

/// A handle to one connection; cheap to copy. It does not keep the connection open.
class Connection {
 public:
  using OpenDone = std::function<void(Outcome<Stream>)>;

  Connection() noexcept = default;
  explicit Connection(std::shared_ptr<const sdk::ConnectionState> state) noexcept
      : state_(std::move(state)) {}
  explicit operator bool() const noexcept { return state_ != nullptr; }
  std::string peer() const;
  std::string remote_address() const;
  /// A stream of the first of `protocols` that the peer speaks; `agreement` matters for a single one.
  void open_stream(std::vector<std::string> protocols, OpenDone done,
                   Agreement agreement = Agreement::presumed) const;
  /// `work` on the thread that owns the connection, where calls to its streams take effect at once.
  void post(std::function<void()> work) const;

 private:
  std::shared_ptr<const sdk::ConnectionState> state_;
};

}  // namespace starling
