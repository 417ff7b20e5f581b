// fuzz-depends: kad
// The DHT brain under a program of operations: peers come and go, requests are served, queries run, answers
// arrive in any order, wrong, late or never, and time passes. Checked all along: the tables' invariants,
// every bound, one end per query, and that time handed in always moves the deadline on.
#include <cstdint>
#include <deque>
#include <set>

#include "base/assert.hpp"
#include "base/env.hpp"
#include "format/multihash.hpp"
#include "input.hpp"
#include "proto/kad/kad.hpp"

namespace {

using namespace starling;
using namespace starling::kad;

PeerId peer(std::uint8_t n) { return *PeerId::from_bytes(format::sha256_multihash(ByteView(&n, 1))); }
Multiaddr addr(std::uint8_t n) {
  IpPort out;
  out.ip = {static_cast<std::uint8_t>(n % 5 == 0 ? 10 : 66), static_cast<std::uint8_t>(n / 4), 1, n};
  out.port = 4001;
  return Multiaddr::tcp(out);
}

/// One-byte values: even ones are valid, greater is better.
class EvenValidator final : public RecordValidator {
 public:
  Result<void> validate(ByteView, ByteView value, WallTime) override {
    if (value.size() != 1 || value[0] % 2 != 0) return fail(Errc::invalid_record);
    return {};
  }
  std::size_t select(ByteView, std::span<const ByteView> values) override {
    std::size_t best = 0;
    for (std::size_t i = 1; i < values.size(); ++i)
      if (values[i][0] > values[best][0]) best = i;
    return best;
  }
};

Bytes key(std::uint8_t n) { return Bytes{'/', 'e', '/', n}; }

class Program {
 public:
  explicit Program(ByteView bytes)
      : in_(bytes), rng_(1), env_{rng_, log_, metrics_}, kad_(config(in_.u8()), peer(0), validators_, env_) {
    validators_.add("e", even_);
    kad_.set_own_addrs({addr(1)});
  }
  void run() {
    while (!in_.empty()) {
      step();
      drain();
      check();
    }
    // Whatever the program left undone ends by itself.
    pass(2min);
    STARLING_ASSERT(open_.empty());
    STARLING_ASSERT(kad_.query_count() == 0 || kad_.deadline() > now_.mono);
  }

