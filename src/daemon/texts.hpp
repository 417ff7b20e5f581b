#pragma once
// The host speaks of peers and addresses as text, the control protocol as bytes.
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "starling/host.hpp"

namespace starling::daemon {

// Of texts that the host has written.
Bytes peer_bytes(const std::string& peer);
Bytes address_bytes(const std::string& address);
std::vector<Bytes> all_address_bytes(const std::vector<std::string>& addresses);
/// Without a trailing `/p2p/…`, as go's daemon lists its own addresses.
std::vector<std::string> bare_addresses(const Host& host);

}  // namespace starling::daemon
