"""The rows of `./x bench wire`: what is done to a stack, and what comes of it."""

import concurrent.futures
import functools
import json
import pathlib
import subprocess
import time
from collections.abc import Callable

from wire_bench import (CLIENT_CORE, MIB, SERVER_CORE, Bench, CellFailure, Figure, Peer, Program, Row, Size, call,
                        descriptors, resident_kib, spent, together)
from wire_far import CONNECT_ROUND_TRIPS_MIN, far_connect, far_limits, far_throughput
from wire_gossip import fanout, gossip, gossip_half

# -------------------------------------------------------------------------------------- connections and streams


def handshakes(dialers: int) -> Callable[[Bench, Peer, Peer, Size], dict[str, float]]:
    def run(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
        dialling, serving = bench.pair(client, server)
        call(dialling, "bench-handshake", addr=serving.addr, seconds=size.seconds / 5, dialers=dialers)
        files = descriptors(serving)
        with spent(serving, dialling) as cpu:
            done = call(dialling, "bench-handshake", addr=serving.addr, seconds=size.seconds, dialers=dialers)
        if done["count"] == 0:
            raise CellFailure(f"{client.name} to {server.name}: no handshake at all")
        serving.poll("stats", lambda stats: stats["conns"] == 0, "end of all connections")
        if descriptors(serving) > files + 2:
            raise CellFailure(f"{server.name} keeps descriptors: {files} before, {descriptors(serving)} after")
        return {"rate": done["perSec"], "server_us": 1e6 * cpu[0] / done["count"],
                "client_us": 1e6 * cpu[1] / done["count"]}
    return run


def throughput(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    asking, serving = bench.pair(client, server)
    call(asking, "connect", addr=serving.addr)
    count = size.transfer_mib * MIB
    call(asking, "bench-perf", addr=serving.addr, up=count // 16, down=count // 16)
    out = {}
    for way, amounts in (("up", (count, 0)), ("down", (0, count))):
        with spent(asking, serving) as cpu:
            done = call(asking, "bench-perf", addr=serving.addr, up=amounts[0], down=amounts[1])
        out[way] = done["gbps"]
        out[f"{way}_cpu"] = sum(cpu) / (count / (1024 * MIB))
    return out


def payload_is_right(bench: Bench, client: Peer, server: Peer, size: Size) -> None:
    """The gate of the throughput rows: 16 MiB come back with the same digest."""
    asking, serving = bench.pair(client, server)
    call(asking, "echo", addr=serving.addr, bytes=min(size.transfer_mib, 16) * MIB, seed=7)
    bench.close()


def checked_throughput(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    payload_is_right(bench, client, server, size)
    return throughput(bench, client, server, size)


def parallel_streams(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    asking, serving = bench.pair(client, server)
    call(asking, "connect", addr=serving.addr)
    count = size.transfer_mib * MIB // 16
    call(asking, "bench-perf", addr=serving.addr, up=0, down=count)
    began = time.monotonic()
    done = together([lambda: call(asking, "bench-perf", addr=serving.addr, up=0, down=count)] * 16)
    took = time.monotonic() - began
    each = [one["gbps"] for one in done]
    return {"down": 16 * count * 8 / 1e9 / took, "fairness": min(each) / max(each)}


def parallel_connections(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    """Eight programs on the client's core, two downloads on the connection of each."""
    serving = bench.start(server, SERVER_CORE)
    asking = [bench.start(client, CLIENT_CORE, "--listen", "none") for _ in range(8)]
    count = size.transfer_mib * MIB // 16

    def download(program: Program) -> dict:
        return call(program, "bench-perf", addr=serving.addr, up=0, down=count)

    for program in asking:
        call(program, "connect", addr=serving.addr)
        download(program)
    with spent(serving) as cpu:
        began = time.monotonic()
        done = together([functools.partial(download, program) for program in asking * 2])
        took = time.monotonic() - began
    each = [one["gbps"] for one in done]
    return {"down": 16 * count * 8 / 1e9 / took, "fairness": min(each) / max(each),
            "server_cpu": cpu[0] / (16 * count / (1024 * MIB))}


def in_flight(command: str, depth: int) -> Callable[[Bench, Peer, Peer, Size], dict[str, float]]:
    """`depth` exchanges of 64 bytes at a time, as the command has them."""
    def run(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
        asking, serving = bench.pair(client, server)
        call(asking, "connect", addr=serving.addr)
        call(asking, command, addr=serving.addr, seconds=size.seconds / 5, depth=depth)
        with spent(asking, serving) as cpu:
            done = call(asking, command, addr=serving.addr, seconds=size.seconds, depth=depth)
        return {"rate": done["perSec"], "p50": done["p50us"], "p99": done["p99us"],
                "cpu_us": 1e6 * sum(cpu) / (done["perSec"] * size.seconds)}
    return run


def ping_idle(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    asking, serving = bench.pair(client, server)
    call(asking, "connect", addr=serving.addr)
    call(asking, "ping", peerId=serving.peer_id, n=size.pings // 10)
    done = call(asking, "ping", peerId=serving.peer_id, n=size.pings)
    return {"p50": done["p50us"], "p99": done["p99us"]}


def ping_loaded(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    """Pings on a connection that at the same time downloads as fast as it can."""
    asking, serving = bench.pair(client, server)
    call(asking, "connect", addr=serving.addr)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        transfer = pool.submit(call, asking, "bench-perf", addr=serving.addr, up=0, down=size.transfer_mib * MIB)
        times: list[dict] = []
        while not transfer.done():
            times.append(call(asking, "ping", peerId=serving.peer_id, n=max(size.pings // 500, 5)))
        transfer.result()
    p50 = sorted(one["p50us"] for one in times)
    return {"p50": p50[len(p50) // 2], "p99": max(one["p99us"] for one in times)}


# ----------------------------------------------------------------------------------------------------- footprint


def held(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    out = {}
    for index, count in enumerate(size.held):
        holding, serving = bench.pair(client, server)
        call(holding, "bench-hold", addr=serving.addr, n=1)
        call(holding, "release")
        before = resident_kib(serving)
        call(holding, "bench-hold", addr=serving.addr, n=count)
        time.sleep(size.idle_seconds / 3)
        out[f"kib{index}"] = (resident_kib(serving) - before) / count
        call(holding, "release")
        serving.poll("stats", lambda stats: stats["conns"] == 0, "end of all connections")
        bench.close()
    return out


def footprint(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    del client
    starts = []
    for _ in range(size.starts):
        began = time.monotonic()
        bench.start(server, None)
        starts.append(1000 * (time.monotonic() - began))
        bench.close()
    program = bench.start(server, SERVER_CORE)
    time.sleep(size.idle_seconds)
    return {"start": sorted(starts)[len(starts) // 2], "rss": resident_kib(program) / 1024}


# -------------------------------------------------------------------------------------------------------- limits


def measure_limits(program: pathlib.Path, seconds: float) -> dict[str, float]:
    done = subprocess.run([program, str(seconds)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def handshake_limit(limits: dict) -> float:
    """Four scalar multiplications on X25519 and one check of an Ed25519 signature, on one core."""
    return 1 / (4 / limits["x25519_per_s"] + 1 / limits["ed25519_verify_per_s"])


def stream_limit(limits: dict) -> float:
    """Every byte is sealed, and then goes through one TCP stream, with nothing side by side."""
    return 1 / (1 / limits["aead_gbps"] + 1 / limits["tcp_stream_gbps"])


def ping_pong(limits: dict) -> float:
    return limits["ping_pong_p50_us"]


def gossip_limit(limits: dict) -> float:
    """Both cores do nothing but check signatures of Ed25519 identities."""
    return 2 * limits["ed25519_verify_per_s"]


def far_up(limits: dict) -> float:
    return limits["far_up_gbps"]


def far_down(limits: dict) -> float:
    return limits["far_down_gbps"]


def handshake_work(limits: dict) -> float:
    return 1 / handshake_limit(limits)


def stream_work(limits: dict) -> float:
    return 1 / stream_limit(limits)


def gossip_work(limits: dict) -> float:
    return 1 / limits["ed25519_verify_per_s"]


RATE = "per second"
CPU_US = "µs of CPU"
CPU_GIB = "s of CPU a GiB"

ROWS = [
    Row("handshakes", "handshakes, 16 dialers on one core, the server on the other",
        [Figure("rate", RATE, limit=handshake_limit), Figure("server_us", CPU_US, "lower", work=handshake_work),
         Figure("client_us", CPU_US, "lower", work=handshake_work)], handshakes(16), cross=True),
    Row("handshakes-1", "handshakes one after the other",
        [Figure("rate", RATE), Figure("server_us", CPU_US, "lower", work=handshake_work)], handshakes(1)),
    Row("throughput", "one stream, a core each",
        [Figure("up", "Gbit/s", limit=stream_limit), Figure("down", "Gbit/s", limit=stream_limit),
         Figure("up_cpu", CPU_GIB, "lower", work=stream_work), Figure("down_cpu", CPU_GIB, "lower", work=stream_work)],
        checked_throughput, cross=True),
    Row("streams", "sixteen downloads side by side on one connection",
        [Figure("down", "Gbit/s", limit=stream_limit), Figure("fairness", "slowest to fastest")], parallel_streams),
    Row("connections-8", "eight connections of a program each, two downloads side by side on each",
        [Figure("down", "Gbit/s", limit=stream_limit), Figure("fairness", "slowest to fastest"),
         Figure("server_cpu", CPU_GIB + ", server", "lower", work=stream_work)], parallel_connections),
    Row("far-connect", "63 ms away: from dialling to the first byte of the answer on a new stream",
        [Figure("p50", "ms", "lower"), Figure("round_trips", "round trips", "lower", lambda _: CONNECT_ROUND_TRIPS_MIN),
         Figure("first", "ms, of two that have never met", "lower")], far_connect, limits=far_limits("rtt")),
    Row("far-throughput", "63 ms away: one stream",
        [Figure("up", "Gbit/s", limit=far_up), Figure("down", "Gbit/s", limit=far_down),
         Figure("up_cpu", CPU_GIB, "lower", work=stream_work), Figure("down_cpu", CPU_GIB, "lower", work=stream_work)],
        far_throughput, limits=far_limits("up", "down")),
    Row("requests-1", "a new stream for each request of 64 bytes, one at a time",
        [Figure("rate", RATE, limit=lambda limits: 1e6 / ping_pong(limits)), Figure("p50", "µs", "lower"),
         Figure("p99", "µs", "lower"), Figure("cpu_us", CPU_US, "lower")], in_flight("bench-rr", 1), cross=True),
    Row("requests-16", "the same, 16 in flight",
        [Figure("rate", RATE), Figure("p99", "µs", "lower"), Figure("cpu_us", CPU_US, "lower")], in_flight("bench-rr", 16)),
    Row("requests-256", "the same, 256 in flight",
        [Figure("rate", RATE), Figure("p99", "µs", "lower"), Figure("cpu_us", CPU_US, "lower")],
        in_flight("bench-rr", 256), cross=True),
    Row("messages-1", "messages of 64 bytes there and back on one stream that stays, one at a time",
        [Figure("rate", RATE, limit=lambda limits: 1e6 / ping_pong(limits)), Figure("p50", "µs", "lower"),
         Figure("p99", "µs", "lower"), Figure("cpu_us", CPU_US, "lower")], in_flight("bench-stream", 1), cross=True),
    Row("messages-256", "the same, 256 in flight",
        [Figure("rate", RATE), Figure("p99", "µs", "lower"), Figure("cpu_us", CPU_US, "lower")],
        in_flight("bench-stream", 256), cross=True),
    Row("ping", "ping on an idle connection",
        [Figure("p50", "µs", "lower", ping_pong), Figure("p99", "µs", "lower")], ping_idle, cross=True),
    Row("ping-loaded", "ping beside a download at full rate on the same connection",
        [Figure("p50", "µs", "lower"), Figure("p99", "µs", "lower")], ping_loaded),
    Row("gossip", "gossip from one process to others, 1 KiB signed",
        [Figure("rate", "deliveries per second", limit=gossip_limit),
         Figure("cpu_us", CPU_US + " a delivery", "lower", work=gossip_work),
         Figure("sink_cpu_us", CPU_US + " a delivery, receivers", "lower", work=gossip_work), Figure("p99", "ms", "lower")],
        gossip(1024), cross=True),
    Row("gossip-half", "the same at half the rate that the same processes reach",
        [Figure("rate", "deliveries per second"), Figure("cpu_us", CPU_US + " a delivery", "lower", work=gossip_work),
         Figure("sink_cpu_us", CPU_US + " a delivery, receivers", "lower", work=gossip_work),
         Figure("p50", "ms", "lower"), Figure("p99", "ms", "lower")], gossip_half(1024)),
    Row("gossip-64k", "gossip at full rate with 64 KiB",
        [Figure("rate", "deliveries per second"), Figure("cpu_us", CPU_US + " a delivery", "lower")],
        gossip(64 * 1024)),
    Row("fanout-64", "gossip from one node to 64 others in the same process, 1 KiB signed, two threads",
        [Figure("rate", "deliveries per second", limit=gossip_limit),
         Figure("cpu_us", CPU_US + " a delivery", "lower", work=gossip_work)], fanout),
    Row("held", "resident memory of the server for each idle identified connection",
        [Figure("kib0", "KiB", "lower"), Figure("kib1", "KiB", "lower")], held),
    Row("footprint", "from exec to the line that says it listens; resident memory of an idle process",
        [Figure("start", "ms", "lower"), Figure("rss", "MiB", "lower")], footprint),
]
