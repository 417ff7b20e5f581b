"""
The far rows of `./x bench wire`: two network namespaces with 63 ms and 5 Gbit/s between them.

The namespaces have no names. They live as long as a process is in them, and everything in them ends with its standard
input, so whatever becomes of the benchmark, nothing stays behind.
"""

import contextlib
import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from wire_bench import CLIENT_CORE, MIB, SERVER_CORE, Absent, Bench, Peer, Program, Size, call, spent

ONE_WAY_US = 31_500
GBIT_PER_SECOND = 5
ROUND_TRIP_MS = (63, 68)  # what a way of that length may measure as
CONNECT_ROUND_TRIPS_MIN = 3.0  # TCP, Noise, and the stream with what is asked on it: each waits for the one before
HOSTS = ("198.18.0.1", "198.18.0.2")  # of the block for benchmarks, RFC 2544
QUEUE_PACKETS = 100_000
BUFFER_BYTES_MAX = 128 * MIB  # three times what is under way at 5 Gbit/s; the kernel counts its own overhead too
RAW = pathlib.Path(__file__).resolve().parent / "raw_tcp.py"
RAW_SECONDS = 10  # for what is not the transfer itself
PROBE_BYTES = 4 * MIB
PROBE_GROWTH = 8


def started(command: list[str]) -> subprocess.Popen:
    """A process that ends with its standard input, whoever closes that."""
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise Absent(f"{pathlib.Path(command[0]).name}: {error.strerror}") from error


class Place:
    """One end of the way: a network namespace that a process of ours keeps."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._holder = started(["unshare", "--net", "sh", "-c", "echo in; exec cat"])
        self.pid = self._holder.pid
        self.inside = ("nsenter", f"--net=/proc/{self.pid}/ns/net")
        if self._holder.stdout.readline() != "in\n":
            raise Absent(f"no network namespace: {self._holder.communicate()[1].strip()}")

    def run(self, *command: str) -> str:
        done = subprocess.run([*self.inside, *command], capture_output=True, text=True)
        if done.returncode != 0:
            raise Absent(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def setting(self, name: str) -> str:
        return " ".join(self.run("cat", f"/proc/sys/net/ipv4/{name}").split())

    def set(self, name: str, value: str) -> None:
        self.run("sh", "-c", f"echo '{value}' > /proc/sys/net/ipv4/{name}")

    def leave(self) -> None:
        self._holder.communicate()


class Far:
    """Both ends, connected. `how` says by what and with which settings of TCP, for the page."""

    def __init__(self, near: Place, away: Place, how: dict[str, str]) -> None:
        self.near, self.away, self.how = near, away, how

    def pair(self, bench: Bench, client: Peer, server: Peer) -> tuple[Program, Program]:
        return (bench.start(client, CLIENT_CORE, "--listen", "none", inside=self.near.inside),
                bench.start(server, SERVER_CORE, "--listen", f"/ip4/{self.away.host}/tcp/0", inside=self.away.inside))

    @contextlib.contextmanager
    def raw(self) -> Iterator[Callable[[str, float], dict[str, float]]]:
        """What one bare TCP stream does here: call with a way of raw_tcp.py and seconds."""
        def pinned(place: Place, core: int, *arguments: str) -> list[str]:
            return [*place.inside, "taskset", "-c", str(core), sys.executable, str(RAW), *arguments]

        def ask(way: str, seconds: float) -> dict[str, float]:
            command = pinned(self.near, CLIENT_CORE, "ask", self.away.host, port, way, str(seconds))
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=RAW_SECONDS + 4 * seconds)
            except subprocess.TimeoutExpired as expired:
                raise Absent(f"no answer over the long way within {expired.timeout:.0f} s") from expired
            if done.returncode != 0:
                raise Absent(f"no TCP over the long way: {done.stderr.strip()}")
            return json.loads(done.stdout)

        server = started(pinned(self.away, SERVER_CORE, "serve", self.away.host))
        try:
            port = server.stdout.readline().strip()
            yield ask
        finally:
            server.communicate()


def through_netem(near: Place, away: Place) -> None:
    near.run("ip", "link", "add", "far", "type", "veth", "peer", "name", "far", "netns", str(away.pid))
    for place in (near, away):
        place.run("tc", "qdisc", "add", "dev", "far", "root", "netem", "delay", f"{ONE_WAY_US}us",
                  "rate", f"{GBIT_PER_SECOND}gbit", "limit", str(QUEUE_PACKETS))


def through_line(near: Place, away: Place, program: pathlib.Path, ends: contextlib.ExitStack) -> None:
    line = started([str(program), str(near.pid), str(away.pid), str(ONE_WAY_US), str(GBIT_PER_SECOND)])
    ends.callback(line.communicate)
    if line.stdout.readline() != "ready\n":
        raise Absent(f"{program.name}: {line.communicate()[1].strip()}")


def connect(near: Place, away: Place, program: pathlib.Path, ends: contextlib.ExitStack) -> str:
    """By the kernel's own means where it has them, else by a program that holds packets back."""
    try:
        through_netem(near, away)
        how = "netem"
    except Absent as no_netem:
        with contextlib.suppress(Absent):
            near.run("ip", "link", "del", "far")
        try:
            through_line(near, away, program, ends)
        except Absent as no_line:
            raise Absent(f"{no_netem}; {no_line}") from no_line
        how = program.name
    for place, other in ((near, away), (away, near)):
        place.run("ip", "address", "add", place.host, "peer", other.host, "dev", "far")
        place.run("ip", "link", "set", "far", "txqueuelen", str(QUEUE_PACKETS), "up")
    return how


