"""What a cell is, the register of all cells, and the run of one cell with its programs."""

import dataclasses
import hashlib
import time

from program import CellFailure, Program

KAD = "/starling/kad/1.0.0"
KEY_TYPES = ("ed25519", "secp256k1")
ALL_CELLS = []
GROUPS = ("basics", "basics, TLS", "connections", "ends", "DHT", "gossipsub", "mesh", "bench commands")
GROUP_OF_MODULE = {"cells_connect": "connections", "cells_life": "ends", "cells_kad": "DHT",
                   "cells_gossip": "gossipsub", "cells_mesh": "mesh", "cells_bench": "bench commands"}
ALL, ALL_AND_ONE = 0, -1  # values of Cell.parts of a test that every implementation takes part in


@dataclasses.dataclass
class Cell:
    """
    A test of two implementations, `one` and `two`; the function says which part each plays.
    symmetric: swapping them would repeat the test. needs: capabilities both must have. parts: 3 for a test of
    three implementations, which need not differ; ALL for a test of every implementation at once, ALL_AND_ONE for one
    in which one of them, named once more at the end, plays a part of its own: each of them in turn.
    between_all: the key type with which two foreign implementations take the test when starling-peer is in the run
    (without it they take everything with both); the TLS variant has the other one.
    helper: a capability some present peer must have; that peer is run.helper. security: what programs of the
    test are started with.
    """
    name: str
    function: object
    keys: tuple = KEY_TYPES
    symmetric: bool = False
    needs: frozenset = frozenset()
    helper: str = ""
    parts: int = 2
    between_all: str = ""
    security: str = "noise"

    @property
    def group(self):
        """Where the report counts it."""
        if self.name.startswith("basics"):
            return "basics" if self.security == "noise" else "basics, TLS"
        return GROUP_OF_MODULE[self.function.__module__]


def cell(name, also_tls=False, **options):
    """
    Registers a function of (run, one, two), of (run, one, two, three) with parts=3, or of (run, *peers) with
    ALL or ALL_AND_ONE, as a cell; also_tls: once more as NAME-tls, for those that have the capability.
    """
    def register(function):
        ALL_CELLS.append(Cell(name, function, **options))
        if also_tls:
            needs = options.pop("needs", frozenset()) | {"tls"}
            if options.get("between_all"):
                options["between_all"] = next(k for k in KEY_TYPES if k != options["between_all"])
            ALL_CELLS.append(Cell(name + "-tls", function, needs=needs, security="tls", **options))
        return function
    return register


@dataclasses.dataclass
class Case:
    """A cell for the implementations that play its parts, and a key type."""
    cell: Cell
    key: str
    peers: tuple
    helper: object = None

    @property
    def id(self):
        return f"{self.cell.name} {self.key} " + ">".join(peer.name for peer in self.peers)


@dataclasses.dataclass
class Result:
    id: str
    status: str  # passed, failed, absent (a peer is missing), skipped (a peer cannot do it)
    seconds: float = 0.0
    detail: str = ""
    notes: list = dataclasses.field(default_factory=list)
    tails: dict = dataclasses.field(default_factory=dict)


class Run:
    """The programs and notes of one case while it runs."""

    def __init__(self, case):
        self.case = case
        self.helper = case.helper
        self.notes = []
        self.programs = []

    def start(self, peer, **flags):
        """Starts a program of that implementation and waits for its ready line."""
        return self.launch(peer, **flags).wait_ready()

    def start_all(self, *wanted):
        """Starts several at once; each is (peer, flags)."""
        launched = [self.launch(peer, **flags) for peer, flags in wanted]
        return [program.wait_ready() for program in launched]

    def launch(self, peer, key=None, topics=None, **flags):
        """kad_mode="client" becomes --kad-mode client; a list repeats its flag, but topics are one flag."""
        label = f"{peer.name}#{len(self.programs) + 1}"
        argv = peer.run + ["--key", key or self.key_for(label)]
        argv += ["--sec", self.case.cell.security] if self.case.cell.security != "noise" else []
        argv += ["--topics", ",".join(topics)] if topics is not None else []
        for name, value in flags.items():
            for one in value if isinstance(value, list) else [value]:
                argv += ["--" + name.replace("_", "-"), str(one)]
        program = Program(label, argv)
        self.programs.append(program)
        return program

    def key_for(self, label):
        """Keys follow from the case and the label, so that a failure repeats with the same keys."""
        return f"{self.case.key}:{hashlib.sha256(f'{self.case.id} {label}'.encode()).hexdigest()}"

    def unique(self, text):
        """A name nobody else in this run uses."""
        return f"{text}-{hashlib.sha256(self.case.id.encode()).hexdigest()[:8]}"

    def quirk(self, peer, name):
        """Whether this implementation has that named expected difference; it is noted in the result."""
        if name not in peer.quirks:
            return False
        self.notes.append(f"{peer.name}/{name}")
        return True

    def pair_quirk(self, name, other):
        """Whether one of the first two implementations has the one difference and the other the other; both are noted."""
        for a, b in (self.case.peers[:2], self.case.peers[1::-1]):
            if name in a.quirks and other in b.quirks:
                return self.quirk(a, name) and self.quirk(b, other)
        return False

    def end(self):
        for program in self.programs:
            program.end()


def check(condition, message):
    if not condition:
        raise CellFailure(message)


def run_case(case):
    """Runs one case to its Result; no exception leaves it and no program outlives it."""
    run = Run(case)
    started = time.monotonic()
    status, detail = "passed", ""
    try:
        case.cell.function(run, *case.peers)
    except CellFailure as failure:
        status, detail = "failed", str(failure)
    except Exception as error:  # a defect of the harness must fail the cell, not hide it
        status, detail = "failed", f"harness: {type(error).__name__}: {error}"
    finally:
        run.end()
    tails = {p.label: list(p.log) for p in run.programs} if status == "failed" else {}
    return Result(case.id, status, time.monotonic() - started, detail, run.notes, tails)
