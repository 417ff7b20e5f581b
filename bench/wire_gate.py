#!/usr/bin/env python3
"""
The regression gate of `./x bench wire --gate FILE`: does Starling need more CPU than in a stored run?

A second of CPU is not worth the same on two machines, nor on one at two times of the day. So no times are compared but
costs: the CPU of Starling by a yardstick that was measured in the same run. The best yardstick is what the other stacks
needed for the same work in the same round: they are the same programs in both runs (only those count whose locked
versions and tool chains are equal), they ask the same of kernel, memory and arithmetic, and the stacks take turns, so
that a slow minute falls upon all. Of several it is their geometric mean, so that none rules by being the slowest. Without
such a stack it is the limit of the row, where that is one of CPU: worse, because it stands for one part of the work.
Where neither exists there is no verdict, and the gate says so.

usage: wire_gate.py --self-test
"""

import copy
import dataclasses
import statistics
import sys
from collections.abc import Callable

from wire_bench import Figure
from wire_report import Series, limits, quartiles, series_of, text
from wire_rows import ROWS

OURS = "starling"


class Incomparable(Exception):
    """Two runs of which one says nothing about the other."""


@dataclasses.dataclass
class Cost:
    """Of one figure in both runs: the CPU by the yardstick, one value a round."""
    row: str
    figure: str
    yardstick: str
    then: list[float]
    now: list[float]

    @property
    def change(self) -> float:
        return statistics.median(self.now) / statistics.median(self.then)

    def worse(self, tolerance: float) -> bool:
        """The better quartile of now is worse than the worse quartile of then by more than the tolerance."""
        return quartiles(self.now)[0] > (1 + tolerance) * quartiles(self.then)[1]


def is_cpu(figure: Figure) -> bool:
    return "CPU" in figure.unit and figure.better == "lower"


def kept_versions(then: dict, now: dict) -> list[str]:
    """The other stacks that are the same programs in both runs."""
    return [name for name, version in now["versions"].items() if name != OURS and then["versions"].get(name) == version]


def by_rivals(series: dict[str, Series], figure: str, rivals: list[str]) -> list[float]:
    """Of each round that has all of them."""
    ours = series[OURS].by_round(figure)
    theirs = [series[name].by_round(figure) for name in rivals]
    return [value / statistics.geometric_mean(one[number] for one in theirs) for number, value in ours.items()
            if all(one.get(number, 0) > 0 for one in theirs)]


def measured(series: dict[str, Series], name: str, figure: str) -> bool:
    return name in series and not series[name].failed and bool(series[name].of(figure))


def cost(row: str, figure: Figure, then: dict, now: dict) -> Cost | None:
    """None without a yardstick."""
    runs = [series_of(document, row) for document in (then, now)]
    rivals = [name for name in kept_versions(then, now) if all(measured(run, name, figure.name) for run in runs)]
    if rivals:
        costs = [by_rivals(run, figure.name, rivals) for run in runs]
        if all(costs):
            return Cost(row, figure.name, " and ".join(rivals), *costs)
    if figure.work is None:
        return None
    costs = [[value / figure.work(limits(document)) for value in run[OURS].of(figure.name)]
             for document, run in zip((then, now), runs, strict=True)]
    return Cost(row, figure.name, "limits of the machine", *costs)


def compare(then: dict, now: dict) -> tuple[list[Cost], list[str]]:
    """What can be compared, and the figures that cannot, with the reason."""
    for option in ("threads", "small"):
        if then["options"][option] != now["options"][option]:
            raise Incomparable(f"one run has --{option} {then['options'][option]}, the other {now['options'][option]}")
    if now["options"]["small"]:
        raise Incomparable("--small measures nothing")
    costs, without = [], []
    for row in ROWS:
        runs = [series_of(document, row.name) for document in (then, now)]
        for figure in filter(is_cpu, row.figures):
            has = [measured(run, OURS, figure.name) for run in runs]
            if has == [True, True]:
                found = cost(row.name, figure, then, now)
                if found is None:
                    without.append(f"{row.name} {figure.name}: no other stack of the same version in both runs, no limit of CPU")
                else:
                    costs.append(found)
            elif any(has):
                without.append(f"{row.name} {figure.name}: only in {'the stored run' if has[0] else 'this run'}")
    return costs, without


def line(one: Cost, tolerance: float) -> str:
    values = " → ".join(f"{text(statistics.median(found))} ({' – '.join(map(text, quartiles(found)))})"
                        for found in (one.then, one.now))
    verdict = "WORSE" if one.worse(tolerance) else "ok"
    return f"gate  {one.row:14}{one.figure:14}{100 * (one.change - 1):+6.1f} %  {values}  by {one.yardstick}  {verdict}"


def passes(then: dict, now: dict, tolerance: float, say: Callable[[str], None]) -> bool:
    """Says all of it. A gate that has compared nothing has not been passed."""
    try:
        costs, without = compare(then, now)
    except Incomparable as reason:
        say(f"gate  FAILED: {reason}")
        return False
    for one in costs:
        say(line(one, tolerance))
    for reason in without:
        say(f"gate  not compared: {reason}")
    worse = [one for one in costs if one.worse(tolerance)]
    good = bool(costs) and not worse
    say(f"gate  {'passed' if good else 'FAILED'}: {len(costs)} figures compared, {len(worse)} of them worse by more than "
        f"{100 * tolerance:.0f} % beyond the spread, {len(without)} not compared")
    return good


# ----------------------------------------------------------------------------------------------------- self-test


LIMITS = {"x25519_per_s": 30_000.0, "ed25519_verify_per_s": 24_000.0, "aead_gbps": 28.0, "tcp_stream_gbps": 27.0}
WOBBLE = (3.0, 0.98, 1.0, 1.01, 1.02)  # by round: the first is a warm-up, and must not count


