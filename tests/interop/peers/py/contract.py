"""The lines of the contract: flags, commands, answers."""

import argparse
import dataclasses
import json
import sys

NO_DHT = "started without --kad"
NO_GOSSIP = "started without --topics"
LOOPBACK = "/ip4/127.0.0.1/tcp/0"


class Fault(Exception):
    """What a command answers with ok: false."""


def parse_flags(arguments):
    parser = argparse.ArgumentParser(prog="py-peer")
    parser.add_argument("--listen", action="append")
    parser.add_argument("--key", default="")
    parser.add_argument("--sec", choices=("noise", "tls"), default="noise")
    parser.add_argument("--kad", default="")
    parser.add_argument("--kad-mode", choices=("server", "client"), default="server")
    parser.add_argument("--topics")
    parser.add_argument("--bootstrap", action="append", default=[])
    parser.add_argument("--threads", type=int, default=1)  # Python has one that runs
    flags = parser.parse_args(arguments)
    flags.listen = [addr for addr in flags.listen or [LOOPBACK] if addr != "none"]
    if flags.topics is not None:
        flags.topics = [topic for topic in flags.topics.split(",") if topic]
    return flags


@dataclasses.dataclass
class Request:
    """One command; every field that any command knows stands here."""
    id: object = None
    cmd: str = ""
    addr: str = ""
    peerId: str = ""
    n: int = 1
    topic: str = ""
    text: str = None
    hex: str = None
    key: str = None
    keyhex: str = None
    value: str = ""
    bytes: int = 0
    seed: int = 0

    @classmethod
    def parse(cls, line):
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in json.loads(line).items() if name in known})


def emit(**fields):
    """Writes one JSON object a line, flushed."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
