#include "runtime/resolver.hpp"

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include <array>
#include <cstring>
#include <set>

#include "runtime/errors.hpp"
#include "runtime/limits.hpp"
#include "runtime/sockets.hpp"

namespace starling::runtime {
namespace {

std::vector<IpPort> system_addresses(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &raw) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(raw, &::freeaddrinfo);
  std::vector<IpPort> out;
  for (const addrinfo* entry = list.get(); entry != nullptr && out.size() < kResolvedAddressesMax;
       entry = entry->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof storage));
    if (const auto address = from_system(storage)) out.push_back(*address);
  }
  return out;
}

/// The character strings of one TXT record, joined.
std::string joined(const unsigned char* data, std::size_t size) {
  std::string text;
  std::size_t at = 0;
  while (at < size) {
    const std::size_t length = data[at++];
    if (length > size - at) return {};
    text.append(reinterpret_cast<const char*>(data + at), length);
    at += length;
  }
  return text;
}

std::vector<std::string> system_texts(const std::string& name) {
  struct __res_state state {};
  if (::res_ninit(&state) != 0) return {};
  const std::unique_ptr<struct __res_state, void (*)(struct __res_state*)> owned(
      &state, [](auto* s) { ::res_nclose(s); });
  std::vector<unsigned char> answer(kDnsAnswerBytesMax);
  const int size =
      ::res_nquery(&state, name.c_str(), ns_c_in, ns_t_txt, answer.data(), static_cast<int>(answer.size()));
  ns_msg message{};
  if (size <= 0 || static_cast<std::size_t>(size) > answer.size() ||
      ::ns_initparse(answer.data(), size, &message) != 0)
    return {};
  std::vector<std::string> out;
  for (int i = 0; i < ns_msg_count(message, ns_s_an) && out.size() < kResolvedAddressesMax; ++i) {
    ns_rr record{};
    if (::ns_parserr(&message, ns_s_an, i, &record) != 0) break;
    if (ns_rr_type(record) == ns_t_txt) out.push_back(joined(ns_rr_rdata(record), ns_rr_rdlen(record)));
  }
  return out;
}

class Walk {
 public:
  Walk(const NameSource& names, std::optional<PeerId> peer) : names_(names), peer_(std::move(peer)) {}

  void visit(const Multiaddr& address, std::size_t depth) {
    if (found_.size() >= kResolvedAddressesMax) return;
    if (const auto name = address.as_dnsaddr()) return visit_texts(*name, depth);
    if (const auto dns = address.as_dns_tcp()) return visit_host(*dns, address.peer_id());
    keep(address);
  }
  std::vector<Multiaddr> take() { return std::move(found_); }

 private:
  void visit_texts(const std::string& name, std::size_t depth) {
    constexpr std::string_view kPrefix = "dnsaddr=";
    if (depth >= kDnsaddrDepthMax || lookups_ >= kDnsaddrLookupsMax) return;
    ++lookups_;
    for (const auto& text : names_.texts("_dnsaddr." + name)) {
      if (!std::string_view(text).starts_with(kPrefix)) continue;
      const auto address = Multiaddr::parse(std::string_view(text).substr(kPrefix.size()));
      if (!address) continue;
      const auto leads_to = address->peer_id();
      if (peer_ && leads_to && *leads_to != *peer_) continue;
      visit(*address, depth + 1);
    }
  }

  void visit_host(const Multiaddr::DnsTcp& dns, const std::optional<PeerId>& leads_to) {
    if (lookups_ >= kDnsaddrLookupsMax) return;
    ++lookups_;
    for (IpPort ip : names_.addresses(dns.name)) {
      if (dns.kind == AddrProtocol::dns4 && ip.v6) continue;
      if (dns.kind == AddrProtocol::dns6 && !ip.v6) continue;
      ip.port = dns.port;
      const Multiaddr bare = Multiaddr::tcp(ip);
      keep(leads_to ? bare.with_peer_id(*leads_to) : bare);
    }
  }

  void keep(const Multiaddr& address) {
    if (found_.size() < kResolvedAddressesMax && seen_.insert(address).second) found_.push_back(address);
  }

  const NameSource& names_;
  std::optional<PeerId> peer_;
  std::vector<Multiaddr> found_;
  std::set<Multiaddr> seen_;
  std::size_t lookups_ = 0;
};

}  // namespace

NameSource system_names() { return {&system_addresses, &system_texts}; }

Result<std::vector<Multiaddr>> resolve(const Multiaddr& address, const NameSource& names) {
  Walk walk(names, address.peer_id());
  walk.visit(address, 0);
  auto found = walk.take();
  if (found.empty()) return fail(Errc::resolve_failed);
  return found;
}

struct Resolver::Shared {
  struct Wish {
    Multiaddr address;
    Done done;
  };
  NameSource names;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Wish> wishes;
  std::array<bool, kResolverThreads> busy{};
  bool ending = false;
};

Resolver::Resolver(NameSource names) : shared_(std::make_shared<Shared>()) {
  shared_->names = std::move(names);
}

Resolver::~Resolver() {
  std::deque<Shared::Wish> dropped;
  std::array<bool, kResolverThreads> stuck{};
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    dropped.swap(shared_->wishes);
    stuck = shared_->busy;
  }
  shared_->changed.notify_all();
  for (std::size_t i = 0; i < threads_.size(); ++i) stuck[i] ? threads_[i].detach() : threads_[i].join();
}

void Resolver::resolve(Multiaddr address, Done done) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->wishes.size() < kResolvesMax) {
      shared_->wishes.push_back({std::move(address), std::move(done)});
      done = nullptr;
    }
  }
  if (done) return done(fail(Errc::too_many_resolves));
  // Most nodes never resolve a name: the threads come with the first.
  if (threads_.empty()) {
    for (std::size_t i = 0; i < kResolverThreads; ++i)
      threads_.emplace_back([shared = shared_, i] { run(shared, i); });
  }
  shared_->changed.notify_one();
}

void Resolver::run(const std::shared_ptr<Shared>& shared, std::size_t index) {
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->changed.wait(lock, [&] { return shared->ending || !shared->wishes.empty(); });
    if (shared->ending) return;
    Shared::Wish wish = std::move(shared->wishes.front());
    shared->wishes.pop_front();
    shared->busy[index] = true;
    lock.unlock();
    auto found = runtime::resolve(wish.address, shared->names);
    wish.done(std::move(found));
    wish.done = nullptr;
    lock.lock();
    shared->busy[index] = false;
  }
}

}  // namespace starling::runtime
