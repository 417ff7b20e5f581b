"""One DHT of one implementation on the loopback interface: its processes, how they meet, what they cost."""

import concurrent.futures
import dataclasses
import itertools
import time

import stacks  # puts the harness of tests/interop on the path
from cell import KAD
from peers import Peer
from program import CellFailure, Program

START_AT_ONCE = 4  # node takes a second of CPU to start; more at once only queue
CALLS_AT_ONCE = 16
COMMAND_SECONDS = 90
TABLE_WANTED = 20  # k; a lookup among fewer could not store at k servers
STEADY_GROWTH_MAX = 1.02
SETTLE_SECONDS_MAX = 240


@dataclasses.dataclass
class Spent:
    """What a network used between two moments."""
    seconds: float
    cpu_seconds: float


def served_of(stats: dict) -> int:
    """DHT messages from others: an extension of the contract, and in starling-peer one of all counters."""
    if "dhtServed" in stats:
        return stats["dhtServed"]
    return stats["counters"].get("kad_requests_served_count", 0)


class Network:
    """
    `size` servers of one implementation, a process each. form() starts them; close() ends them, whatever
    happened.
    """

    def __init__(self, peer: Peer, size: int, threads: int) -> None:
        self.name = peer.name
        self.flags = ["--kad", KAD, "--kad-mode", "server", "--threads", str(threads)]
        self.programs: list[Program] = []
        self.formed: dict[str, float] = {}
        self._argv = peer.run + self.flags
        self._size = size

    def form(self) -> None:
        """Every node dials the first; then all look something up until their tables hardly grow any more."""
        began, busy = time.monotonic(), self.cpu_seconds()
        for first in range(0, self._size, START_AT_ONCE):
            group = [Program(f"{self.name}#{i}", self._argv)
                     for i in range(first, min(first + START_AT_ONCE, self._size))]
            self.programs += group
            for program in group:
                program.wait_ready()
        entrance = self.programs[0].addr
        self.each(lambda program: program.call("connect", addr=entrance), self.programs[1:])
        smallest = self._settle()
        self.formed = {"seconds": time.monotonic() - began, "cpu_seconds": self.cpu_seconds() - busy,
                       "smallest_table": smallest, "connections": self._sum("conns") / 2}

    def _settle(self) -> int:
        """Waits until every table has TABLE_WANTED entries, or all others, and lookups add little."""
        wanted = min(TABLE_WANTED, self._size - 1)
        end = time.monotonic() + SETTLE_SECONDS_MAX
        before = 0
        for look in itertools.count():
            tables = [answer["size"] for answer in self.each(lambda program: program.call("table"))]
            steady = sum(tables) <= before * STEADY_GROWTH_MAX
            late = time.monotonic() > end
            if min(tables) >= wanted and (steady or late):
                return min(tables)
            if late:
                raise CellFailure(f"{self.name}: a table of {min(tables)} after {SETTLE_SECONDS_MAX} s")
            before = sum(tables)
            # What nobody has cannot be answered from memory, so these are lookups in every stack.
            self.each(lambda program, n=look: program.answer("findproviders", timeout=COMMAND_SECONDS,
                                                             key=f"join-{n}-{program.label}"))
            time.sleep(1)
        raise AssertionError("unreachable")

    def each(self, work, programs: list[Program] | None = None) -> list:
        pool = concurrent.futures.ThreadPoolExecutor(CALLS_AT_ONCE)
        try:
            return list(pool.map(work, self.programs if programs is None else programs))
        finally:  # one failure or an interrupt ends it all: nobody waits for the other answers
            pool.shutdown(wait=False, cancel_futures=True)

    def cpu_seconds(self) -> float:
        """Of all processes."""
        return sum(stacks.cpu_seconds(program.pid) for program in self.programs)

    def served(self) -> int:
        """DHT messages that the nodes had from each other so far."""
        return sum(served_of(stats) for stats in self.each(lambda program: program.call("stats")))

    def resident_mib(self) -> float:
        return self._sum("rssKb") / 1024

    def _sum(self, field: str) -> float:
        return sum(stats[field] for stats in self.each(lambda program: program.call("stats")))

    def measure(self, work) -> Spent:
        began, busy = time.monotonic(), self.cpu_seconds()
        work()
        return Spent(time.monotonic() - began, self.cpu_seconds() - busy)

    def close(self) -> None:
        for program in self.programs:
            program.kill()
        for program in self.programs:
            program.end()
