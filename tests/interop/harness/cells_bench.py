"""The bench commands work and count right between any two; this measures nothing. `one` drives."""

import time

from cell import cell, check
from cells_connect import link
from cells_gossip import in_mesh

MESSAGES, MESSAGE_BYTES = 300, 1024
REST_SECONDS, REST_CPU_MS, REST_SECONDS_MAX = 1.0, 100, 20


def comes_to_rest(program):
    """The counter cannot be read while it is on, so the end is seen by the receiver having little to do."""
    end = time.monotonic() + REST_SECONDS_MAX
    before = program.call("stats")["cpuMs"]
    while time.monotonic() < end:
        time.sleep(REST_SECONDS)
        now = program.call("stats")["cpuMs"]
        if now - before < REST_CPU_MS:
            return
        before = now


@cell("bench-streams", keys=("ed25519",), needs=frozenset({"bench"}))
def bench_streams(run, one, two):
    a, b = run.start_all((one, {}), (two, {}))
    link(a, b)
    for up, down in ((0, 0), (1, 1), (3_000_001, 0), (0, 3_000_001), (1_000_000, 1_000_000)):
        took = a.call("bench-perf", addr=b.addr, up=up, down=down)
        check(took["seconds"] > 0 and took["gbps"] >= 0, f"{a.label}: {took}")
    for depth in (1, 8):
        for command in ("bench-rr", "bench-stream"):
            rate = a.call(command, addr=b.addr, seconds=0.5, depth=depth)
            check(rate["perSec"] > 0 and 0 < rate["p50us"] <= rate["p99us"], f"{a.label}: {command}: {rate}")


@cell("bench-connections", keys=("ed25519",), needs=frozenset({"bench"}))
def bench_connections(run, one, two):
    a, b = run.start_all((one, {}), (two, {}))
    rate = a.call("bench-handshake", addr=b.addr, seconds=0.5, dialers=2)
    check(rate["count"] > 0 and rate["perSec"] > 0, f"{a.label}: {rate}")
    b.poll("stats", lambda s: s["conns"] == 0, "end of the handshake connections")
    a.call("bench-hold", addr=b.addr, n=20)
    stats = b.call("stats")
    check(stats["conns"] == 20, f"{b.label} has {stats['conns']} connections instead of 20")
    check(stats["rssKb"] > 1000 and stats["cpuMs"] > 0, f"{b.label}: {stats}")
    a.call("release")
    b.poll("stats", lambda s: s["conns"] == 0, "end of the held connections")


@cell("bench-gossip", keys=("ed25519",), needs=frozenset({"bench"}))
def bench_gossip(run, one, two):
    topic = run.unique("topic")
    a, b = run.start_all((one, {"topics": [topic]}), (two, {"topics": [topic]}))
    link(a, b)
    in_mesh(topic, (a, b))
    b.call("counter", on=True)
    check(a.call("bench-pub", topic=topic, n=MESSAGES, size=MESSAGE_BYTES)["seconds"] > 0, "no time passed")
    a.call("publish", topic=topic, hex="00" * 8)
    comes_to_rest(b)
    counted = b.call("counter", on=False)
    check(counted["count"] == counted["distinct"] == MESSAGES + 1, f"{b.label}: {counted}")
    check(counted["bytes"] == MESSAGES * MESSAGE_BYTES + 8, f"{b.label}: {counted}")
    check(counted["lastMs"] >= counted["firstMs"] > 0, f"{b.label}: {counted}")
    check(not b.events(lambda e: e["event"] == "msg"), f"{b.label} wrote msg events while it counted")

    fanned = a.call("bench-fanout", n=4, count=20, size=MESSAGE_BYTES, warm=5)
    check(fanned["deliveries"] == fanned["distinct"] == 4 * 20, f"{a.label}: {fanned}")
    check(fanned["seconds"] > 0 and fanned["cpuMs"] > 0 and fanned["mesh"] == 4, f"{a.label}: {fanned}")
