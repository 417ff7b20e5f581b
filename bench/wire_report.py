"""What a reader sees of the wire benchmark: lines while it runs, and the tables for the docs."""

import argparse
import pathlib
import statistics

import stacks
from wire_bench import Figure, Row
from wire_rows import ROWS


def heading(options: argparse.Namespace, chosen: list) -> dict:
    return {"machine": stacks.machine(), "versions": {peer.name: stacks.versions(peer) for peer in chosen},
            "options": {"rows": options.rows, "stacks": options.stacks, "rounds": options.rounds,
                        "threads": options.threads, "cross": options.cross, "small": options.small},
            "when": stacks.today()}


def who(sample: dict) -> str:
    return sample["client"] if sample["client"] == sample["server"] else f"{sample['client']} → {sample['server']}"


def sample_line(sample: dict, row: Row) -> str:
    if "values" in sample:
        values = "  ".join(f"{figure.name} {text(sample['values'][figure.name])}"
                           for figure in row.figures if figure.name in sample["values"])
    else:
        values = f"FAILED: {sample['failures'][-1]}"
    return f"round {sample['round']}  {row.name:16}{who(sample):20}{values}"


def absent_banner(row: str, reason: str) -> str:
    return "\n".join(["!" * 72, f"!! {row} is ABSENT: {reason}", "!" * 72])


def text(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


class Series:
    """The samples of one row and one pair, without the warm-up."""

    def __init__(self, samples: list[dict], rounds: int) -> None:
        first = 1 if rounds > 1 else 0
        self._counted = [one for one in samples if one["round"] >= first]
        self.failed = [one for one in self._counted if "values" not in one]

    def of(self, figure: str) -> list[float]:
        return list(self.by_round(figure).values())

    def by_round(self, figure: str) -> dict[int, float]:
        return {one["round"]: one["values"][figure] for one in self._counted if figure in one.get("values", {})}


def ratio(ours: float, theirs: float) -> str:
    return "-" if theirs <= 0 else f"{ours / theirs:.2f}"


def best(figure: Figure, rivals: dict[str, float]) -> float | None:
    if not rivals:
        return None
    return max(rivals.values()) if figure.better == "higher" else min(rivals.values())


def limits(document: dict) -> dict[str, float]:
    """The best that was seen of each: a limit that a busy moment lowered is none."""
    seen: dict[str, list[float]] = {}
    for one in document["limits"]:
        for name, value in one.items():
            seen.setdefault(name, []).append(value)
    return {name: (min if name.endswith("_us") else max)(values) for name, values in seen.items()}


def quartiles(values: list[float]) -> tuple[float, float]:
    found = sorted(values)
    return found[len(found) // 4], found[(3 * len(found)) // 4]


def series_of(document: dict, row: str) -> dict[str, Series]:
    """By stack or pair."""
    samples = [one for one in document["samples"] if one["row"] == row]
    return {name: Series([one for one in samples if who(one) == name], document["options"]["rounds"])
            for name in dict.fromkeys(who(one) for one in samples)}


def figure_lines(figure: Figure, series: dict[str, Series], limit: dict[str, float]) -> list[str]:
    values = {name: one.of(figure.name) for name, one in series.items() if not one.failed}
    medians = {name: statistics.median(found) for name, found in values.items() if found}
    out = []
    for name in medians:
        spread = " – ".join(text(value) for value in quartiles(values[name]))
        rival = best(figure, {other: value for other, value in medians.items() if other != name and "→" not in other})
        share = "-"
        if figure.limit is not None:
            most = figure.limit(limit)
            share = f"{100 * (medians[name] / most if figure.better == 'higher' else most / medians[name]):.0f} %"
        against = "-" if rival is None or "→" in name else ratio(medians[name], rival)
        out.append(f"| {figure.name} ({figure.unit}) | {name} | {text(medians[name])} | {spread} | {against} | {share} |")
    return out


def tables(document: dict) -> str:
    limit = limits(document)
    out = []
    for row in ROWS:
        if reason := document.get("absent", {}).get(row.name):
            out += [f"**{row.name}**: {row.title}", "", f"**Absent** on this machine: {reason}", ""]
        series = series_of(document, row.name)
        if not series or reason:
            continue
        out += [f"**{row.name}**: {row.title}", "",
                "| figure | stack | median | quartiles | to best other | of the limit |", "|---|---|---|---|---|---|"]
        for figure in row.figures:
            out += figure_lines(figure, series, limit)
        for name, one in series.items():
            if one.failed:
                out.append(f"| | {name} | **failed**: {one.failed[0]['failures'][-1]} | | | |")
        out.append("")
    return "\n".join(out)


def far_lines(document: dict, limit: dict[str, float]) -> list[str]:
    """By what and how the far rows were measured, where they were."""
    if not (found := document.get("conditions")):
        return []
    how = next(iter(found.values()))
    rates = [f"{text(limit[name])} Gbit/s {way}" for way, name in (("up", "far_up_gbps"), ("down", "far_down_gbps")) if name in limit]
    buffers = [f"`{name}` {how[name]} (outside: {how[name + '_before']})" for name in ("tcp_rmem", "tcp_wmem")]
    return [f"The long way: {how['way']}, {limit['far_rtt_us'] / 1000:.1f} ms there and back"
            + f", one bare TCP stream {' and '.join(rates)}" * bool(rates)
            + f"; {how['congestion']}, {', '.join(buffers)}.", ""]


def about(document: dict) -> str:
    machine, options, limit = document["machine"], document["options"], limits(document)
    flags = " ".join(f"--{name} {value}" for name, value in options.items()
                     if name not in ("cross", "small")) + (" --cross" if options["cross"] else "")
    busiest = max((one.get("busy", 0) for one in document["samples"]), default=0)
    lines = [f"{machine['cores']} cores of {machine['model']}, Linux {machine['kernel']}; measured {document['when']}; "
             f"{options['rounds']} rounds{', the first of them thrown away' * (options['rounds'] > 1)}; before a sample other programs used "
             f"{busiest:.2f} cores at the most.", "",
             *[f"- {stack}: {version}" for stack, version in document["versions"].items()], "",
             f"Limits of this machine in the same run: AEAD {text(limit['aead_gbps'])} Gbit/s, one TCP stream "
             f"{text(limit['tcp_stream_gbps'])} Gbit/s, X25519 {text(limit['x25519_per_s'])}/s, checks of Ed25519 "
             f"{text(limit['ed25519_verify_per_s'])}/s and of secp256k1 {text(limit['secp256k1_verify_per_s'])}/s, TCP "
             f"ping-pong of two processes {text(limit['ping_pong_p50_us'])} µs.", "",
             *far_lines(document, limit),
             "```sh", f"./x bench wire --docs {flags}", "```"]
    return "\n".join(lines)


def into_docs(path: pathlib.Path, document: dict) -> None:
    stacks.into_docs(path, "bench wire", f"{about(document)}\n\n{tables(document)}")
