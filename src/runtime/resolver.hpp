#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "format/multiaddr.hpp"

namespace starling::runtime {

/// How names become addresses; the system's resolver, or a stand-in in tests. Blocks. Called from the
/// resolver's threads.
struct NameSource {
  /// IPv4 and IPv6 addresses of a host name.
  std::function<std::vector<IpPort>(const std::string& name)> addresses;
  /// The TXT records of a name, each joined to one text.
  std::function<std::vector<std::string>(const std::string& name)> texts;
};
NameSource system_names();

/// All addresses that `address` leads to: `/dns…/tcp/…` by host lookup, `/dnsaddr/name` by the TXT records
/// `dnsaddr=<multiaddr>` of `_dnsaddr.<name>`, which may lead on. With a peer id, only entries for that peer
/// count. What the name server sends is hostile: kDnsaddrLookupsMax, kDnsaddrDepthMax and
/// kResolvedAddressesMax bound it. Errc::resolve_failed. Spec: libp2p/specs addressing, multiaddr dnsaddr.
Result<std::vector<Multiaddr>> resolve(const Multiaddr& address, const NameSource& names);

/// Resolves names on threads of its own, because the system's resolver blocks. At the end, a thread that is
/// stuck in a dead name server is left behind rather than waited for.
class Resolver {
 public:
  using Done = std::function<void(Result<std::vector<Multiaddr>>)>;

  explicit Resolver(NameSource names = system_names());
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  /// `done` is called from a thread of the resolver, or here with Errc::too_many_resolves.
  void resolve(Multiaddr address, Done done);

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared, std::size_t index);
  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace starling::runtime
