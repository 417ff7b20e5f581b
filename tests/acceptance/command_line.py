#!/usr/bin/env python3
"""The command line as scripts use it: shapes, exit codes, and one clear message for everything that goes wrong.

Usage: command_line.py [PROGRAM]; ends with `N passed, N failed`.
"""
import base64
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import traceback

from network import Network, joined, program_of, wait_for

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Shell:
    def __init__(self, program, folder):
        self.program = str(program)
        self.folder = pathlib.Path(folder)

    def run(self, *words, stdin=None, timeout=60):
        environment = dict(os.environ, STARLING_HOME=str(self.folder / "home"))
        return subprocess.run([self.program, *map(str, words)], input=stdin, capture_output=True, text=True,
                              timeout=timeout, env=environment)

    def error(self, *words, **more):
        done = self.run("--json", *words, **more)
        assert done.returncode != 0, done.stdout
        error = json.loads(done.stderr.strip().splitlines()[-1])["error"]
        assert set(error) == {"code", "kind", "message", "hint"} and error["code"].startswith("ST-"), error
        return done.returncode, error

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path


@test
def wallets_are_made_imported_listed_and_shown(shell):
    password = shell.file("password", "correct horse\n")
    made = json.loads(shell.run("--json", "wallet", "new", "--light", "--password-file", password).stdout)
    assert stat.S_IMODE(os.stat(made["file"]).st_mode) == 0o600
    keystore = json.loads(pathlib.Path(made["file"]).read_text())
    assert keystore["version"] == 3 and keystore["crypto"]["kdf"] == "scrypt"
    listed = json.loads(shell.run("--json", "wallet", "list").stdout)
    assert [entry["address"] for entry in listed] == [made["address"]]
    shown = json.loads(shell.run("--json", "wallet", "show", made["address"]).stdout)
    assert shown["dht_key"] == "/eth/" + made["address"].lower()
    # The same key from a hex file gives the address that every Ethereum tool computes for it.
    key = shell.file("key.hex", "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318\n")
    imported = json.loads(shell.run("--json", "wallet", "import", key, "--light", "--password-file", password).stdout)
    assert imported["address"] == "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23", imported
    code, error = shell.error("wallet", "import", key, "--light", "--password-file", password)
    assert (code, error["kind"]) == (7, "refused"), (code, error)


@test
def a_wrong_password_is_named_and_nothing_is_lost(shell):
    password = shell.file("right", "right\n")
    wrong = shell.file("wrong", "wrong\n")
    made = json.loads(shell.run("--json", "wallet", "new", "--light", "--password-file", password).stdout)
    before = pathlib.Path(made["file"]).read_bytes()
    code, error = shell.error("up", "--password-file", wrong, "--listen", "/ip4/127.0.0.1/tcp/0")
    assert (code, error["message"].split(": ")[-1]) == (7, "wrong password"), (code, error)
    assert error["hint"]
    assert pathlib.Path(made["file"]).read_bytes() == before


@test
def a_broken_config_key_names_the_line_and_the_known_keys(shell):
    config = shell.file("bad.toml", 'role = "agent"\nlisten-on = ["/ip4/127.0.0.1/tcp/0"]\n')
    code, error = shell.error("up", "--config", config)
    assert code == 2 and "line 2" in error["message"] and "listen-on" in error["message"], error
    config = shell.file("worse.toml", "role = \n")
    code, error = shell.error("up", "--config", config)
    assert code == 2 and "line 1" in error["message"], error
    code, error = shell.error("up", "--role", "king")
    assert code == 2 and "king" in error["message"], error


@test
def a_port_in_use_is_named(shell):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"/ip4/127.0.0.1/tcp/{taken.getsockname()[1]}"
        code, error = shell.error("up", "--listen", address)
    assert code != 0 and address in error["message"] and error["hint"], error


@test
def an_unreachable_bootstrap_node_is_named(shell):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"/ip4/127.0.0.1/tcp/{port}"
    code, error = shell.error("find", "0x" + "11" * 20, "--bootstrap", address)
    assert code == 6 and address in error["message"], (code, error)


