"""The rows of `./x bench wire`: what is done to a stack, and what comes of it."""

import concurrent.futures
import contextlib
import dataclasses
import json
import pathlib
import subprocess
import time
from collections.abc import Callable, Iterator

import stacks  # puts the harness of tests/interop on the path
from peers import Peer
from program import CellFailure, Program

SERVER_CORE, CLIENT_CORE = 0, 1
FANOUT_THREADS = 2  # of the only process there is
TOPIC = "bench"
MIB = 1024 * 1024
COMMAND_SECONDS = 180
MESH_SECONDS = 30
QUIET_SECONDS = 0.3
QUIET_SHARE_MAX = 0.1  # of a core: heartbeats and timers of an idle process


@dataclasses.dataclass
class Size:
    """How much is done; the small one keeps the harness alive in CI and measures nothing."""
    seconds: float
    transfer_mib: int
    pings: int
    messages: int
    subscribers: int
    fanout: int  # subscribers in one process
    fanout_messages: int
    held: tuple[int, ...]
    starts: int
    idle_seconds: float
    look_seconds: float  # at what else the machine does, before each sample


FULL = Size(seconds=5, transfer_mib=1024, pings=10_000, messages=4_000, subscribers=8, fanout=64,
            fanout_messages=1_000, held=(1000, 5000), starts=20, idle_seconds=30, look_seconds=1)
SMALL = Size(seconds=0.3, transfer_mib=8, pings=100, messages=100, subscribers=3, fanout=8, fanout_messages=50,
             held=(20,), starts=2, idle_seconds=1, look_seconds=0.05)


@dataclasses.dataclass
class Figure:
    """One number of one row: `better` says which way, `limit` what this machine allows, from its limits."""
    name: str
    unit: str
    better: str = "higher"
    limit: Callable[[dict], float] | None = None


@dataclasses.dataclass
class Row:
    name: str
    title: str
    figures: list[Figure]
    run: Callable[["Bench", Peer, Peer, Size], dict[str, float]]
    cross: bool = False  # also measured with a client of one stack and a server of another


