#pragma once
// What the verbs of the program share: options, output, errors.
#include <boost/json.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "api/errors.hpp"
#include "api/service.hpp"

namespace starling::cli {

/// Options of the node, from flags and from `--config`; flags win.
struct NodeOptions {
  std::string data_dir;
  std::string config;
  std::string role = "agent";
  std::string name;
  std::string network = "starling";
  std::vector<std::string> listen;
  std::vector<std::string> bootstrap;
  std::vector<std::string> security = {"noise"};
  std::string wallet;
  std::string password_file;
  std::string key_type = "secp256k1";
  std::size_t threads = 0;
  std::size_t connections = 0;
  std::size_t connection_memory_mib = 0;
  std::string log_level = "warn";
  bool no_status = false;
  bool allow_private = false;
  bool take_over = false;
};

/// An error with what it is about: the file, address or option that a person would look for.
struct Failure {
  Error error;
  std::string what;
};
template <class T = void>
using Outcome = tl::expected<T, Failure>;
inline tl::unexpected<Failure> failure(Error error, std::string what = {}) {
  return tl::unexpected<Failure>(Failure{error, std::move(what)});
}

/// How results leave the program.
class Output {
 public:
  explicit Output(bool json) noexcept : json_(json) {}
  bool json() const noexcept { return json_; }
  /// One line of JSON on stdout, flushed.
  void line(const boost::json::value& value) const;
  /// One line of text on stdout, flushed.
  void text(std::string_view text) const;
  /// To stderr, for people; silent with --json.
  void note(std::string_view text) const;
  /// `error ST-…` with what to do next, or the JSON error object; returns the exit code.
  int fail(const Failure& failure) const;
  /// The same for an error object that the node sent.
  int relay_error(const boost::json::value& error_object) const;

 private:
  bool json_;
};

/// `$STARLING_HOME`, else `~/.starling`.
std::filesystem::path default_data_dir();
std::filesystem::path data_dir_of(const NodeOptions& options);
/// Reads the file into options that were not given as flags. `given` names the flags that were.
Outcome<void> apply_config(NodeOptions& options, const std::vector<std::string>& given);
Outcome<api::ServiceConfig> service_config(const NodeOptions& options);
Outcome<Multiaddr> parse_address(const std::string& text, std::string_view what);

int run_up(const NodeOptions& options, const Output& output);
int run_demo(const Output& output);

struct FindOptions {
  NodeOptions node;
  std::string address;
  std::uint64_t cache_ms = 0;
};
int run_find(const FindOptions& options, const Output& output);

struct SendOptions {
  NodeOptions node;
  std::string to;
  std::string text;
  std::string file;
  std::string content_type;
  std::uint64_t life_s = 86'400;
  bool plain = false;
};
int run_send(const SendOptions& options, const Output& output);

struct DhtOptions {
  NodeOptions node;
  std::string key;    ///< or a peer id
  std::string value;  ///< text, hex:…, or - for standard input
  std::size_t count = 20;
};
int run_dht_get(const DhtOptions& options, const Output& output);
int run_dht_put(const DhtOptions& options, const Output& output);
int run_dht_provide(const DhtOptions& options, const Output& output);
int run_dht_find_providers(const DhtOptions& options, const Output& output);
int run_dht_find_peer(const DhtOptions& options, const Output& output);
int run_dht_table(const DhtOptions& options, const Output& output);
int run_dht_trace(const DhtOptions& options, const Output& output);

struct FollowOptions {
  NodeOptions node;
  bool follow = false;
  std::size_t count = 100;
};
int run_inbox(const FollowOptions& options, const Output& output);
int run_announcements(const FollowOptions& options, const Output& output);
int run_status(const NodeOptions& options, bool network, const Output& output);
int run_peers(const NodeOptions& options, const Output& output);
int run_stop(const NodeOptions& options, const Output& output);
int run_version(const Output& output);

struct WalletOptions {
  NodeOptions node;
  std::string file;     ///< what to import
  std::string address;  ///< which to show
  bool light = false;
};
int run_wallet_new(const WalletOptions& options, const Output& output);
int run_wallet_import(const WalletOptions& options, const Output& output);
int run_wallet_list(const WalletOptions& options, const Output& output);
int run_wallet_show(const WalletOptions& options, const Output& output);

struct SimOptions {
  std::string scenario;
  std::optional<std::uint64_t> seed;
  std::string json_file;
  std::string plot_file;
  bool verbose = false;
};
/// Exit code 0: every check holds; 1: one does not; 2: the scenario is refused or a file cannot be written.
int run_sim(const SimOptions& options, const Output& output);

struct InspectOptions {
  std::string kind;
  std::string input;  ///< hex, base64, a file name or `-`
  std::string cases;
  std::uint64_t now_ms = 0;  ///< 0: the clock
  std::string dht_key;
  std::string network = "starling";
  std::string author;
};
int run_inspect(const InspectOptions& options, const Output& output);

}  // namespace starling::cli
