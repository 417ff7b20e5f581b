#include "daemon/echo.hpp"

namespace starling::daemon {
namespace {

// What was read is written before more is read: a peer that does not take its echo has to wait.
void echo_next(Stream stream) {
  const auto reading = stream;
  Stream(reading).read([stream = std::move(stream)](const Outcome<ByteSpan>& read) mutable {
    if (!read) return;
    if (read->empty()) return stream.finish();
    auto writing = stream;
    writing.write(*read, [stream = std::move(stream)](const Outcome<void>& written) mutable {
      if (written) echo_next(std::move(stream));
    });
  });
}

}  // namespace

void serve_echo(Host& host) {
  host.set_stream_handler(kEchoProtocol, [](Stream stream) { echo_next(std::move(stream)); });
}

}  // namespace starling::daemon
