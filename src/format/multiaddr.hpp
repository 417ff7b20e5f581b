#pragma once
// Self-describing network addresses. Spec: multiformats/multiaddr README.md and protocols.csv.
#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/short_bytes.hpp"
#include "format/errors.hpp"
#include "format/limits.hpp"
#include "format/peer_id.hpp"

namespace starling {

/// Codes of protocols.csv.
enum class AddrProtocol : std::uint32_t {
  ip4 = 4,
  tcp = 6,
  ip6 = 41,
  ip6zone = 42,
  ipcidr = 43,
  dns = 53,
  dns4 = 54,
  dns6 = 55,
  dnsaddr = 56,
  udp = 273,
  webrtc_direct = 280,
  webrtc = 281,
  p2p_circuit = 290,
  unix = 400,
  p2p = 421,
  http = 480,
  https = 443,
  tls = 448,
  sni = 449,
  noise = 454,
  quic = 460,
  quic_v1 = 461,
  webtransport = 465,
  certhash = 466,
  ws = 477,
  wss = 478,
  memory = 777,
  onion3 = 445,
};

/// What kind of network an IP address belongs to, for dialling policy (PROTOCOL.md §3 Dialling).
enum class AddrClass : std::uint8_t { loopback, link_local, private_net, public_net };

struct IpPort {
  bool v6 = false;
  FixedBytes<16> ip{};  ///< IPv4 in the first four bytes
  std::uint16_t port = 0;
  friend auto operator<=>(const IpPort&, const IpPort&) = default;
  ByteView ip_bytes() const noexcept { return {ip.data(), v6 ? 16u : 4u}; }
  std::string ip_string() const;
};
/// 0.0.0.0/8 and :: count as loopback, IPv4 in IPv6 as the IPv4, 100.64/10 and fc00::/7 as private.
AddrClass classify(const IpPort& address) noexcept;

/// An immutable, validated address in its binary form. Text and binary forms convert without loss for every
/// protocol in AddrProtocol; an address with an unknown protocol is refused with
/// format::Errc::unknown_protocol, and everything else that is wrong with format::Errc::bad_multiaddr:
/// varints that are not minimal, empty addresses, more than kMultiaddrBytesMax bytes or kMultiaddrPartsMax
/// parts, control characters or `/` in a name, anything behind a Unix path. Text may end in one `/`; numbers
/// have no leading zeros. A default-constructed address is empty and nothing else is.
class Multiaddr {
 public:
  struct Part {
    AddrProtocol protocol;
    ByteView value;  ///< without the length prefix; view into the address
  };

  Multiaddr() = default;
  static Result<Multiaddr> parse(std::string_view text);
  static Result<Multiaddr> from_bytes(ByteView bytes);
  static Multiaddr tcp(const IpPort& address);
  /// The same again, unchecked: for bytes() of an address that is kept in another form meanwhile.
  static Multiaddr from_own_bytes(ByteView bytes) { return Multiaddr(bytes); }

  ByteView bytes() const noexcept { return bytes_.view(); }
  std::string to_string() const;
  bool empty() const noexcept { return bytes_.empty(); }
  std::vector<Part> parts() const;
  std::optional<ByteView> value_of(AddrProtocol protocol) const;
  bool has(AddrProtocol protocol) const { return value_of(protocol).has_value(); }

  /// `/ip4|ip6/…/tcp/…` with nothing behind but an optional `/p2p/…`: what the TCP transport dials directly.
  std::optional<IpPort> as_tcp() const;
  /// The IP and port of any address that starts with an IP and tcp or udp.
  std::optional<IpPort> ip_port() const;
  /// `/dns|dns4|dns6/name/tcp/port` with an optional `/p2p/…`: name, port.
  struct DnsTcp {
    AddrProtocol kind;
    std::string name;
    std::uint16_t port;
  };
  std::optional<DnsTcp> as_dns_tcp() const;
  /// The name of `/dnsaddr/name[/p2p/…]`.
  std::optional<std::string> as_dnsaddr() const;
  /// The id of a trailing `/p2p/…`: whom the address leads to. Nothing for `/p2p/<relay>/p2p-circuit`, which
  /// names a relay on the way and not the peer behind it.
  std::optional<PeerId> peer_id() const;
  /// With this id at the end, instead of one that stands there. Unchanged when the result would pass the
  /// limits.
  Multiaddr with_peer_id(const PeerId& id) const;
  /// Without a trailing `/p2p/…`.
  Multiaddr without_peer_id() const;

  friend bool operator==(const Multiaddr& a, const Multiaddr& b) noexcept {
    return equal(a.bytes(), b.bytes());
  }
  friend std::strong_ordering operator<=>(const Multiaddr& a, const Multiaddr& b) noexcept {
    return compare(a.bytes(), b.bytes());
  }

 private:
  explicit Multiaddr(ByteView bytes) : bytes_(bytes) {}
  ShortBytes bytes_;
};

}  // namespace starling

template <>
struct std::hash<starling::Multiaddr> {
  std::size_t operator()(const starling::Multiaddr& addr) const noexcept {
    return starling::hash_bytes(addr.bytes());
  }
};
