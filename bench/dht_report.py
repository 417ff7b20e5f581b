"""What a reader sees of the DHT benchmark: lines while it runs, the raw samples, the table for the docs."""

import argparse
import pathlib

import stacks
from stacks import machine, quantile, today, versions


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


# ------------------------------------------------------------------------------------------- the raw samples


def heading(options: argparse.Namespace, chosen: list) -> dict:
    return {
        "machine": machine(),
        "versions": {peer.name: versions(peer) for peer in chosen},
        "options": {"nodes": options.nodes, "operations": options.operations, "rounds": options.rounds,
                    "stacks": options.stacks, "threads": options.threads},
        "when": today(),
    }


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
    return {kind: {stack: row(blocks) for stack, blocks in of_kind.items()}
            for kind, of_kind in kinds.items()}


def against_best(stack: str, field: str, others: dict[str, dict]) -> str:
    """How this stack compares with the best other one that failed nothing."""
    rivals = [one[field] for name, one in others.items() if name != stack and not one["failed"]]
    if not rivals or min(rivals) <= 0:
        return "-"
    return f"{others[stack][field] / min(rivals):.2f}"


def table(document: dict) -> str:
    text = ["| operation | stack | p50 | p99 | messages | CPU | p50 to best other | CPU to best other |",
            "|---|---|---|---|---|---|---|---|"]
    for kind, figures in rows(document).items():
        for stack, one in figures.items():
            if one["failed"]:
                text.append(f"| {kind} | {stack} | **failed: {one['failed']} of {one['done']}** | | | | | |")
                continue
            text.append(f"| {kind} | {stack} | {one['p50']:.2f} ms | {one['p99']:.2f} ms "
                        f"| {one['messages']:.1f} | {one['cpu_ms']:.2f} ms "
                        f"| {against_best(stack, 'p50', figures)} | {against_best(stack, 'cpu_ms', figures)} |")
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
    stacks.into_docs(path, f"bench dht {document['options']['stacks']}", f"{about(document)}\n\n{table(document)}")