@test
def a_wrong_address_is_told_from_an_unknown_one(shell):
    code, error = shell.error("find", "0x1234")
    assert (code, error["kind"]) == (2, "malformed"), (code, error)
    code, error = shell.error("find", "0x8ba1f109551bD432803012645Ac136ddd64DBa72".replace("8ba1", "8BA1"))
    assert (code, error["kind"]) == (2, "malformed"), (code, error)
    code, error = shell.error("inbox")
    assert (code, error["kind"]) == (6, "unreachable") and error["hint"], (code, error)


@test
def two_nodes_do_not_share_a_data_directory(shell):
    with Network(shell.program) as network:
        node = network.add("one").wait_ready()
        code, error = shell.error("up", "--data-dir", node.folder, "--listen", "/ip4/127.0.0.1/tcp/0")
        assert (code, error["kind"]) == (7, "refused"), (code, error)
        assert node.ask("GET", "/v1/status")[0] == 200


@test
def every_verb_has_its_shape(shell):
    with Network(shell.program) as network:
        _, (alice, bob) = network.grow(1, 2)
        run = lambda *words, **more: json.loads(shell.run("--json", *words, "--data-dir", alice.folder, **more).stdout)
        found = run("find", bob.address)
        assert {"address", "peer_id", "addrs", "name", "role", "seq", "expires_at", "source", "ms"} <= set(found), found
        assert found["source"] == "dht" and found["name"] == "agent1" and found["addrs"], found
        sent = run("send", bob.address, "hello")
        assert set(sent) == {"id", "state", "path", "ms"} and (sent["state"], sent["path"]) == ("sent", "gossip"), sent
        piped = run("send", "all", "-", stdin="from stdin")
        assert piped["state"] == "sent"
        wait_for(lambda: len(bob.inbox()) == 2, 10, "both messages are in the inbox")
        lines = shell.run("--json", "inbox", "--data-dir", bob.folder).stdout.splitlines()
        direct, broadcast = sorted((json.loads(line) for line in lines), key=lambda m: m["to"] is None)
        assert direct["text"] == "hello" and direct["sealed"] and direct["from"] == alice.address, direct
        assert broadcast["to"] is None and broadcast["text"] == "from stdin" and not broadcast["sealed"], broadcast
        for message in (direct, broadcast):
            assert {"id", "from", "to", "content_type", "sent_at", "received_at", "sealed"} <= set(message)
        heard = [json.loads(line) for line in shell.run("--json", "announcements", "--data-dir", alice.folder).stdout.splitlines()]
        assert all({"address", "peer_id", "name", "role", "seq", "expires_at", "withdrawn"} <= set(a) for a in heard), heard
        peers = run("peers")
        assert peers and all({"peer_id", "addr", "direction", "agent", "protocols", "score"} == set(p) for p in peers), peers
        status = run("status")
        assert status["address"] == alice.address and status["dht_table"] >= 1, status
        unknown = shell.run("--json", "find", "0x" + "22" * 20, "--data-dir", alice.folder)
        assert unknown.returncode == 4 and json.loads(unknown.stderr)["error"]["code"] == "ST-301", unknown
        missing = shell.run("--json", "send", "0x" + "22" * 20, "x", "--data-dir", alice.folder)
        assert missing.returncode == 4, missing


@test
def followers_see_messages_as_they_come(shell):
    with Network(shell.program) as network:
        _, (alice, bob) = network.grow(1, 2)
        follower = subprocess.Popen([shell.program, "--json", "inbox", "--follow", "--data-dir", str(bob.folder)],
                                    stdout=subprocess.PIPE, text=True)
        try:
            time.sleep(0.5)
            alice.send(bob.address, "live")
            assert json.loads(follower.stdout.readline())["text"] == "live"
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()


@test
def a_command_without_a_node_asks_through_a_bootstrap_node(shell):
    with Network(shell.program) as network:
        (boot,), (alice,) = network.grow(1, 1)
        found = json.loads(shell.run("--json", "find", alice.address, "--bootstrap", boot.multiaddr).stdout)
        assert found["address"] == alice.address
        sent = shell.run("--json", "send", alice.address, "from nowhere", "--bootstrap", boot.multiaddr)
        assert json.loads(sent.stdout)["state"] == "sent", sent
        wait_for(lambda: any(m["text"] == "from nowhere" for m in alice.inbox()), 10, "the message has arrived")


