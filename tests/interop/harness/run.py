#!/usr/bin/env python3
"""Runs the interop matrix. Needs nothing but Python 3.11; see README.md one folder up."""

import argparse
import concurrent.futures
import fnmatch
import itertools
import os
import signal
import sys
import time

import cells_bench
import cells_connect
import cells_gossip
import cells_kad
import cells_life
import cells_mesh
import peers as register
import report
import summary
from cell import ALL, ALL_AND_ONE, ALL_CELLS, Case, Result, run_case
from program import kill_all

CELL_MODULES = (cells_connect, cells_life, cells_kad, cells_gossip, cells_mesh, cells_bench)
CASES_AT_ONCE = 2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starling", metavar="PATH", help="the starling-peer binary")
    parser.add_argument("--peers", default="go,rust,js,py", help="foreign peers, separated by commas")
    parser.add_argument("--only", metavar="PATTERN",
                        help="cases whose id contains this, or matches it as a glob")
    parser.add_argument("--self", action="store_true", dest="foreign_only",
                        help="foreign peers against each other")
    parser.add_argument("--require-all", action="store_true",
                        help="an absent peer is a failure, as with CI=true")
    parser.add_argument("--prepare", action="store_true", help="build the foreign peers and stop")
    parser.add_argument("--list", action="store_true", help="print the ids of the cases and stop")
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--page", metavar="FILE", help="write the page of results there, if everything has run")
    return parser.parse_args()


def chosen_peers(options):
    """The subject (none with --self), the foreign peers asked for, and the other ones, who may help."""
    known = {p.name: p for p in register.foreign()}
    names = [n for n in options.peers.split(",") if n]
    unknown = [n for n in names if n not in known]
    if unknown:
        sys.exit(f"unknown peers {unknown}; there are {sorted(known)}")
    subject = None if options.foreign_only else register.starling(options.starling)
    return subject, [known[n] for n in names], [p for n, p in known.items() if n not in names]


def pairs(subject, foreign):
    """Ordered pairs; the flag says which of the two orders stands for a symmetric cell."""
    if subject is not None:
        return [(one, two, one is subject) for f in foreign for one, two in ((subject, f), (f, subject))]
    return [(a, b, i < j) for i, a in enumerate(foreign) for j, b in enumerate(foreign) if i != j]


def triples(subject, foreign):
    """Who plays three parts: every choice with the subject in one of them; without one, every choice."""
    everyone = ([subject] if subject else []) + foreign
    return [chosen for chosen in itertools.product(everyone, repeat=3)
            if subject is None or subject in chosen]


def everybody(subject, foreign):
    """All implementations at once, as the only choice."""
    everyone = ([subject] if subject else []) + foreign
    return [tuple(everyone)] if len(everyone) > 1 else []


def everybody_and_one(subject, foreign):
    return [chosen + (one,) for chosen in everybody(subject, foreign) for one in chosen]


CHOICES = {3: triples, ALL: everybody, ALL_AND_ONE: everybody_and_one}


def all_cases(subject, foreign):
    cases = []
    for cell in ALL_CELLS:
        for key in cell.keys:
            if cell.parts != 2:
                cases += [Case(cell, key, chosen) for chosen in CHOICES[cell.parts](subject, foreign)]
                continue
            between = pairs(None, foreign) if subject and cell.between_all == key else []
            for one, two, first in pairs(subject, foreign) + between:
                if first or not cell.symmetric:
                    cases.append(Case(cell, key, (one, two)))
    return cases


def wanted(case, pattern):
    return not pattern or pattern in case.id or fnmatch.fnmatch(case.id, pattern)


def settle(case, everyone, strict):
    """A Result for a case that cannot run, else None; finds the helper on the way."""
    absent = "failed" if strict else "absent"
    for peer in case.peers:
        if peer.broken:
            return Result(case.id, "failed", detail=f"{peer.name} could not be built")
        if peer.absent:
            return Result(case.id, absent, detail=f"{peer.name} is absent")
        missing = case.cell.needs - peer.capabilities
        if missing:
            return Result(case.id, "skipped", detail=f"{peer.name} has no {', '.join(sorted(missing))}")
    if case.cell.helper:
        able = [p for p in everyone if case.cell.helper in p.capabilities and not p.absent and not p.broken]
        if not able:
            return Result(case.id, absent, detail=f"nobody offers {case.cell.helper}")
        case.helper = able[0]
    return None


def prepare(everyone):
    for peer in everyone:
        if not peer.absent:
            peer.prepare()
        if peer.absent:
            report.say(report.absent_banner(peer))
        if peer.broken:
            report.complain(f"{peer.name} could not be built: {peer.broken}")


def run_all(cases, everyone, strict):
    results = []
    pool = concurrent.futures.ThreadPoolExecutor(CASES_AT_ONCE)
    try:
        waiting = []
        for case in cases:
            settled = settle(case, everyone, strict)
            waiting.append(pool.submit(lambda r=settled, c=case: r or run_case(c)))
        for future in concurrent.futures.as_completed(waiting):
            result = future.result()
            report.say(report.line(result))
            if result.status == "failed":
                report.say(report.failure(result))
            results.append(result)
    except BaseException:  # interrupted: the cases under way end at once, because their programs do
        pool.shutdown(wait=False, cancel_futures=True)
        kill_all()
        raise
    pool.shutdown()
    order = {case.id: i for i, case in enumerate(cases)}
    return sorted(results, key=lambda r: order[r.id])


def main():
    # A terminated harness still ends its children: run_all sees the exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    subject, foreign, others = chosen_peers(options)
    cases = [c for c in all_cases(subject, foreign) if wanted(c, options.only)]
    if options.list:
        for case in cases:
            report.say(case.id)
        return 0
    if not cases:
        sys.exit("no case matches")
    started = time.monotonic()
    needed = {c.cell.helper for c in cases} - {""}
    everyone = ([subject] if subject else []) + foreign + [p for p in others if p.capabilities & needed]
    strict = options.require_all or os.environ.get("CI") == "true"
    if options.prepare:
        prepare(foreign)
        return 1 if strict and any(p.absent or p.broken for p in foreign) else 0
    prepare(everyone)
    results = run_all(cases, everyone, strict)
    document = report.document(everyone, cases, results, time.monotonic() - started)
    report.say("\n" + summary.table(document) + "\n")
    for difference in report.differences(everyone, results):
        report.say(difference)
    for peer in everyone:
        if peer.absent:
            report.say(report.absent_banner(peer))
    if options.json:
        report.write_json(options.json, document)
    complete = subject and not others and not options.only and not any(p.absent or p.broken for p in everyone)
    if options.page and complete:
        summary.write_page(options.page, document)
    report.say(report.totals(results))
    return 1 if any(r.status == "failed" for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