def planted(ours: float = 1.0, machine: float = 1.0, wobble: tuple[float, ...] = WOBBLE, **more: object) -> dict:
    """A run in which Starling needs `ours` times its CPU, on a machine that takes `machine` times as long for all."""
    samples = [{"row": row, "client": name, "server": name, "round": number, "failures": [],
                "values": {"server_us": base * scale * machine * share, "cpu_us": base * scale * machine * share}}
               for number, share in enumerate(wobble) for row in ("handshakes", "requests-16", "gossip")
               for name, base, scale in ((OURS, 300.0, ours), ("go", 1300.0, 1.0), ("rust", 900.0, 1.0))]
    run = {"versions": {OURS: "commit a", "go": "go 1", "rust": "rust 1"}, "samples": samples,
           "options": {"rounds": len(wobble), "threads": 1, "small": False},
           "limits": [{name: value / machine for name, value in LIMITS.items()}]}
    run["options"] |= more
    return run


def new_versions(run: dict) -> dict:
    return {**run, "versions": {name: version + " later" for name, version in run["versions"].items()}}


def alone(run: dict) -> dict:
    return {**run, "samples": [one for one in run["samples"] if one["client"] == OURS]}


def failing(run: dict, name: str) -> dict:
    """Of that stack a sample of each row has failed, and the others took half of the time."""
    run = copy.deepcopy(run)
    for one in [one for one in run["samples"] if one["client"] == name]:
        one["values"] = {figure: value / 2 for figure, value in one["values"].items()}
        if one["round"] == 2:
            del one["values"]
    return run


def uneven(run: dict) -> dict:
    """Rounds in which the machine was twice as slow, for everybody."""
    run = copy.deepcopy(run)
    for one in run["samples"]:
        if one["round"] in (1, 2, 3):
            one["values"] = {figure: 2 * value for figure, value in one["values"].items()}
    return run


WILD = (1.0, 0.6, 0.8, 1.2, 1.6)
# What each is called, the stored run, this run, and which rows are worse by more than 10 %; None: not comparable.
EVERY = ["gossip", "handshakes", "requests-16"]
CASES = [
    ("the same run", planted(), planted(), []),
    ("a third more CPU", planted(), planted(ours=1.33), EVERY),
    ("a third less CPU", planted(), planted(ours=0.67), []),
    ("8 % more, the tolerance is 10", planted(), planted(ours=1.08), []),
    ("16 % more", planted(), planted(ours=1.16), EVERY),
    ("a machine half as fast", planted(), planted(machine=2), []),
    ("a machine twice as fast hides nothing", planted(), planted(ours=1.33, machine=0.5), EVERY),
    ("rounds in which all were slow", planted(), uneven(planted()), []),
    ("rounds in which all were slow hide nothing", uneven(planted()), uneven(planted(ours=1.33)), EVERY),
    ("one other stack has failed samples, and is no yardstick", planted(), failing(planted(), "go"), []),
    ("alone: the limits, where there are any of CPU", alone(planted()), alone(planted(ours=1.33)), ["gossip", "handshakes"]),
    ("alone on a machine half as fast", alone(planted()), alone(planted(machine=2)), []),
    ("others of another version are no yardstick", planted(), new_versions(planted(ours=1.33)), ["gossip", "handshakes"]),
    ("alone, within the spread", alone(planted(wobble=WILD)), alone(planted(ours=1.33, wobble=WILD)), []),
    ("alone, far beyond the spread", alone(planted(wobble=WILD)), alone(planted(ours=4, wobble=WILD)),
     ["gossip", "handshakes"]),
    ("a slow warm-up does not count", alone(planted(wobble=(3.0, 1.0))), alone(planted(ours=1.33, wobble=(3.0, 1.0))),
     ["gossip", "handshakes"]),
    ("one round each", planted(wobble=(1.0,)), planted(ours=1.33, wobble=(1.0,)), EVERY),
    ("another number of threads", planted(), planted(threads=2), None),
    ("a small run", planted(small=True), planted(small=True), None),
]


def worse_rows(then: dict, now: dict) -> list[str] | None:
    try:
        return sorted({one.row for one in compare(then, now)[0] if one.worse(0.10)})
    except Incomparable:
        return None


def self_test() -> list[str]:
    found = [f"self-test: {name}: {worse_rows(then, now)}, not {expected}" for name, then, now, expected in CASES
             if worse_rows(then, now) != expected]
    compared, without = compare(alone(planted()), alone(planted()))
    if len(compared) != 2 or without != [
            "requests-16 cpu_us: no other stack of the same version in both runs, no limit of CPU"]:
        found.append(f"self-test: what has no yardstick: {compared} {without}")
    missing = planted()
    missing["samples"] = [one for one in missing["samples"] if one["row"] != "gossip"]
    if compare(planted(), missing)[1] != ["gossip cpu_us: only in the stored run"]:
        found.append("self-test: a figure that is gone is not told")
    return found + self_test_verdicts()


def self_test_verdicts() -> list[str]:
    """The gate as a whole: nothing compared is not passed."""
    said: list[str] = []
    empty = {**planted(), "samples": []}
    out = []
    for name, then, now, expected in (("equal", planted(), planted(), True), ("worse", planted(), planted(ours=2), False),
                                      ("nothing compared", planted(), empty, False), ("small", planted(), planted(small=True), False)):
        if passes(then, now, 0.10, said.append) != expected:
            out.append(f"self-test: the gate on {name} runs: {said[-1]}")
    return out


def main() -> int:
    if sys.argv[1:] != ["--self-test"]:
        print(__doc__)
        return 2
    found = self_test()
    for one in found:
        print(one)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
