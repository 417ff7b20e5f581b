"""What a person and a program read afterwards: the table, the details of failures, the JSON file."""

import json
import platform
import sys

from peers import versions

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


def document(peers, cases, results, seconds):
    """The whole run, as --json writes it and as the page is made from."""
    cells = {case.id: case.cell for case in cases}
    return {
        "machine": {"system": platform.system(), "arch": platform.machine(),
                    "python": platform.python_version()},
        "seconds": round(seconds, 1),
        "peers": {p.name: {"absent": p.absent, "broken": p.broken, "quirks": p.quirks, "lacks": p.lacks,
                           "versions": versions(p)} for p in peers},
        "cells": [{"id": r.id, "group": cells[r.id].group, "status": r.status, "seconds": round(r.seconds, 3),
                   "detail": r.detail, "notes": r.notes, "tails": r.tails} for r in results],
        "totals": totals(results),
    }


def write_json(path, document):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


def say(*text):
    print(*text, flush=True)


def complain(*text):
    print(*text, file=sys.stderr, flush=True)