def widen(place: Place, name: str) -> tuple[str, str]:
    """Lets TCP's own tuning of its buffers go as far as this way needs; before and after."""
    before = place.setting(name)
    least, usual, most = before.split()
    place.set(name, f"{least} {usual} {max(int(most), BUFFER_BYTES_MAX)}")
    return before, place.setting(name)


@contextlib.contextmanager
def opened(bench: Bench) -> Iterator[Far]:
    with contextlib.ExitStack() as ends:
        places = []
        for host in HOSTS:
            places.append(Place(host))
            ends.callback(places[-1].leave)
        how = {"way": connect(*places, bench.far_line, ends), "congestion": places[0].setting("tcp_congestion_control")}
        for place in places:
            for name in ("tcp_rmem", "tcp_wmem"):
                how[f"{name}_before"], how[name] = widen(place, name)
        yield Far(*places, how)


def far_limits(*ways: str) -> Callable[[Bench, Size], tuple[dict[str, float], dict[str, str]]]:
    """What one bare TCP stream does on the same way; whoever finds no way here finds out first."""
    def run(bench: Bench, size: Size) -> tuple[dict[str, float], dict[str, str]]:
        out = {}
        with opened(bench) as far, far.raw() as ask:
            for way in ways:
                seen = ask(way, size.far_seconds)
                out["far_rtt_us"] = min(1000 * seen["rtt_ms"], out.get("far_rtt_us", 1e9))
                if "gbps" in seen:
                    out[f"far_{way}_gbps"] = seen["gbps"]
            if not ROUND_TRIP_MS[0] <= out["far_rtt_us"] / 1000 <= ROUND_TRIP_MS[1]:
                raise Absent(f"{far.how['way']}: a round trip of {out['far_rtt_us'] / 1000:.1f} ms, not {ROUND_TRIP_MS[0]}")
            return out, far.how
    return run


def first_byte_ms(asking: Program, serving: Program) -> float:
    """Of a connection of its own, gone again afterwards."""
    began = time.monotonic()
    call(asking, "bench-perf", addr=serving.addr, up=1, down=1)
    took = 1000 * (time.monotonic() - began)
    call(asking, "disconnect", peerId=serving.peer_id)
    for program in (asking, serving):
        program.poll("stats", lambda stats: stats["conns"] == 0, "end of the connection")
    return took


def far_connect(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    with opened(bench) as far:
        with far.raw() as ask:
            round_trip_ms = ask("rtt", 0)["rtt_ms"]
        asking, serving = far.pair(bench, client, server)
        first = first_byte_ms(asking, serving)
        times = sorted(first_byte_ms(asking, serving) for _ in range(size.dials))
        p50 = times[len(times) // 2]
        bench.close()
        return {"p50": p50, "round_trips": p50 / round_trip_ms, "first": first}


def enough(asking: Program, serving: Program, seconds: float, up: int, down: int) -> int:
    """Bytes that a transfer takes about that long for, found with ever larger ones."""
    count = PROBE_BYTES
    while True:
        took = call(asking, "bench-perf", addr=serving.addr, up=up * count, down=down * count)["seconds"]
        if took > seconds / 8:
            return int(min(count / took, GBIT_PER_SECOND * 1e9 / 8) * seconds)
        count *= PROBE_GROWTH


def far_throughput(bench: Bench, client: Peer, server: Peer, size: Size) -> dict[str, float]:
    """Each way on a connection of its own, so that no stream finds windows that another one has opened."""
    out = {}
    with opened(bench) as far:
        asking, serving = far.pair(bench, client, server)
        for name, up, down in (("up", 1, 0), ("down", 0, 1)):
            count = enough(asking, serving, size.far_seconds, up, down)
            call(asking, "disconnect", peerId=serving.peer_id)
            for program in (asking, serving):
                program.poll("stats", lambda stats: stats["conns"] == 0, "end of the connection")
            call(asking, "connect", addr=serving.addr)
            with spent(asking, serving) as cpu:
                done = call(asking, "bench-perf", addr=serving.addr, up=up * count, down=down * count)
            out |= {name: done["gbps"], f"{name}_cpu": sum(cpu) / (count / (1024 * MIB))}
        bench.close()
    return out
