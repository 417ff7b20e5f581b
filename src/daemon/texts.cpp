#include "daemon/texts.hpp"

#include "format/multiaddr.hpp"
#include "format/peer_id.hpp"

namespace starling::daemon {

Bytes peer_bytes(const std::string& peer) {
  const auto id = PeerId::parse(peer);
  return id ? to_bytes(id->bytes()) : Bytes();
}

Bytes address_bytes(const std::string& address) {
  const auto parsed = Multiaddr::parse(address);
  return parsed ? to_bytes(parsed->bytes()) : Bytes();
}

std::vector<Bytes> all_address_bytes(const std::vector<std::string>& addresses) {
  std::vector<Bytes> all;
  for (const auto& address : addresses) all.push_back(address_bytes(address));
  return all;
}

std::vector<std::string> bare_addresses(const Host& host) {
  std::vector<std::string> all;
  for (const auto& address : host.addresses())
    if (const auto parsed = Multiaddr::parse(address)) all.push_back(parsed->without_peer_id().to_string());
  return all;
}

}  // namespace starling::daemon