@test
def a_killed_node_keeps_its_inbox_and_identity(shell):
    with Network(shell.program) as network:
        (boot,), (alice, bob) = network.grow(1, 2)
        alice.send(bob.address, "remember me")
        wait_for(lambda: len(bob.inbox()) == 1, 10, "the message has arrived")
        first = bob.ready
        bob.stop(signal.SIGKILL)
        bob.wait_stopped(10)
        again = network.add("agent1", "agent", [boot.multiaddr]).wait_ready()
        assert (again.ready["address"], again.ready["peer_id"]) == (first["address"], first["peer_id"])
        assert [m["text"] for m in again.inbox()] == ["remember me"]
        wait_for(lambda: joined(again, 1), 20, "the agent has joined again")
        status, found = alice.find(first["address"])
        assert status == 200 and again.multiaddr.startswith(tuple(found["addrs"])), found


def public_key_record():
    """A record that every node can check: under a peer id, its public key."""
    key = b"\x08\x01\x12\x20" + os.urandom(32)
    return "hex:" + (b"/pk/\x00\x24" + key).hex(), "hex:" + key.hex()


@test
def the_directory_verbs_have_their_shapes(shell):
    with Network(shell.program) as network:
        (boot,), (alice, bob) = network.grow(1, 2)
        ask = lambda node, *words: json.loads(shell.run("--json", "dht", *words, "--data-dir", node.folder).stdout)
        cost = {"requests", "ms"}

        got = ask(alice, "get", bob.address)
        assert set(got) == {"key", "value_base64", "answers", "holders", "corrected"} | cost, got
        assert got["key"] == "/eth/" + bob.address.lower() and got["holders"] == 1, got
        assert ask(alice, "get", "/eth/" + bob.address)["value_base64"] == got["value_base64"]

        key, value = public_key_record()
        put = ask(alice, "put", key, value)
        assert set(put) == {"key", "stored", "tried", "better"} | cost, put
        assert put["key"].startswith("/pk/12D3Koo") and put["stored"] == put["tried"] == 1, put
        again = ask(bob, "get", put["key"])
        assert base64.b64decode(again["value_base64"]).hex() == value[4:], again
        assert ask(bob, "get", put["key"][4:])["key"] == put["key"]

        provided = ask(alice, "provide", "text:a thing")
        assert set(provided) == {"key", "sent", "tried"} | cost and provided["sent"] == 1, provided
        providers = ask(bob, "findprovs", provided["key"], "--count", "5")
        assert set(providers) == {"key", "providers"} | cost, providers
        assert [set(p) for p in providers["providers"]] == [{"peer_id", "addrs"}], providers
        assert providers["providers"][0]["peer_id"] == alice.ready["peer_id"], providers
        assert ask(alice, "findprovs", bob.address)["providers"][0]["peer_id"] == bob.ready["peer_id"]

        peer = ask(alice, "findpeer", boot.ready["peer_id"])
        assert set(peer) == {"peer_id", "addrs", "answered"} | cost and peer["answered"], peer
        assert boot.multiaddr.startswith(tuple(peer["addrs"])), peer

        table = ask(alice, "table")
        assert set(table) == {"peer_id", "mode", "peers", "records", "providers", "buckets"}, table
        assert (table["mode"], table["peers"], table["peer_id"]) == ("client", 1, alice.ready["peer_id"]), table
        (bucket,) = table["buckets"]
        assert set(bucket) == {"shared_bits", "peers"}, bucket
        assert set(bucket["peers"][0]) == {"peer_id", "addrs", "connected", "silent_s", "failures"}, bucket
        served = ask(boot, "table")
        assert served["mode"] == "server" and served["records"] >= 3 and served["providers"] >= 3, served

        trace = ask(alice, "trace", bob.address)
        assert set(trace) == {"key", "place", "outcome", "error", "hops", "hops_untold", "depth", "answers",
                              "failures"} | cost, trace
        assert (trace["outcome"], trace["error"]) == ("found", None), trace
        hop = trace["hops"][0]
        assert set(hop) == {"at_ms", "ms", "peer_id", "request", "verdict", "shared_bits", "depth", "path", "named",
                            "suggested_by"}, hop
        assert (hop["peer_id"], hop["verdict"], hop["depth"]) == (boot.ready["peer_id"], "answered", 1), hop
        assert ask(alice, "trace", "0x" + "22" * 20)["outcome"] == "not_found"
        assert ask(alice, "trace", boot.ready["peer_id"])["outcome"] == "found"
        assert ask(alice, "trace", "hex:00ff")["outcome"] == "closest"

        people = lambda *words: shell.run("dht", *words, "--data-dir", alice.folder)
        shown = people("trace", bob.address).stdout
        assert "answered" in shown and "own table" in shown and "\nfound" in shown, shown
        assert "stored by 1 of 1 servers" in people("put", *public_key_record()).stdout
        assert boot.ready["peer_id"] in people("table").stdout
        assert bob.ready["peer_id"] in people("findprovs", bob.address).stdout
        assert "  address  /ip4/127.0.0.1/tcp/" in people("findpeer", boot.ready["peer_id"]).stdout

        # Without a node on the data directory: through a bootstrap node, for this one question.
        alone = lambda *words: shell.run("--json", "dht", *words, "--bootstrap", boot.multiaddr)
        assert json.loads(alone("get", bob.address).stdout)["value_base64"] == got["value_base64"]
        assert json.loads(alone("trace", bob.address).stdout)["outcome"] == "found"


