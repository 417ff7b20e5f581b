#include <CLI/CLI.hpp>

#include "command.hpp"
#include "p2pd.hpp"

namespace starling::cli {
namespace {

void add_data_dir(CLI::App& app, NodeOptions& options) {
  app.add_option("--data-dir", options.data_dir,
                 "where the node keeps keys and messages (default ~/.starling)");
}

/// Everything that `up` and the short-lived nodes of find and send have in common.
void add_node_options(CLI::App& app, NodeOptions& options) {
  add_data_dir(app, options);
  app.add_option("--bootstrap", options.bootstrap,
                 "address of a bootstrap node, /ip4/…/tcp/…/p2p/…; repeatable");
  app.add_option("--security", options.security,
                 "what dialled connections are secured with: noise, tls, or both in order of preference")
      ->delimiter(',');
  app.add_option("--wallet", options.wallet,
                 "address of the wallet to run with, when the keystore holds several");
  app.add_option("--password-file", options.password_file,
                 "file whose first line is the keystore's password");
  app.add_option("--network", options.network, "name of the network");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn or error");
  app.add_option("--threads", options.threads, "event loops; 0: one per core");
  app.add_flag("--allow-private", options.allow_private, "dial private and loopback addresses of any record");
}

/// The names of the options that were given as flags, as the configuration file spells them.
std::vector<std::string> given_options(const CLI::App& app) {
  std::vector<std::string> out;
  for (const auto* option : app.get_options())
    if (option->count() > 0)
      for (const auto& name : option->get_lnames()) out.push_back(name);
  return out;
}

/// The program's verbs: one object that holds the options CLI11 writes into and what the chosen verb
/// returned.
class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    app_.add_flag("--json", json_, "one JSON object a line, errors on stderr");
    app_.fallthrough();
    add_up();
    add_wallet();
    add_find();
    add_send();
    add_dht();
    add_inbox();
    add_watching();
    add_inspect();
    add_sim();
    add_others();
  }

  int run(int argc, char** argv) {
    CLI11_PARSE(app_, argc, argv);
    return result_;
  }

 private:
  Output output() const { return Output(json_); }

  void add_up() {
    auto* up = app_.add_subcommand("up", "run a node");
    add_node_options(*up, up_options_);
    up->add_option("--role", up_options_.role, "agent, bootstrap, server or light");
    up->add_option("--listen", up_options_.listen, "address to listen on, /ip4/0.0.0.0/tcp/4001; repeatable");
    up->add_option("--name", up_options_.name, "a name for people, up to 64 bytes");
    up->add_option("--config", up_options_.config, "TOML file with the same names as these options");
    up->add_option("--key-type", up_options_.key_type, "of a new node key: secp256k1 or ed25519");
    up->add_option("--connections", up_options_.connections, "upper bound of connections; 0: the role's");
    up->add_option("--connection-memory-mib", up_options_.connection_memory_mib,
                   "MiB that connections may hold for their peers together; 0: 256")
        ->check(CLI::Range(0, 1'000'000));
    up->add_flag("--no-status", up_options_.no_status, "publish no node status");
    up->add_flag("--take-over", up_options_.take_over, "publish above another node of the same wallet");
    up->callback([this, up] {
      if (const auto applied = apply_config(up_options_, given_options(*up)); !applied)
        result_ = output().fail(applied.error());
      else
        result_ = run_up(up_options_, output());
    });
  }

  void add_wallet() {
    auto* wallet = app_.add_subcommand("wallet", "keystores: new, import, list, show");
    wallet->require_subcommand(1);
    const auto add_verb = [this, wallet](const char* name, const char* help,
                                         int (*verb)(const WalletOptions&, const Output&)) {
      auto* sub = wallet->add_subcommand(name, help);
      add_data_dir(*sub, wallet_options_.node);
      sub->callback([this, verb] { result_ = verb(wallet_options_, output()); });
      return sub;
    };
    auto* wallet_new = add_verb("new", "make a wallet", run_wallet_new);
    auto* wallet_import =
        add_verb("import", "take over a keystore file, or a file with a hex key", run_wallet_import);
    for (auto* sub : {wallet_new, wallet_import}) {
      sub->add_option("--password-file", wallet_options_.node.password_file,
                      "file whose first line is the password");
      sub->add_flag("--light", wallet_options_.light,
                    "cheap key derivation, for passwords that are random bits");
    }
    wallet_import->add_option("file", wallet_options_.file)->required();
    add_verb("list", "the wallets of the data directory", run_wallet_list);
    add_verb("show", "one of them", run_wallet_show)
        ->add_option("address", wallet_options_.address)
        ->required();
  }