class Bench:
    """Starts the programs of one sample and ends them; counts what they used."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._programs: list[Program] = []

    def start(self, peer: Peer, core: int | None, *flags: str, threads: int | None = None) -> Program:
        pin = [] if core is None else ["taskset", "-c", str(core)]
        program = Program(peer.name, [*pin, *peer.run, "--threads", str(threads or self._threads), *flags])
        self._programs.append(program)
        return program.wait_ready()

    def pair(self, client: Peer, server: Peer, *flags: str) -> tuple[Program, Program]:
        return (self.start(client, CLIENT_CORE, "--listen", "none", *flags),
                self.start(server, SERVER_CORE, *flags))

    def close(self) -> None:
        for program in self._programs:
            program.end()
        self._programs.clear()


def resident_kib(program: Program) -> int:
    for line in pathlib.Path(f"/proc/{program.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise CellFailure(f"{program.label}: no resident size")


def descriptors(program: Program) -> int:
    return len(list(pathlib.Path(f"/proc/{program.pid}/fd").iterdir()))


@contextlib.contextmanager
def spent(*programs: Program) -> Iterator[list[float]]:
    """Afterwards the list holds the CPU seconds of each program."""
    before = [stacks.cpu_seconds(program.pid) for program in programs]
    out: list[float] = []
    yield out
    out += [stacks.cpu_seconds(program.pid) - one for program, one in zip(programs, before, strict=True)]


def call(program: Program, cmd: str, **arguments: object) -> dict:
    return program.call(cmd, timeout=COMMAND_SECONDS, **arguments)


def together(works: list[Callable[[], dict]]) -> list[dict]:
    with concurrent.futures.ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]


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


# ------------------------------------------------------------------------------------------------------- gossip


def gossip(size_bytes: int) -> Callable[[Bench, Peer, Peer, Size], dict[str, float]]:
    def run(bench: Bench, publisher: Peer, subscriber: Peer, size: Size) -> dict[str, float]:
        source = bench.start(publisher, None, "--topics", TOPIC)
        sinks = [bench.start(subscriber, None, "--topics", TOPIC) for _ in range(size.subscribers)]
        for sink in sinks:
            call(sink, "connect", addr=source.addr)
        for sink in sinks:
            sink.poll("meshpeers", lambda answer: source.peer_id in answer["peers"], "mesh", MESH_SECONDS, topic=TOPIC)
        warm = max(size.messages // 20, 10)
        deliver(source, sinks, warm, size_bytes)
        with spent(source, *sinks) as cpu:
            seconds, late = deliver(source, sinks, size.messages, size_bytes)
        deliveries = size.messages * len(sinks)
        return {"rate": deliveries / seconds, "cpu_us": 1e6 * sum(cpu) / deliveries,
                "sink_cpu_us": 1e6 * sum(cpu[1:]) / deliveries, "p99": late}
    return run


def fanout(bench: Bench, publisher: Peer, subscriber: Peer, size: Size) -> dict[str, float]:
    """One process is all of them: what it used between the first publication and the last delivery is its own to tell."""
    del subscriber
    program = bench.start(publisher, None, threads=FANOUT_THREADS)
    wanted = size.fanout * size.fanout_messages
    done = call(program, "bench-fanout", n=size.fanout, count=size.fanout_messages, size=1024,
                warm=max(size.fanout_messages // 20, 10))
    if done["deliveries"] != wanted or done["distinct"] != wanted:
        raise CellFailure(f"{publisher.name}: {done['deliveries']} deliveries of {wanted}, {done['distinct']} of them distinct")
    return {"rate": wanted / done["seconds"], "cpu_us": 1000 * done["cpuMs"] / wanted}


def deliver(source: Program, sinks: list[Program], count: int, size_bytes: int) -> tuple[float, float]:
    """
    Publishes `count` messages and waits until every sink has them all, each once. Seconds from the first publication
    to the last delivery, and the p99 of the slowest sink in ms.
    """
    for sink in sinks:
        call(sink, "counter", on=True)
    began = time.time() * 1000
    call(source, "bench-pub", topic=TOPIC, n=count, size=size_bytes)
    wait_until_idle(sinks)
    answers = [call(sink, "counter", on=False) for sink in sinks]
    for sink, answer in zip(sinks, answers, strict=True):
        if answer["count"] != count or answer["distinct"] != count:
            raise CellFailure(f"{sink.label}: {answer['count']} deliveries of {count}, {answer['distinct']} of them distinct")
    return (max(answer["lastMs"] for answer in answers) - began) / 1000, max(answer["p99ms"] for answer in answers)


def wait_until_idle(programs: list[Program]) -> None:
    """Until none of them has anything to do any more: the contract has no way to read a counter that goes on."""
    end = time.monotonic() + COMMAND_SECONDS
    while time.monotonic() < end:
        with spent(*programs) as cpu:
            time.sleep(QUIET_SECONDS)
        if max(cpu) < QUIET_SECONDS * QUIET_SHARE_MAX:
            return
    raise CellFailure(f"{programs[0].label} does not come to rest")


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


RATE = "per second"
CPU_US = "µs of CPU"

ROWS = [
    Row("handshakes", "handshakes, 16 dialers on one core, the server on the other",
        [Figure("rate", RATE, limit=handshake_limit), Figure("server_us", CPU_US, "lower"),
         Figure("client_us", CPU_US, "lower")], handshakes(16), cross=True),
    Row("handshakes-1", "handshakes one after the other",
        [Figure("rate", RATE), Figure("server_us", CPU_US, "lower")], handshakes(1)),
    Row("throughput", "one stream, a core each",
        [Figure("up", "Gbit/s", limit=stream_limit), Figure("down", "Gbit/s", limit=stream_limit),
         Figure("up_cpu", "s of CPU a GiB", "lower"), Figure("down_cpu", "s of CPU a GiB", "lower")],
        checked_throughput, cross=True),
    Row("streams", "sixteen downloads side by side on one connection",
        [Figure("down", "Gbit/s", limit=stream_limit), Figure("fairness", "slowest to fastest")], parallel_streams),
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
        [Figure("rate", "deliveries per second", limit=gossip_limit), Figure("cpu_us", CPU_US + " a delivery", "lower"),
         Figure("sink_cpu_us", CPU_US + " a delivery, receivers", "lower"), Figure("p99", "ms", "lower")],
        gossip(1024), cross=True),
    Row("gossip-64k", "the same with 64 KiB",
        [Figure("rate", "deliveries per second"), Figure("cpu_us", CPU_US + " a delivery", "lower")],
        gossip(64 * 1024)),
    Row("fanout-64", "gossip from one node to 64 others in the same process, 1 KiB signed, two threads",
        [Figure("rate", "deliveries per second", limit=gossip_limit),
         Figure("cpu_us", CPU_US + " a delivery", "lower")], fanout),
    Row("held", "resident memory of the server for each idle identified connection",
        [Figure("kib0", "KiB", "lower"), Figure("kib1", "KiB", "lower")], held),
    Row("footprint", "from exec to the line that says it listens; resident memory of an idle process",
        [Figure("start", "ms", "lower"), Figure("rss", "MiB", "lower")], footprint),
]
