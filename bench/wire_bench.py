"""What every row of `./x bench wire` is made of: programs, what they used, figures."""

import concurrent.futures
import contextlib
import dataclasses
import pathlib
from collections.abc import Callable, Iterator

import stacks  # puts the harness of tests/interop on the path
from peers import Peer
from program import CellFailure, Program

SERVER_CORE, CLIENT_CORE = 0, 1
MIB = 1024 * 1024
COMMAND_SECONDS = 180


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
    dials: int  # over the long way, one after the other
    far_seconds: float  # of a transfer over the long way


FULL = Size(seconds=5, transfer_mib=1024, pings=10_000, messages=4_000, subscribers=8, fanout=64,
            fanout_messages=1_000, held=(1000, 5000), starts=20, idle_seconds=30, look_seconds=1, dials=50, far_seconds=20)
SMALL = Size(seconds=0.3, transfer_mib=8, pings=100, messages=100, subscribers=3, fanout=8, fanout_messages=50,
             held=(20,), starts=2, idle_seconds=1, look_seconds=0.05, dials=3, far_seconds=1)


@dataclasses.dataclass
class Figure:
    """
    One number of one row: `better` says which way, `limit` what this machine allows, from its limits. `work`, of a CPU
    figure: from the same limits, something that grows with the CPU time that a machine needs for the same work.
    """
    name: str
    unit: str
    better: str = "higher"
    limit: Callable[[dict], float] | None = None
    work: Callable[[dict], float] | None = None


@dataclasses.dataclass
class Row:
    name: str
    title: str
    figures: list[Figure]
    run: Callable[["Bench", Peer, Peer, Size], dict[str, float]]
    cross: bool = False  # also measured with a client of one stack and a server of another
    # Limits of this row alone, before each of its rounds; and under which conditions they were found, for the page.
    limits: Callable[["Bench", Size], tuple[dict[str, float], dict[str, str]]] | None = None


class Absent(CellFailure):
    """This machine has not got what a row needs; the text says what."""


class Bench:
    """
    Starts the programs of one sample and ends them; counts what they used. `far_line` is the program that makes the way
    long where the kernel cannot.
    """

    def __init__(self, threads: int, far_line: pathlib.Path) -> None:
        self.far_line = far_line
        self._threads = threads
        self._programs: list[Program] = []

    def start(self, peer: Peer, core: int | None, *flags: str, inside: tuple[str, ...] = (),
              threads: int | None = None) -> Program:
        """`inside`: the command that enters the place where the program shall run."""
        pin = [] if core is None else ["taskset", "-c", str(core)]
        program = Program(peer.name, [*inside, *pin, *peer.run, "--threads", str(threads or self._threads), *flags])
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