@test
def the_directory_says_what_is_wrong_with_a_question(shell):
    code, error = shell.error("dht", "table")
    assert (code, error["kind"]) == (6, "unreachable") and error["hint"], (code, error)
    code, error = shell.error("dht", "provide", "text:x")
    assert (code, error["kind"]) == (6, "unreachable"), (code, error)
    for words in (("get", "nonsense"), ("put", "0x1234", "x"), ("findpeer", "nobody"), ("findprovs", "hex:0")):
        code, error = shell.error("dht", *words)
        assert (code, error["kind"]) == (2, "malformed") and words[1] in error["message"], (code, error)
    with Network(shell.program) as network:
        _, (alice,) = network.grow(1, 1)
        wrong = lambda *words: shell.error("dht", *words, "--data-dir", alice.folder)
        code, error = wrong("put", "/unknown/thing", "x")
        assert (code, error["kind"]) == (2, "malformed") and "/eth" in error["hint"], (code, error)
        code, error = wrong("get", "/unknown/thing")
        assert (code, error["kind"]) == (2, "malformed"), (code, error)
        code, error = wrong("put", public_key_record()[0], "not that key")
        assert (code, error["kind"]) == (2, "malformed") and "value" in error["message"], (code, error)
        code, error = wrong("get", "0x" + "22" * 20)
        assert (code, error["kind"]) == (4, "not_found") and "asked 1 servers" in error["message"], (code, error)
        code, error = wrong("findprovs", "text:nobody has this")
        assert (code, error["kind"]) == (4, "not_found"), (code, error)
        status, answer = alice.ask("POST", "/v1/dht/get", {"kez": 1})
        assert status == 400 and answer["error"]["kind"] == "malformed", answer
        status, answer = alice.ask("POST", "/v1/dht/nothing", {"key": "hex:00"})
        assert status == 400, answer


@test
def inspect_judges_the_cases_of_the_protocol(shell):
    root = pathlib.Path(__file__).resolve().parents[1] / "conformance" / "vectors" / "agent"
    done = shell.run("inspect", "--cases", root / "cases.json")
    assert done.returncode == 0 and done.stdout.strip().endswith(" 0 failed"), done.stdout[-500:]
    text = (root / "cases.json").read_text().replace('"verdict":"accept"', '"verdict":"reject"', 1)
    done = shell.run("inspect", "--cases", shell.file("changed.json", text))
    assert done.returncode == 1 and "expected reject, got accept" in done.stdout, done.stdout[-500:]
    presence = json.loads((root / "presence.json").read_text())
    record = presence["records"][0]
    done = shell.run("--json", "inspect", "presence", record["signed_presence"], "--now", "1795000000000")
    judged = json.loads(done.stdout)
    assert judged["verdict"] == "accept" and judged["fields"]["delegation"]["wallet_signature"] == "good", judged


def main():
    program = program_of(sys.argv[1:])
    passed = failed = 0
    for function in TESTS:
        with tempfile.TemporaryDirectory(prefix="starling-cli-") as folder:
            try:
                function(Shell(program, folder))
            except Exception:  # noqa: BLE001 - every failure is reported and counted
                failed += 1
                print(f"FAILED {function.__name__}\n{traceback.format_exc()}", flush=True)
            else:
                passed += 1
                print(f"ok     {function.__name__}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
