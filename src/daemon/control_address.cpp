#include "daemon/control_address.hpp"

#include <sys/un.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "format/varint.hpp"

namespace starling::daemon {

std::optional<std::string> unix_path(const Multiaddr& address) {
  const auto parts = address.parts();
  if (parts.size() != 1 || parts.front().protocol != AddrProtocol::unix) return std::nullopt;
  return to_text(parts.front().value);
}

Result<Endpoint> control_endpoint(const Multiaddr& address) {
  if (const auto path = unix_path(address)) {
    if (path->size() >= sizeof(sockaddr_un::sun_path)) return fail(Errc::bad_address);
    return Endpoint(asio::local::stream_protocol::endpoint(*path));
  }
  const auto ip = address.as_tcp();
  if (!ip || address.peer_id()) return fail(Errc::bad_address);
  if (ip->v6) {
    asio::ip::address_v6::bytes_type bytes;
    std::copy_n(ip->ip.begin(), bytes.size(), bytes.begin());
    return Endpoint(asio::ip::tcp::endpoint(asio::ip::address_v6(bytes), ip->port));
  }
  asio::ip::address_v4::bytes_type bytes;
  std::copy_n(ip->ip.begin(), bytes.size(), bytes.begin());
  return Endpoint(asio::ip::tcp::endpoint(asio::ip::address_v4(bytes), ip->port));
}

Result<Endpoint> control_endpoint(ByteView address) {
  if (const auto parsed = Multiaddr::from_bytes(address)) return control_endpoint(*parsed);
  const auto protocol = format::read_minimal_varint(address);
  if (!protocol || protocol->value != static_cast<std::uint64_t>(AddrProtocol::unix))
    return fail(Errc::bad_address);
  const auto rest = address.subspan(protocol->size);
  const auto length = format::read_minimal_varint(rest);
  if (!length || length->value != rest.size() - length->size) return fail(Errc::bad_address);
  const auto parsed = Multiaddr::parse("/unix/" + to_text(rest.subspan(length->size)));
  if (!parsed) return fail(Errc::bad_address);
  return control_endpoint(*parsed);
}

}  // namespace starling::daemon