 private:
  static Config config(std::uint8_t choice) {
    Config out;
    out.mode = choice % 2 == 0 ? Mode::server : Mode::client;
    out.k = 1 + choice / 2 % 4;
    out.alpha = 1 + choice / 8 % 4;
    out.beta = 1 + choice / 32 % 3;
    out.scope = choice / 128 == 0 ? AddressScope::any : AddressScope::public_only;
    out.stores.records_max = 8;
    out.stores.records_per_peer_max = 3;
    out.stores.providers_max = 8;
    out.stores.providers_per_key_max = 3;
    out.liveness_after = 1min;
    out.keep = Keep::everything;
    return out;
  }
  PeerInfo named() {
    const std::uint8_t n = in_.u8();
    return {peer(n), {addr(n)}, ConnectionType::not_connected};
  }
  Message message() {
    Message out;
    out.type = static_cast<MessageType>(in_.u8() % 6);
    const std::uint8_t form = in_.u8();
    out.key = form % 8 == 0 ? Bytes(form, 'k') : key(form % 4);
    if (form & 16) out.record = Record{form & 32 ? out.key : key(form % 3), Bytes{in_.u8()}, {}};
    for (int i = form >> 6; i > 0; --i) out.closer_peers.push_back(named());
    if (form & 8) out.provider_peers.push_back(named());
    return out;
  }
  void step() {
    switch (in_.u8() % 16) {
      case 0:
      case 1: {
        const std::uint8_t n = in_.u8();
        kad_.on_peer_supports_kad({peer(n), {addr(n)}, addr(n)}, now_);
        break;
      }
      case 2: kad_.on_peer_unsupported(peer(in_.u8()), {addr(in_.u8())}, now_); break;
      case 3: kad_.on_disconnected(peer(in_.u8()), now_); break;
      case 4: serve(); break;
      case 5: begin(); break;
      case 6:
      case 7:
      case 8:
      case 9: answer(); break;
      case 10: refuse(); break;
      case 11: pass(Duration(std::int64_t{in_.u8()} * 100'000'000)); break;
      case 12: pass(Duration(std::int64_t{in_.u8()} * 60'000'000'000)); break;
      case 13:
        if (!ids_.empty()) kad_.cancel(ids_[in_.u8() % ids_.size()], now_);
        break;
      case 14: kad_.set_mode(in_.u8() % 2 == 0 ? Mode::client : Mode::server); break;
      default:
        if (const std::uint8_t n = in_.u8(); n < 128)
          kad_.stop_providing(key(n % 4));
        else
          restore(static_cast<Durable>(n % 4));
        break;
    }
  }
  /// What a disk may hold: an entry as it was written, with a few bytes changed, cut or added.
  void restore(Durable what) {
    const std::uint8_t form = in_.u8();
    const WallTime ends = now_.wall + Duration(std::int64_t{form} * 60'000'000'000);
    Bytes name = key(form % 4);
    Bytes value;
    switch (what) {
      case Durable::record:
        value = encode_record_entry({Bytes{in_.u8()}, now_.wall, ends, peer(form)});
        break;
      case Durable::provider:
        name = provider_entry_key(name, peer(form));
        value = encode_provider_entry({peer(form), {addr(form)}, {}}, ends);
        break;
      case Durable::provided_key: value = encode_due(ends); break;
      case Durable::table: {
        std::vector<PeerInfo> saved;
        for (int i = form % 8; i > 0; --i) saved.push_back(named());
        value = encode_peers(saved);
        name.clear();
        break;
      }
    }
    for (int i = in_.u8() % 4; i > 0 && !value.empty(); --i) value[in_.u8() % value.size()] ^= in_.u8();
    if (in_.u8() % 4 == 0) value.resize(in_.u8());
    disk_.insert({what, name});
    (void)kad_.restore(what, name, value, now_);
    kad_.start(now_);
  }
  void serve() {
    const PeerId from = peer(in_.u8());
    const auto result = kad_.on_request(from, message(), now_);
    if (!result || !*result) return;
    for (const PeerInfo& closer : (*result)->closer_peers)
      STARLING_ASSERT(closer.id != from && closer.id != peer(0));
    STARLING_ASSERT((*result)->closer_peers.size() <= kad_.config().k);
  }
  void begin() {
    const std::uint8_t choice = in_.u8();
    const Bytes name = key(in_.u8() % 4);
    QueryId id;
    switch (choice % 7) {
      case 0: id = kad_.find_peer(peer(in_.u8()), now_); break;
      case 1: id = kad_.closest_peers(name, now_); break;
      case 2: id = kad_.get_value(name, {}, now_); break;
      case 3: id = kad_.put_value(name, Bytes{in_.u8()}, now_); break;
      case 4: id = kad_.provide(name, now_); break;
      case 5: id = kad_.find_providers(name, in_.u8() % 4, now_); break;
      default: id = kad_.bootstrap(now_); break;
    }
    ids_.push_back(id);
    open_.insert(id);
  }
  void answer() {
    if (requests_.empty()) return;
    const std::size_t index = in_.u8() % requests_.size();
    const SendRequest request = requests_[index];
    requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(index));
    if (!request.expects_response) return kad_.on_request_sent(request.id, now_);
    Message out = message();
    if (in_.u8() % 8 != 0) out.type = request.message.type;
    if (out.record && in_.u8() % 4 != 0) out.record->key = request.message.key;
    kad_.on_response(request.id, std::move(out), now_);
  }
  void refuse() {
    if (requests_.empty()) return;
    const SendRequest request = requests_.front();
    requests_.pop_front();
    kad_.on_request_failed(request.id, make_error(static_cast<Errc>(1 + in_.u8() % 24)), now_);
  }
  void pass(Duration time) {
    const Instant end = now_.mono + time;
    while (kad_.deadline() <= end) {
      const Instant next = std::max(now_.mono, kad_.deadline());
      now_.wall = now_.wall + (next - now_.mono);
      now_.mono = next;
      kad_.on_deadline(now_);
      STARLING_ASSERT(kad_.deadline() > now_.mono);
      drain();
    }
    now_.wall = now_.wall + (end - now_.mono);
    now_.mono = end;
  }
  void drain() {
    while (auto action = kad_.poll()) {
      if (auto* request = std::get_if<SendRequest>(&*action)) {
        STARLING_ASSERT(request->peer != peer(0));
        requests_.push_back(std::move(*request));
        if (requests_.size() > 200) requests_.pop_front();  // never answered
      }
      if (auto* done = std::get_if<QueryDone>(&*action)) STARLING_ASSERT(open_.erase(done->id) == 1);
      if (auto* kept = std::get_if<Persist>(&*action)) {
        if (kept->value.empty())
          disk_.erase({kept->what, kept->key});
        else
          disk_.insert({kept->what, kept->key});
      }
    }
  }
  void check() {
    kad_.table().check_invariants();
    STARLING_ASSERT(kad_.record_count() <= 8 && kad_.provider_count() <= 8);
    STARLING_ASSERT(on_disk(Durable::record) == kad_.record_count());
    STARLING_ASSERT(on_disk(Durable::provider) == kad_.provider_count());
    for (std::size_t i = 0; i < kad_.table().depth(); ++i)
      STARLING_ASSERT(kad_.table().bucket_size(i) <= kad_.config().k);
  }

  std::size_t on_disk(Durable what) const {
    std::size_t out = 0;
    for (const auto& entry : disk_) out += entry.first == what ? 1u : 0u;
    return out;
  }

  Input in_;
  SeededRng rng_;
  NullLog log_;
  Metrics metrics_;
  Env env_;
  EvenValidator even_;
  Validators validators_;
  Kad kad_;
  Now now_{Instant{} + 1h, WallTime::from_ms(1'750'000'000'000)};
  std::deque<SendRequest> requests_;
  std::vector<QueryId> ids_;
  std::set<QueryId> open_;
  std::set<std::pair<Durable, Bytes>> disk_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  Program(ByteView(data, size)).run();
  return 0;
}
