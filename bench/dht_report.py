"""What a reader sees of the DHT benchmark: lines while it runs, the raw samples, the table for the docs."""

import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import time

REPO = pathlib.Path(__file__).resolve().parent.parent
INTEROP = REPO / "tests" / "interop" / "peers"


def block_line(block) -> str:
    p50 = f"{quantile(block.ms, 0.5):8.2f} ms" if block.ms else "       -"
    return (f"round {block.round}  {block.kind:18}{block.stack:10}p50 {p50}  messages {block.messages:6}  "
            f"CPU {block.cpu_seconds:7.3f} s" + (f"  {len(block.failures)} FAILED: {block.failures[0]}"
                                                 if block.failures else ""))


def formed_line(network) -> str:
    formed = network.formed
    return (f"{network.name}: {len(network.programs)} nodes after {formed['seconds']:.1f} s and "
            f"{formed['cpu_seconds']:.1f} s of CPU; smallest table {formed['smallest_table']}, "
            f"{formed['connections']:.0f} connections")


def quantile(values: list[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


# ------------------------------------------------------------------------------------------- the raw samples


def heading(options: argparse.Namespace, stacks: list) -> dict:
    return {
        "machine": {"cores": os.cpu_count(), "model": processor(),
                    "kernel": ".".join(platform.release().split(".")[:2]),
                    "load_before": [round(load, 2) for load in os.getloadavg()]},
        "versions": {peer.name: versions(peer.name) for peer in stacks},
        "options": {"nodes": options.nodes, "operations": options.operations, "rounds": options.rounds,
                    "stacks": options.stacks, "threads": options.threads},
        "when": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def versions(stack: str) -> str:
    if stack == "go":
        module = (INTEROP / "go" / "go.mod").read_text(encoding="utf-8")
        found = re.findall(r"github.com/libp2p/(go-libp2p(?:-kad-dht)?) (v\S+)", module)
        return ", ".join(" ".join(one) for one in found) + ", " + output("go", "env", "GOVERSION")
    if stack == "js":
        wanted = json.loads((INTEROP / "js" / "package.json").read_text(encoding="utf-8"))["dependencies"]
        return (f"libp2p {wanted['libp2p']}, @libp2p/kad-dht {wanted['@libp2p/kad-dht']}, "
                f"node {output('node', '--version')}")
    # The last commit that changed the program, not the one that changed a page about it.
    return "commit " + output("git", "-c", "safe.directory=*", "log", "-1", "--format=%h", "--abbrev=10", "--",
                              "src", "include", "apps")


def output(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def to_json(document: dict) -> str:
    """One block a line, and no digits that nobody measured."""
    head = {name: value for name, value in document.items() if name != "blocks"}
    blocks = ",\n".join("  " + json.dumps(rounded(block)) for block in document["blocks"])
    return json.dumps(rounded(head), indent=1)[:-2] + ',\n "blocks": [\n' + blocks + "\n ]\n}\n"


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value


# ------------------------------------------------------------------------------------------------- the table


def row(blocks: list[dict]) -> dict:
    """All rounds of one stack and one kind; CPU without what the idle network uses in the same time."""
    ms = [one for block in blocks for one in block["ms"]]
    done = len(ms) + sum(len(block["failures"]) for block in blocks)
    busy = sum(block["cpu_seconds"] - block["idle_cpu_per_second"] * block["seconds"] for block in blocks)
    return {"failed": done - len(ms), "done": done, "p50": quantile(ms, 0.5) if ms else None,
            "p99": quantile(ms, 0.99) if ms else None, "cpu_ms": 1000 * busy / done,
            "messages": sum(block["messages"] for block in blocks) / done}


def rows(document: dict) -> dict[str, dict[str, dict]]:
    kinds: dict[str, dict[str, list[dict]]] = {}
    for block in document["blocks"]:
        kinds.setdefault(block["kind"], {}).setdefault(block["stack"], []).append(block)
    return {kind: {stack: row(blocks) for stack, blocks in stacks.items()}
            for kind, stacks in kinds.items()}


def against_best(stack: str, field: str, others: dict[str, dict]) -> str:
    """How this stack compares with the best other one that failed nothing."""
    rivals = [one[field] for name, one in others.items() if name != stack and not one["failed"]]
    if not rivals or min(rivals) <= 0:
        return "-"
    return f"{others[stack][field] / min(rivals):.2f}"


def table(document: dict) -> str:
    text = ["| operation | stack | p50 | p99 | messages | CPU | p50 to best other | CPU to best other |",
            "|---|---|---|---|---|---|---|---|"]
    for kind, stacks in rows(document).items():
        for stack, one in stacks.items():
            if one["failed"]:
                text.append(f"| {kind} | {stack} | **failed: {one['failed']} of {one['done']}** | | | | | |")
                continue
            text.append(f"| {kind} | {stack} | {one['p50']:.2f} ms | {one['p99']:.2f} ms "
                        f"| {one['messages']:.1f} | {one['cpu_ms']:.2f} ms "
                        f"| {against_best(stack, 'p50', stacks)} | {against_best(stack, 'cpu_ms', stacks)} |")
    return "\n".join(text)


def about(document: dict) -> str:
    machine, options = document["machine"], document["options"]
    command = "./x bench dht --docs" + "".join(f" --{name} {value}" for name, value in options.items())
    text = [f"{options['nodes']} nodes of each stack, {options['operations']} operations of each kind in "
            f"{options['rounds']} rounds. {machine['cores']} cores of {machine['model']}, "
            f"Linux {machine['kernel']}; measured {document['when']}, "
            f"load {machine['load_before'][0]} before.", "",
            "| stack | version | flags | memory of a node | idle CPU of all nodes | formed within |",
            "|---|---|---|---|---|---|"]
    for stack, one in document["stacks"].items():
        idle = [block["idle_cpu_per_second"] for block in document["blocks"] if block["stack"] == stack]
        formed = one["formed"]
        text.append(f"| {stack} | {document['versions'][stack]} | `{' '.join(one['flags'])}` "
                    f"| {one['resident_mib'] / options['nodes']:.1f} MiB "
                    f"| {100 * sum(idle) / len(idle):.1f} % of a core "
                    f"| {formed['seconds']:.0f} s, {formed['cpu_seconds']:.0f} s of CPU |")
    return "\n".join(text) + f"\n\n```sh\n{command}\n```"


def into_docs(path: pathlib.Path, document: dict) -> None:
    """Replaces what stands between the markers of these stacks."""
    name = f"bench dht {document['options']['stacks']}"
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = path.read_text(encoding="utf-8")
    if begin not in page or end not in page:
        raise SystemExit(f"{path.name} has no place for these stacks: {begin} … {end}")
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    text = f"{about(document)}\n\n{table(document)}"
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
