"""Connecting, identify, ping, echo: `one` dials `two`."""

import functools
import hashlib
import re
import struct

from cell import cell, check

SERVED = {"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/echo/1.0.0", "/rr/1.0.0", "/perf/1.0.0"}
SMALL_BYTES, BIG_BYTES = 64 << 10, 16 << 20
PEER_ID_PREFIX = {"ed25519": "12D3Koo", "secp256k1": "16Uiu2HA"}


def link(dialer, listener):
    """Connects, and waits until both sides have said so."""
    answer = dialer.call("connect", addr=listener.addr)
    check(answer["peerId"] == listener.peer_id,
          f"{dialer.label} connected to {answer['peerId']} instead of {listener.peer_id}")
    for here, there in ((dialer, listener), (listener, dialer)):
        here.event(lambda e: e["event"] == "peer:connect" and e["peerId"] == there.peer_id,
                   f"peer:connect of {there.label}")


def bare(addr):
    """The address without its /p2p tail."""
    return addr.split("/p2p/")[0]


@functools.lru_cache(maxsize=8)
def echo_digest(seed, count):
    """SHA-256 of the byte sequence that the README defines for echo, computed independently."""
    x, words = seed or 1, []
    for _ in range((count + 3) // 4):
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        words.append(x)
    return hashlib.sha256(struct.pack(f"<{len(words)}I", *words)[:count]).hexdigest()


def echo(here, there, count, seed):
    answer = here.call("echo", timeout=60, peerId=there.peer_id, bytes=count, seed=seed)
    check(answer["sha256"] == echo_digest(seed, count),
          f"{here.label}: echo of {count} bytes at {there.label} gave another digest than the sequence has")
    check(answer["ms"] > 0, f"{here.label}: echo took {answer['ms']} ms")


@cell("identity", symmetric=True)
def identity(run, one, two):
    key = run.key_for("shared")
    a, b = run.start_all((one, {"key": key}), (two, {"key": key}))
    check(a.peer_id == b.peer_id, f"one key, two peer ids: {a.peer_id} and {b.peer_id}")
    check(a.peer_id.startswith(PEER_ID_PREFIX[run.case.key]), f"unexpected form of peer id {a.peer_id}")
    for program in (a, b):
        check(program.addr.endswith("/p2p/" + program.peer_id), f"{program.label}: address {program.addr}")
        check(program.ready["startMs"] >= 0 and program.ready["pid"] > 0, f"{program.label}: {program.ready}")


def identified(a, b):
    """Both sides know of each other what identify tells; `a` has dialled."""
    for here, there in ((a, b), (b, a)):
        seen = here.call("identify", peerId=there.peer_id)
        check(seen["agent"] != "", f"{here.label} sees no agent of {there.label}")
        missing = SERVED - set(seen["protocols"])
        check(not missing, f"{here.label} does not see {sorted(missing)} of {there.label}")
        check(bare(there.addr) in [bare(x) for x in seen["addrs"]],
              f"{here.label}: {there.addr} is not among {seen['addrs']}")
        check(re.fullmatch(r"/ip4/127\.0\.0\.1/tcp/[1-9]\d*", bare(seen["observed"])),
              f"{here.label} is observed at {seen['observed']!r}")
        check(here.call("peers")["peers"] == [there.peer_id], f"{here.label} has other peers")
    observed = bare(b.call("identify", peerId=a.peer_id)["observed"])
    check(observed == bare(b.addr), f"{a.label} dialled {b.addr} but tells {b.label} {observed}")


@cell("basics", also_tls=True, between_all="ed25519")
def basics(run, one, two):
    """Connect, identify, ping, and echo with its half-close: both ways, of nothing, of a bit and of a lot."""
    a, b = run.start_all((one, {}), (two, {}))
    if run.case.cell.security == "tls" and run.pair_quirk("extension-after-others", "wants-extension-first"):
        a.refuse("connect", addr=b.addr)
        return
    link(a, b)
    identified(a, b)
    for here, there in ((a, b), (b, a)):
        times = here.call("ping", peerId=there.peer_id, n=10)
        check(0 < times["minUs"] <= times["p50us"] <= times["p99us"], f"{here.label}: {times}")
    for here, there in ((a, b), (b, a)):
        for count, seed in ((0, 1), (SMALL_BYTES, 7), (BIG_BYTES, 7)):
            echo(here, there, count, seed)


@cell("echo-side-by-side", keys=("ed25519",), symmetric=True)
def echo_side_by_side(run, one, two):
    a, b = run.start_all((one, {}), (two, {}))
    link(a, b)
    waiting = []
    for here, there in ((a, b), (b, a)):
        for seed in range(1, 9):
            number = here.send("echo", peerId=there.peer_id, bytes=1 << 20, seed=seed)
            waiting.append((here, seed, number))
    for here, seed, number in waiting:
        answer = here.wait_answer(number, "echo", timeout=60)
        check(answer["sha256"] == echo_digest(seed, 1 << 20), f"{here.label}: echo with seed {seed} differs")


@cell("echo-dials", keys=("secp256k1",))
def echo_dials(run, one, two):
    """The command echo with an address connects first; `one` listens nowhere."""
    a, b = run.start_all((one, {"listen": "none"}), (two, {}))
    check(a.addrs == [], f"{a.label} listens on {a.addrs}")
    answer = a.call("echo", addr=b.addr, bytes=1000, seed=5)
    check(answer["sha256"] == echo_digest(5, 1000), f"{a.label}: echo differs")


@cell("bootstrap", keys=("ed25519",))
def bootstrap(run, one, two):
    """`one` dials two addresses at its start; the second of them belongs to a node with two listeners."""
    loopback = "/ip4/127.0.0.1/tcp/0"
    first, second = run.start_all((two, {}), (two, {"listen": [loopback, loopback], "threads": 2}))
    check(len(set(second.addrs)) == 2, f"{second.label} listens on {second.addrs}")
    a = run.start(one, bootstrap=[first.addr, second.addrs[1]])
    for there in (first, second):
        for here, other in ((a, there), (there, a)):
            here.event(lambda e: e["event"] == "peer:connect" and e["peerId"] == other.peer_id,
                       f"peer:connect of {other.label}")
        echo(a, there, 1000, 4)


@cell("wrong-peer-id", also_tls=True, keys=("ed25519",))
def wrong_peer_id(run, one, two):
    a, b, other = run.start_all((one, {}), (two, {}), (two, {"listen": "none"}))
    a.refuse("connect", addr=bare(b.addr) + "/p2p/" + other.peer_id)
    check(a.call("peers")["peers"] == [], f"{a.label} kept a connection to the wrong peer")
    link(a, b)


@cell("cross-dial", keys=("ed25519",), symmetric=True)
def cross_dial(run, one, two):
    """Both dial at the same moment; whatever number of connections results, both sides can use them."""
    a, b = run.start_all((one, {}), (two, {}))
    numbers = [(here, here.send("connect", addr=there.addr)) for here, there in ((a, b), (b, a))]
    for here, number in numbers:
        here.wait_answer(number, "connect")
    for here, there in ((a, b), (b, a)):
        echo(here, there, 1000, 9)
