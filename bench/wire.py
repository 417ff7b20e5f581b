#!/usr/bin/env python3
"""
The wire of several stacks side by side: `./x bench wire`. Two processes or nine, real sockets on loopback.

Every sample starts its programs anew. Stacks take turns within a round, in an order that turns from round to
round; the first round is thrown away. What this machine can do at all is measured in the same run.
"""

import argparse
import json
import os
import pathlib
import sys
import time

import stacks
import wire_gate
import wire_report
from wire_bench import FULL, SMALL, Absent, Bench, CellFailure, Row, Size
from wire_rows import ROWS, measure_limits

REPO = pathlib.Path(__file__).resolve().parent.parent
RETRIES = 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./x bench wire", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", default=",".join(row.name for row in ROWS))
    parser.add_argument("--stacks", default="starling,go,rust,js")
    parser.add_argument("--rounds", type=int, default=5, help="the first is a warm-up when there are several")
    parser.add_argument("--threads", type=int, default=1, help="worker threads of each process (js has one)")
    parser.add_argument("--cross", action="store_true", help="Starling with each other stack too, both ways")
    parser.add_argument("--small", action="store_true", help="keeps the harness alive, measures nothing")
    parser.add_argument("--starling", metavar="PATH", help="the starling-peer binary")
    parser.add_argument("--limits", metavar="PATH", type=pathlib.Path,
                        default=REPO / "build" / "release" / "bin" / "starling-limits")
    parser.add_argument("--far-line", metavar="PATH", type=pathlib.Path,
                        default=REPO / "build" / "release" / "bin" / "starling-far-line")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="raw samples",
                        default=REPO / "build" / "bench" / "wire.json")
    parser.add_argument("--docs", action="store_true", help="put the tables into docs/benchmarks.md")
    parser.add_argument("--render", metavar="FILE", type=pathlib.Path,
                        help="measure nothing: the tables of these raw samples")
    parser.add_argument("--gate", metavar="FILE", type=pathlib.Path,
                        help="fail when starling needs more CPU than in these raw samples")
    parser.add_argument("--tolerance", type=float, default=0.10, help="of --gate, beyond the spread of the samples")
    options = parser.parse_args()
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in options.rows.split(",") if name not in known]:
        parser.error(f"unknown rows {unknown}; there are {', '.join(known)}")
    if options.rounds < 1:
        parser.error("at least one round")
    try:
        options.stored = json.loads(options.gate.read_text(encoding="utf-8")) if options.gate else None
    except (OSError, ValueError) as error:
        parser.error(f"no stored run at {options.gate}: {error}")
    return options


def others_busy(seconds: float) -> float:
    """Cores that are at work while nothing of ours is; a benchmark beside a build measures the build."""
    def busy() -> float:
        fields = pathlib.Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        user, nice, system, _, _, irq, softirq, steal = map(int, fields)
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    before = busy()
    time.sleep(seconds)
    return (busy() - before) / seconds


def pairs(row: Row, names: list[str], cross: bool) -> list[tuple[str, str]]:
    out = [(name, name) for name in names]
    if cross and row.cross:
        foreign = [name for name in names if name != "starling"]
        out += [("starling", name) for name in foreign] + [(name, "starling") for name in foreign]
    return out


def sample(row: Row, client, server, size: Size, options: argparse.Namespace) -> dict:
    """One sample; one that fails is repeated, and a failure that repeats is what the table says."""
    out = {"row": row.name, "client": client.name, "server": server.name, "failures": []}
    for _ in range(1 + RETRIES):
        bench = Bench(options.threads, options.far_line)
        try:
            out["busy"] = others_busy(size.look_seconds)
            out["values"] = row.run(bench, client, server, size)
            return out
        except CellFailure as failure:
            out["failures"].append(str(failure))
        finally:
            bench.close()
    return out


def own_limits(row: Row, size: Size, options: argparse.Namespace, document: dict) -> bool:
    """False when this machine has not got what the row needs: then it says so, here and in the tables."""
    bench = Bench(options.threads, options.far_line)
    try:
        found, document["conditions"][row.name] = row.limits(bench, size)
        document["limits"].append(found)
        return True
    except Absent as absent:
        document["absent"][row.name] = str(absent)
        say(wire_report.absent_banner(row.name, str(absent)))
        return False
    finally:
        bench.close()


def measure(options: argparse.Namespace) -> dict:
    size = SMALL if options.small else FULL
    chosen = {peer.name: peer for peer in stacks.prepared(options.stacks.split(","), options.starling,
                                                            frozenset({"bench"}))}
    document = wire_report.heading(options, list(chosen.values()))
    document["limits"] = [measure_limits(options.limits, size.seconds / 5)]
    document["conditions"], document["absent"], samples = {}, {}, []
    for row in [row for row in ROWS if row.name in options.rows.split(",")]:
        for number in range(options.rounds):
            if row.limits and not own_limits(row, size, options, document):
                break
            turn = pairs(row, list(chosen), options.cross)
            turn = turn[number % len(turn):] + turn[:number % len(turn)]
            for client, server in turn:
                one = sample(row, chosen[client], chosen[server], size, options)
                one["round"] = number
                samples.append(one)
                say(wire_report.sample_line(one, row))
        document["limits"].append(measure_limits(options.limits, size.seconds / 5))
    document["samples"] = samples
    return document


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    options = arguments()
    document = stacks.measured(options, measure, "samples")
    say("\n" + wire_report.tables(document))
    for name, reason in document.get("absent", {}).items():
        say(wire_report.absent_banner(name, reason))
    if options.docs:
        wire_report.into_docs(REPO / "docs" / "benchmarks.md", document)
    good = all("values" in one for one in document["samples"])
    if options.stored:
        good = wire_gate.passes(options.stored, document, options.tolerance, say) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
