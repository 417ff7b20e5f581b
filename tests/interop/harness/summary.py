"""The table of a run, and the page that is made of it: who against whom, by group of cells."""

import pathlib

from cell import GROUPS

HEAD = """# Interop

starling-peer against other libp2p implementations, as processes over TCP on the loopback interface. `./x interop` runs all of it and
writes this page; [tests/interop/README.md](../tests/interop/README.md) says what each cell asks for and how to run a part.
"""
HOW_TO_READ = """A pair is who dials (or is the client) and who listens (or is the server); both sides act in most cells. Numbers are cases: `12`
passed, `12 (2 quirks)` passed and two of them showed a known difference, `1 of 12 FAILED`, `4 not run`; `-` is not part of a run.
"""


def tally(cases):
    """How a number of cases stand, in few words."""
    if not cases:
        return "-"
    failed = sum(case["status"] == "failed" for case in cases)
    passed = [case for case in cases if case["status"] == "passed"]
    quirks = sum(bool(case["notes"]) for case in passed)
    if failed:
        return f"{failed} of {len(cases)} FAILED"
    missing = f"{len(cases) - len(passed)} not run" if len(passed) < len(cases) else ""
    if not passed:
        return missing
    text = f"{len(passed)}" + (f" ({quirks} quirk{'s' * (quirks > 1)})" if quirks else "")
    return text + (f", {missing}" if missing else "")


def rows_of(document):
    """A header and rows of text: pairs first, then the tests of more than two."""
    groups = [group for group in GROUPS if any(case["group"] == group for case in document["cells"])]
    found = {}
    for case in document["cells"]:
        name, _, parts = case["id"].split(" ")
        more = case["group"] == "mesh" or parts.count(">") > 1
        who = parts.replace(">", " > ") if not more else "of all at once" if case["group"] == "mesh" else "of three"
        found.setdefault((more, who), {}).setdefault(case["group"], []).append(case)
    order = sorted(found, key=lambda row: (row[0], "starling" not in row[1]))
    rows = [[who] + [tally(found[more, who].get(group)) for group in groups] for more, who in order]
    return [""] + groups, rows


def table(document):
    """For a terminal."""
    header, rows = rows_of(document)
    widths = [max(len(row[i]) for row in [header] + rows) + 2 for i in range(len(header))]
    return "\n".join("".join(text.ljust(width) for text, width in zip(row, widths)).rstrip()
                     for row in [header] + rows)


def page(document):
    """For docs/; the same run always gives the same page, whatever it took and wherever it ran."""
    header, rows = rows_of(document)
    text = [HEAD, "## Implementations", "", "| name | versions, as locked |", "|---|---|"]
    for name, peer in document["peers"].items():
        text.append(f"| {name} | {', '.join(peer['versions']) or 'this repository'} |")
    text += ["", "## Results", "", HOW_TO_READ]
    for row in [header, ["---"] * len(header)] + rows:
        text.append("| " + " | ".join(row) + " |" if row[0] != "---" else "|" + "|".join(row) + "|")
    text += ["", f"In all: {document['totals']}.", "", "## Known differences", "",
             "A case that meets one says so, and fails when the implementation does not show it any more.", "",
             "| quirk | what it is | cases |", "|---|---|---|"]
    for name, peer in document["peers"].items():
        for quirk, reason in peer["quirks"].items():
            count = sum(f"{name}/{quirk}" in case["notes"] for case in document["cells"])
            text.append(f"| {name}/{quirk} | {reason} | {count} |")
    text += ["", "## What is not run", ""]
    skipped = [case for case in document["cells"] if case["status"] in ("skipped", "absent")]
    for reason in sorted({case["detail"] for case in skipped}):
        count = sum(case["detail"] == reason for case in skipped)
        text.append(f"- {count} cases: {reason}.{why(document, reason)}")
    text += [f"- {line}" for line in NEVER_RUN]
    return "\n".join(text) + "\n"


NEVER_RUN = (
    "Two foreign implementations meet in the basics and where a test needs three or more; `run.py --self` lets them meet in everything.",
    "Bench commands are tried for their counts; what they measure is in [benchmarks.md](benchmarks.md).",
    "QUIC, WebSocket, WebTransport, WebRTC, relays: Starling has TCP.",
)


def why(document, detail):
    """The reason that peers.py gives for a missing capability."""
    for name, peer in document["peers"].items():
        for capability, reason in peer["lacks"].items():
            if detail == f"{name} has no {capability}":
                return f" Why: {reason}."
    return ""


def write_page(path, document):
    pathlib.Path(path).write_text(page(document), encoding="utf-8")