  void add_find() {
    auto* find = app_.add_subcommand("find", "find an agent by address");
    add_node_options(*find, find_options_.node);
    find->add_option("address", find_options_.address)->required();
    find->add_option("--cache-ms", find_options_.cache_ms,
                     "accept an announcement of at most this age instead of asking");
    find->callback([this] { result_ = run_find(find_options_, output()); });
  }

  void add_send() {
    auto* send = app_.add_subcommand("send", "send a message to an address, or to all");
    add_node_options(*send, send_options_.node);
    send->add_option("to", send_options_.to, "0x… or all")->required();
    auto* text = send->add_option("text", send_options_.text, "the message, or - for standard input");
    send->add_option("--file", send_options_.file, "send a file instead")->excludes(text);
    send->add_option("--content-type", send_options_.content_type, "media type (default text/plain)");
    send->add_option("--life", send_options_.life_s, "seconds until the message expires");
    send->add_flag("--plain", send_options_.plain, "do not seal: everybody on the network can read it");
    send->callback([this] { result_ = run_send(send_options_, output()); });
  }

  void add_dht() {
    auto* dht =
        app_.add_subcommand("dht", "the directory: get, put, provide, findprovs, findpeer, table, trace");
    dht->require_subcommand(1);
    const auto add_verb = [this, dht](const char* name, const char* help,
                                      int (*verb)(const DhtOptions&, const Output&)) {
      auto* sub = dht->add_subcommand(name, help);
      add_node_options(*sub, dht_options_.node);
      sub->callback([this, verb] { result_ = verb(dht_options_, output()); });
      return sub;
    };
    constexpr const char* kKeyHelp = "0x…, /eth/0x…, /pk/PEER_ID, a peer id, hex:… or text:…";
    constexpr const char* kProvidedHelp = "a CID, multihash or peer id, 0x…, hex:… or text:…";
    add_verb("get", "the best record of a key", run_dht_get)
        ->add_option("key", dht_options_.key, kKeyHelp)
        ->required();
    auto* put = add_verb("put", "store a record on the servers nearest to its key", run_dht_put);
    put->add_option("key", dht_options_.key, kKeyHelp)->required();
    put->add_option("value", dht_options_.value, "text, hex:…, or - for standard input")->required();
    add_verb("provide", "tell the network that this node has something, again every 22 h", run_dht_provide)
        ->add_option("key", dht_options_.key, kProvidedHelp)
        ->required();
    auto* find_providers = add_verb("findprovs", "who provides a key", run_dht_find_providers);
    find_providers->add_option("key", dht_options_.key, kProvidedHelp)->required();
    find_providers->add_option("--count,-n", dht_options_.count, "stop after so many (default 20)");
    add_verb("findpeer", "the addresses of a peer", run_dht_find_peer)
        ->add_option("peer_id", dht_options_.key)
        ->required();
    add_verb("table", "the servers that the node knows, by distance", run_dht_table);
    add_verb("trace", "a lookup, hop by hop", run_dht_trace)
        ->add_option("key", dht_options_.key, "a key in any of its forms, or a peer id")
        ->required();
  }

  void add_inbox() {
    auto* inbox = app_.add_subcommand("inbox", "messages received");
    add_data_dir(*inbox, inbox_options_.node);
    inbox->add_flag("--follow,-f", inbox_options_.follow, "wait for new ones");
    inbox->add_option("--count,-n", inbox_options_.count, "how many of the latest");
    inbox->callback([this] { result_ = run_inbox(inbox_options_, output()); });

    auto* announcements = app_.add_subcommand("announcements", "agents heard of");
    add_data_dir(*announcements, announcement_options_.node);
    announcements->add_flag("--follow,-f", announcement_options_.follow, "wait for new ones");
    announcements->callback([this] { result_ = run_announcements(announcement_options_, output()); });
  }

