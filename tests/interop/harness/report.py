"""What a person and a program read afterwards: the table, the details of failures, the JSON file."""

import json
import platform
import sys

MARKS = {"passed": "ok", "failed": "FAILED", "absent": "absent", "skipped": "skipped"}


def line(result):
    text = f"{MARKS[result.status]:8}{result.seconds:6.1f} s  {result.id}"
    if result.notes:
        text += "  [expected differences: " + ", ".join(result.notes) + "]"
    return text + (f"  ({result.detail})" if result.status in ("absent", "skipped") else "")


def failure(result):
    text = [f"--- {result.id}: {result.detail}"]
    for label, tail in result.tails.items():
        text += [f"    last lines of {label}:"] + ["      " + one for one in tail[-25:]]
    return "\n".join(text)


def table(results):
    """One row per cell and key type, one column per pair; below it those of three, the last one as column."""
    pairs, triples = {}, {}
    for result in results:
        cell, key, parts = result.id.split(" ")
        before, last = parts.rsplit(">", 1)
        if ">" in before:
            triples.setdefault((cell, f"{key:12}{before}"), {})[">" + last] = MARKS[result.status]
        else:
            pairs.setdefault((cell, key), {})[parts] = MARKS[result.status]
    return "\n\n".join(grid(rows) for rows in (pairs, triples) if rows)


def grid(rows):
    columns = sorted({column for row in rows.values() for column in row})
    width = max([len(c) for c in columns] + [7]) + 2
    head = max([len(key) + 1 for _, key in rows] + [12])
    text = [" " * (24 + head) + "".join(f"{c:{width}}" for c in columns)]
    for (cell, key), row in rows.items():
        marks = "".join(f"{row.get(c, '-'):{width}}" for c in columns)
        text.append(f"{cell:24}{key:{head}}{marks}".rstrip())
    return "\n".join(text)


def differences(peers, results):
    """The expected differences that showed in this run, each with its reason."""
    seen = {note for r in results for note in r.notes}
    return [f"expected difference {p.name}/{name}: {reason}"
            for p in peers for name, reason in p.quirks.items() if f"{p.name}/{name}" in seen]


def absent_banner(peer):
    return "\n".join(["!" * 72, f"!! {peer.name} is ABSENT: {peer.absent}", "!" * 72])


def totals(results):
    count = {status: sum(r.status == status for r in results) for status in MARKS}
    skipped = count["absent"] + count["skipped"]
    return f"{count['passed']} passed, {count['failed']} failed" + (f", {skipped} skipped" if skipped else "")


def write_json(path, peers, results, seconds):
    document = {
        "machine": {"system": platform.system(), "arch": platform.machine(),
                    "python": platform.python_version()},
        "seconds": round(seconds, 1),
        "peers": {p.name: {"absent": p.absent, "broken": p.broken, "quirks": p.quirks} for p in peers},
        "cells": [{"id": r.id, "status": r.status, "seconds": round(r.seconds, 3), "detail": r.detail,
                   "notes": r.notes, "tails": r.tails} for r in results],
        "totals": totals(results),
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


def say(*text):
    print(*text, flush=True)


def complain(*text):
    print(*text, file=sys.stderr, flush=True)
