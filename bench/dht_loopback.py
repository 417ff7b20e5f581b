#!/usr/bin/env python3
"""
The DHTs of several stacks side by side: `./x bench dht`. Real processes and sockets on loopback.

Each stack gets a network of its own; all networks live at the same time and take turns, block by block,
so that what else the machine does meets all of them. A block is one kind of operation, one after the other,
each by another node; the plan (who does what, with which key) is the same for every stack.
"""

import argparse
import dataclasses
import json
import pathlib
import random
import sys
import time

import dht_report
import stacks
from dht_network import COMMAND_SECONDS, Network

from program import Program  # from tests/interop/harness, which stacks puts on the path

REPO = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("PROVIDE", "FIND_PROVIDERS", "PUT", "GET", "FIND_PEER", "FIND_PEER (away)")
IDLE_SECONDS = 3.0
TRAIL_SECONDS = 0.3  # for what follows an answer: unanswered ADD_PROVIDERs, background stores
WARM_UP = 3  # operations of each kind by nodes that need not be measured: code pages, JIT, pools
VALUE_BYTES = 200


@dataclasses.dataclass
class Step:
    """The n-th operation of every kind: who writes, who reads, who is looked for, under which name."""
    name: str
    writer: int
    reader: int
    target: int

    @property
    def key(self) -> str:
        return f"/bench/{self.name}"

    @property
    def value(self) -> str:
        return random.Random(self.name).randbytes(VALUE_BYTES).hex()


@dataclasses.dataclass
class Block:
    """One kind of operation in one round of one stack."""
    stack: str
    kind: str
    round: int
    ms: list[float] = dataclasses.field(default_factory=list)
    failures: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0
    cpu_seconds: float = 0
    idle_cpu_per_second: float = 0
    others_cpu_seconds: float = 0
    messages: int = 0


def plan(count: int, nodes: int, label: str) -> list[Step]:
    chance = random.Random(f"dht {label}")
    return [Step(f"{label}-{i}", *chance.sample(range(nodes), 3)) for i in range(count)]


def operate(network: Network, kind: str, step: Step) -> tuple[float, str]:
    """
    One operation: the milliseconds that the program measured, and what was wrong with its result, if
    anything. Most nodes of a small network are connected with each other, and a stack may answer FIND_PEER
    from that; the asker of FIND_PEER (away) hangs up first.
    """
    writer, reader, target = (network.programs[i] for i in (step.writer, step.reader, step.target))
    find_peer = (reader, "findpeer", {"peerId": target.peer_id},
                 lambda answer: target.addr.split("/p2p/")[0] not in
                 [address.split("/p2p/")[0] for address in answer["addrs"]])
    who, command, arguments, wrong = {
        "PROVIDE": (writer, "provide", {"key": step.key}, lambda _: False),
        "FIND_PROVIDERS": (reader, "findproviders", {"key": step.key},
                           lambda answer: writer.peer_id not in answer["providers"]),
        "PUT": (writer, "put", {"key": step.key, "value": step.value}, lambda _: False),
        "GET": (reader, "get", {"key": step.key}, lambda answer: answer["value"] != step.value),
        "FIND_PEER": find_peer,
        "FIND_PEER (away)": find_peer,
    }[kind]
    if kind == "FIND_PEER (away)":
        hang_up(reader, target)
    answer = who.answer(command, timeout=COMMAND_SECONDS, **arguments)
    if not answer.get("ok"):
        return 0, f"{who.label}: {answer.get('error')}"
    return answer["ms"], f"{who.label}: a wrong answer: {json.dumps(answer)[:300]}" if wrong(answer) else ""


def hang_up(asker: Program, target: Program) -> None:
    """The two are not connected afterwards, or never were, which is no error here."""
    asker.answer("disconnect", peerId=target.peer_id)
    asker.poll("peers", lambda answer: target.peer_id not in answer["peers"], "end of the connection")


