#include <CLI/CLI.hpp>

#include "command.hpp"

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

int run(int argc, char** argv) {
  CLI::App app("Starling: agents find and message each other by Ethereum address");
  app.require_subcommand(1);
  bool json = false;
  int result = 0;
  app.add_flag("--json", json, "one JSON object a line, errors on stderr");
  app.fallthrough();
  const auto output = [&json] { return Output(json); };

  NodeOptions up_options;
  auto* up = app.add_subcommand("up", "run a node");
  add_node_options(*up, up_options);
  up->add_option("--role", up_options.role, "agent, bootstrap, server or light");
  up->add_option("--listen", up_options.listen, "address to listen on, /ip4/0.0.0.0/tcp/4001; repeatable");
  up->add_option("--name", up_options.name, "a name for people, up to 64 bytes");
  up->add_option("--config", up_options.config, "TOML file with the same names as these options");
  up->add_option("--key-type", up_options.key_type, "of a new node key: secp256k1 or ed25519");
  up->add_option("--connections", up_options.connections, "upper bound of connections; 0: the role's");
  up->add_option("--connection-memory-mib", up_options.connection_memory_mib,
                 "MiB that connections may hold for their peers together; 0: 256")
      ->check(CLI::Range(0, 1'000'000));
  up->add_flag("--no-status", up_options.no_status, "publish no node status");
  up->add_flag("--take-over", up_options.take_over, "publish above another node of the same wallet");
  up->callback([&] {
    if (const auto applied = apply_config(up_options, given_options(*up)); !applied)
      result = output().fail(applied.error());
    else
      result = run_up(up_options, output());
  });

  WalletOptions wallet_options;
  auto* wallet = app.add_subcommand("wallet", "keystores: new, import, list, show");
  wallet->require_subcommand(1);
  const auto add_wallet = [&](const char* name, const char* help,
                              int (*verb)(const WalletOptions&, const Output&)) {
    auto* sub = wallet->add_subcommand(name, help);
    add_data_dir(*sub, wallet_options.node);
    sub->callback([&, verb] { result = verb(wallet_options, output()); });
    return sub;
  };
  auto* wallet_new = add_wallet("new", "make a wallet", run_wallet_new);
  auto* wallet_import =
      add_wallet("import", "take over a keystore file, or a file with a hex key", run_wallet_import);
  for (auto* sub : {wallet_new, wallet_import}) {
    sub->add_option("--password-file", wallet_options.node.password_file,
                    "file whose first line is the password");
    sub->add_flag("--light", wallet_options.light,
                  "cheap key derivation, for passwords that are random bits");
  }
  wallet_import->add_option("file", wallet_options.file)->required();
  add_wallet("list", "the wallets of the data directory", run_wallet_list);
  add_wallet("show", "one of them", run_wallet_show)
      ->add_option("address", wallet_options.address)
      ->required();

  FindOptions find_options;
  auto* find = app.add_subcommand("find", "find an agent by address");
  add_node_options(*find, find_options.node);
  find->add_option("address", find_options.address)->required();
  find->add_option("--cache-ms", find_options.cache_ms,
                   "accept an announcement of at most this age instead of asking");
  find->callback([&] { result = run_find(find_options, output()); });

  SendOptions send_options;
  auto* send = app.add_subcommand("send", "send a message to an address, or to all");
  add_node_options(*send, send_options.node);
  send->add_option("to", send_options.to, "0x… or all")->required();
  auto* text = send->add_option("text", send_options.text, "the message, or - for standard input");
  send->add_option("--file", send_options.file, "send a file instead")->excludes(text);
  send->add_option("--content-type", send_options.content_type, "media type (default text/plain)");
  send->add_option("--life", send_options.life_s, "seconds until the message expires");
  send->add_flag("--plain", send_options.plain, "do not seal: everybody on the network can read it");
  send->callback([&] { result = run_send(send_options, output()); });

  DhtOptions dht_options;
  auto* dht =
      app.add_subcommand("dht", "the directory: get, put, provide, findprovs, findpeer, table, trace");
  dht->require_subcommand(1);
  const auto add_dht = [&](const char* name, const char* help,
                           int (*verb)(const DhtOptions&, const Output&)) {
    auto* sub = dht->add_subcommand(name, help);
    add_node_options(*sub, dht_options.node);
    sub->callback([&, verb] { result = verb(dht_options, output()); });
    return sub;
  };
  constexpr const char* kKeyHelp = "0x…, /eth/0x…, /pk/PEER_ID, a peer id, hex:… or text:…";
  constexpr const char* kProvidedHelp = "a CID, multihash or peer id, 0x…, hex:… or text:…";
  add_dht("get", "the best record of a key", run_dht_get)
      ->add_option("key", dht_options.key, kKeyHelp)
      ->required();
  auto* dht_put = add_dht("put", "store a record on the servers nearest to its key", run_dht_put);
  dht_put->add_option("key", dht_options.key, kKeyHelp)->required();
  dht_put->add_option("value", dht_options.value, "text, hex:…, or - for standard input")->required();
  add_dht("provide", "tell the network that this node has something, again every 22 h", run_dht_provide)
      ->add_option("key", dht_options.key, kProvidedHelp)
      ->required();
  auto* find_providers = add_dht("findprovs", "who provides a key", run_dht_find_providers);
  find_providers->add_option("key", dht_options.key, kProvidedHelp)->required();
  find_providers->add_option("--count,-n", dht_options.count, "stop after so many (default 20)");
  add_dht("findpeer", "the addresses of a peer", run_dht_find_peer)
      ->add_option("peer_id", dht_options.key)
      ->required();
  add_dht("table", "the servers that the node knows, by distance", run_dht_table);
  add_dht("trace", "a lookup, hop by hop", run_dht_trace)
      ->add_option("key", dht_options.key, "a key in any of its forms, or a peer id")
      ->required();

  FollowOptions inbox_options;
  auto* inbox = app.add_subcommand("inbox", "messages received");
  add_data_dir(*inbox, inbox_options.node);
  inbox->add_flag("--follow,-f", inbox_options.follow, "wait for new ones");
  inbox->add_option("--count,-n", inbox_options.count, "how many of the latest");
  inbox->callback([&] { result = run_inbox(inbox_options, output()); });

  FollowOptions announcement_options;
  auto* announcements = app.add_subcommand("announcements", "agents heard of");
  add_data_dir(*announcements, announcement_options.node);
  announcements->add_flag("--follow,-f", announcement_options.follow, "wait for new ones");
  announcements->callback([&] { result = run_announcements(announcement_options, output()); });

  NodeOptions status_options;
  bool network_status = false;
  auto* status = app.add_subcommand("status", "how the node does");
  add_data_dir(*status, status_options);
  status->add_flag("--network", network_status, "what the other nodes say of themselves");
  status->callback([&] { result = run_status(status_options, network_status, output()); });

  NodeOptions peers_options;
  auto* peers = app.add_subcommand("peers", "connections of the node");
  add_data_dir(*peers, peers_options);
  peers->callback([&] { result = run_peers(peers_options, output()); });

  NodeOptions stop_options;
  auto* stop = app.add_subcommand("stop", "withdraw and stop the node");
  add_data_dir(*stop, stop_options);
  stop->callback([&] { result = run_stop(stop_options, output()); });

  InspectOptions inspect_options;
  auto* inspect = app.add_subcommand("inspect", "show and judge a record or message");
  inspect->add_option("kind", inspect_options.kind, "presence, delegation, envelope, receipt or status");
  inspect->add_option("input", inspect_options.input, "hex, base64, a file, or - for standard input");
  inspect->add_option("--cases", inspect_options.cases, "judge a file of cases and list the differences");
  inspect->add_option("--now", inspect_options.now_ms, "judge at this time, Unix ms");
  inspect->add_option("--dht-key", inspect_options.dht_key,
                      "the key under which a presence was found, text or hex");
  inspect->add_option("--network", inspect_options.network, "name of the network");
  inspect->add_option("--author", inspect_options.author, "peer id that published it");
  inspect->callback([&] { result = run_inspect(inspect_options, output()); });

  auto* demo = app.add_subcommand("demo", "a network of seven nodes on this machine, in ten seconds");
  demo->callback([&] { result = run_demo(output()); });
  auto* version = app.add_subcommand("version", "print the version");
  version->callback([&] { result = run_version(output()); });

  CLI11_PARSE(app, argc, argv);
  return result;
}

}  // namespace
}  // namespace starling::cli

int main(int argc, char** argv) { return starling::cli::run(argc, argv); }
