#include "api/unix_listener.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace starling::api {
namespace {

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return address;
}

int open_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

/// True when the process behind the socket file is gone, so that the file may be replaced.
bool is_stale(const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(address.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const int probe = open_socket();
  if (probe < 0) return false;
  const bool refused = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
                       errno == ECONNREFUSED;
  ::close(probe);
  return refused;
}

}  // namespace

Result<int> open_unix_listener(const std::filesystem::path& path, int backlog) {
  if (path.native().size() >= sizeof(sockaddr_un::sun_path)) return fail(Errc::socket_path);
  const sockaddr_un address = address_of(path);
  if (is_stale(address)) ::unlink(address.sun_path);
  const int listener = open_socket();
  if (listener < 0) return fail(Errc::cannot_listen);
  // The file is born with mode 0600: nobody gets in between bind and chmod.
  const mode_t old_mask = ::umask(0177);
  const bool bound = ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::umask(old_mask);
  if (bound && ::listen(listener, backlog) == 0) return listener;
  if (bound) ::unlink(address.sun_path);
  ::close(listener);
  return fail(Errc::cannot_listen);
}

}  // namespace starling::api