def run_block(networks: list[Network], network: Network, kind: str, number: int, steps: list[Step],
              idle_cpu_per_second: float) -> Block:
    block = Block(network.name, kind, number, idle_cpu_per_second=idle_cpu_per_second)
    others = [other for other in networks if other is not network]
    served, others_before = network.served(), sum(other.cpu_seconds() for other in others)

    def work() -> None:
        for step in steps:
            ms, failure = operate(network, kind, step)
            if failure:
                block.failures.append(failure)
            else:
                block.ms.append(ms)
        time.sleep(TRAIL_SECONDS)

    spent = network.measure(work)
    block.seconds, block.cpu_seconds = spent.seconds, spent.cpu_seconds
    block.others_cpu_seconds = sum(other.cpu_seconds() for other in others) - others_before
    block.messages = network.served() - served
    return block


def idle_rates(networks: list[Network]) -> dict[str, float]:
    """CPU seconds a second of each network while nobody asks anything."""
    began = {network.name: network.cpu_seconds() for network in networks}
    time.sleep(IDLE_SECONDS)
    return {network.name: (network.cpu_seconds() - began[network.name]) / IDLE_SECONDS
            for network in networks}


def share(total: int, rounds: int, number: int) -> int:
    """How many of `total` fall on that round."""
    return total * (number + 1) // rounds - total * number // rounds


def run_rounds(networks: list[Network], options: argparse.Namespace) -> list[Block]:
    for network in networks:
        steps = plan(WARM_UP, options.nodes, "warm-up")
        for kind in KINDS:
            for step in steps:
                operate(network, kind, step)
    blocks = []
    for number in range(options.rounds):
        steps = plan(share(options.operations, options.rounds, number), options.nodes, f"round-{number}")
        idle = idle_rates(networks)
        for kind in KINDS:
            # The order turns from round to round: nobody always comes after the same one.
            turn = number % len(networks)
            for network in networks[turn:] + networks[:turn]:
                block = run_block(networks, network, kind, number, steps, idle[network.name])
                blocks.append(block)
                say(dht_report.block_line(block))
    return blocks


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./x bench dht",
                                     description="The DHTs of several stacks side by side.")
    parser.add_argument("--nodes", type=int, default=100, help="servers of each stack, a process each")
    parser.add_argument("--operations", type=int, default=200, help="of each kind")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--stacks", default="starling,go,js")
    parser.add_argument("--threads", type=int, default=1, help="worker threads of each process (js has one)")
    parser.add_argument("--starling", metavar="PATH", help="the starling-peer binary")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="raw samples",
                        default=REPO / "build" / "bench" / "dht.json")
    parser.add_argument("--docs", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--render", metavar="FILE", type=pathlib.Path,
                        help="measure nothing: the table of these raw samples")
    options = parser.parse_args()
    if options.nodes < 3 or options.operations < options.rounds or options.rounds < 1:
        parser.error("at least 3 nodes, 1 round and 1 operation in each round")
    return options


def measure(options: argparse.Namespace) -> dict:
    chosen = stacks.prepared(options.stacks.split(","), options.starling)
    document = dht_report.heading(options, chosen)
    networks = [Network(peer, options.nodes, options.threads) for peer in chosen]
    try:
        for network in networks:
            network.form()
            say(dht_report.formed_line(network))
        blocks = run_rounds(networks, options)
        document["stacks"] = {network.name: {"flags": network.flags, "formed": network.formed,
                                             "resident_mib": network.resident_mib()} for network in networks}
    finally:
        for network in networks:
            network.close()
    document["blocks"] = [dataclasses.asdict(block) for block in blocks]
    return document


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    options = arguments()
    document = stacks.measured(options, measure, "blocks")
    say("\n" + dht_report.table(document))
    if options.docs:
        dht_report.into_docs(REPO / "docs" / "benchmarks.md", document)
    failed = sum(len(block["failures"]) for block in document["blocks"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
