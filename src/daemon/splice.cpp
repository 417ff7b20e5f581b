#include "daemon/splice.hpp"

#include <boost/asio/write.hpp>

#include "daemon/limits.hpp"

namespace starling::daemon {

Splice::Splice(ControlLoop& loop, Socket socket, Stream stream, Seat seat)
    : loop_(loop), socket_(std::move(socket)), stream_(std::move(stream)), seat_(std::move(seat)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

void Splice::start(Bytes first) {
  if (first.empty())
    read_socket();
  else
    write_stream(first);
  read_stream();
}

// ---------------------------------------------------------------------------------------------- client to
// peer

void Splice::read_socket() {
  // Waits for bytes without a buffer: an idle stream holds none.
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    if (self->over_) return;
    if (error) return self->abort();
    self->from_socket_.resize(kSpliceBytes);
    const std::size_t count = self->socket_.read_some(asio::buffer(self->from_socket_), error);
    if (error == asio::error::would_block || error == asio::error::interrupted) return self->read_socket();
    if (error == asio::error::eof) return self->on_socket_end();
    if (error) return self->abort();
    self->write_stream(ByteView(self->from_socket_).first(count));
  });
}

void Splice::write_stream(ByteView bytes) {
  stream_.write(bytes, [self = shared_from_this()](const Outcome<void>& written) {
    self->loop_.post([self, ok = written.ok()] {
      if (self->over_) return;
      if (!ok) return self->abort();
      self->read_socket();
    });
  });
  Bytes().swap(from_socket_);  // the stream has a copy
}

void Splice::on_socket_end() {
  Bytes().swap(from_socket_);
  socket_ended_ = true;
  stream_.finish();
  close_when_over();
}

// ---------------------------------------------------------------------------------------------- peer to
// client

void Splice::read_stream() {
  stream_.read([self = shared_from_this()](const Outcome<ByteSpan>& read) {
    if (!read) return self->loop_.post([self] { self->abort(); });
    if (read->empty()) return self->loop_.post([self] { self->on_stream_end(); });
    self->loop_.post([self, bytes = to_bytes(*read)]() mutable { self->write_socket(std::move(bytes)); });
  });
}

void Splice::write_socket(Bytes bytes) {
  if (over_) return;
  from_stream_ = std::move(bytes);
  asio::async_write(socket_, asio::buffer(from_stream_),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                      if (self->over_) return;
                      if (error) return self->abort();
                      Bytes().swap(self->from_stream_);
                      self->read_stream();
                    });
}

void Splice::on_stream_end() {
  if (over_) return;
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  stream_ended_ = true;
  close_when_over();
}

// ---------------------------------------------------------------------------------------------- both

void Splice::close_when_over() {
  if (!socket_ended_ || !stream_ended_) return;
  over_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  stream_ = Stream();
  seat_ = Seat();
}

void Splice::abort() {
  if (over_) return;
  over_ = true;
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
  stream_.reset();
  stream_ = Stream();
  seat_ = Seat();
}

}  // namespace starling::daemon