  void add_watching() {
    auto* status = app_.add_subcommand("status", "how the node does");
    add_data_dir(*status, status_options_);
    status->add_flag("--network", network_status_, "what the other nodes say of themselves");
    status->callback([this] { result_ = run_status(status_options_, network_status_, output()); });

    auto* peers = app_.add_subcommand("peers", "connections of the node");
    add_data_dir(*peers, peers_options_);
    peers->callback([this] { result_ = run_peers(peers_options_, output()); });

    auto* stop = app_.add_subcommand("stop", "withdraw and stop the node");
    add_data_dir(*stop, stop_options_);
    stop->callback([this] { result_ = run_stop(stop_options_, output()); });
  }

  void add_inspect() {
    auto* inspect = app_.add_subcommand("inspect", "show and judge a record or message");
    inspect->add_option("kind", inspect_options_.kind, "presence, delegation, envelope, receipt or status");
    inspect->add_option("input", inspect_options_.input, "hex, base64, a file, or - for standard input");
    inspect->add_option("--cases", inspect_options_.cases, "judge a file of cases and list the differences");
    inspect->add_option("--now", inspect_options_.now_ms, "judge at this time, Unix ms");
    inspect->add_option("--dht-key", inspect_options_.dht_key,
                        "the key under which a presence was found, text or hex");
    inspect->add_option("--network", inspect_options_.network, "name of the network");
    inspect->add_option("--author", inspect_options_.author, "peer id that published it");
    inspect->callback([this] { result_ = run_inspect(inspect_options_, output()); });
  }

  void add_sim() {
    auto* sim = app_.add_subcommand("sim", "run a scenario: many nodes in virtual time");
    sim->add_option("scenario", sim_options_.scenario, "TOML file, see docs/simulator.md")->required();
    sim->add_option("--seed", sim_options_.seed, "another seed than the scenario's own");
    sim->add_option("--json", sim_options_.json_file, "write the results to this file");
    sim->add_option("--plot", sim_options_.plot_file,
                    "draw latency and success over time into this SVG file");
    sim->add_flag("--verbose,-v", sim_options_.verbose, "say on stderr how far it is");
    sim->callback([this] { result_ = run_sim(sim_options_, output()); });
  }

  void add_others() {
    auto* demo = app_.add_subcommand("demo", "a network of seven nodes on this machine, in ten seconds");
    demo->callback([this] { result_ = run_demo(output()); });
    app_.add_subcommand("p2pd", "the libp2p daemon: libp2p for programs in any language; p2pd -help");
    auto* version = app_.add_subcommand("version", "print the version");
    version->callback([this] { result_ = run_version(output()); });
  }

  CLI::App app_{"Starling: agents find and message each other by Ethereum address"};
  bool json_ = false;
  int result_ = 0;
  NodeOptions up_options_;
  WalletOptions wallet_options_;
  FindOptions find_options_;
  SendOptions send_options_;
  DhtOptions dht_options_;
  FollowOptions inbox_options_;
  FollowOptions announcement_options_;
  NodeOptions status_options_;
  bool network_status_ = false;
  NodeOptions peers_options_;
  NodeOptions stop_options_;
  InspectOptions inspect_options_;
  SimOptions sim_options_;
};

}  // namespace
}  // namespace starling::cli

int main(int argc, char** argv) {
  // p2pd has flags of its own kind; a link of that name is the program of that name.
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (std::filesystem::path(argv[0]).filename() == "p2pd") return starling::cli::run_p2pd(arguments);
  if (!arguments.empty() && arguments.front() == "p2pd")
    return starling::cli::run_p2pd({arguments.begin() + 1, arguments.end()});
  return starling::cli::CommandLine().run(argc, argv);
}
