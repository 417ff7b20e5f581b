#!/usr/bin/env python3
"""Writes cmake/startup_order.txt: the functions of linked-in libraries that run until a node listens, then those that it runs
until it has one connection.

The linker lays them side by side, so that few pages are touched. Names of our own code are left out: they change often, and a
name that no longer exists does nothing. Needs valgrind and a Release build with STARLING_STATIC; worth running after a change of
the libraries' versions, or of what is set up at the start.
usage: startup_order.py [PROGRAM]   (build/release/bin/starling-peer unless told)
"""
import contextlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import repo

LIST = repo.ROOT / "cmake/startup_order.txt"
HEAD = """# What runs of OpenSSL, Crypto++, Boost.JSON and the C++ library until a node listens, and then until it has a connection, for
# the linker to lay side by side.
# Written by tools/startup_order.py. A name that does not exist is skipped.
"""
_NAME = re.compile(r"\((\d+)\)(?: (.*))?$")
_OURS = re.compile(r"starling|4peer")


def profile(program: pathlib.Path, *commands: dict) -> str:
    """The callgrind file of one run that listens, carries out the commands and ends."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        run(program, *commands, under=["valgrind", "-q", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}"])
        return out.read_text(encoding="utf-8")


def run(program: pathlib.Path, *commands: dict, under: list[str]) -> None:
    process = subprocess.Popen([*under, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    for command in [*commands, {"cmd": "quit"}]:
        process.stdin.write(json.dumps(command | {"id": 1}) + "\n")
        process.stdin.flush()
        while "id" not in (answer := json.loads(process.stdout.readline() or '{"id": 1, "ok": false}')):
            pass
        if not answer["ok"]:
            sys.exit(f"startup_order: {program}: {command} failed")
    if process.wait() != 0:
        sys.exit(f"startup_order: {program} failed")


@contextlib.contextmanager
def neighbour(program: pathlib.Path) -> Iterator[str]:
    """The address of another node, which nobody profiles."""
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield json.loads(process.stdout.readline())["addrs"][0]
        process.stdin.close()


def functions(text: str, program: pathlib.Path) -> list[str]:
    """Those of the program itself: a callgrind file names a thing at its first mention and numbers it afterwards."""
    objects: dict[str, str] = {}
    names: dict[str, str] = {}

    def name(table: dict[str, str], value: str) -> str:
        number, text = _NAME.match(value).groups()
        if text is not None:
            table[number] = text
        return table[number]

    found: dict[str, None] = {}
    current = ""
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "ob":
            current = name(objects, value)
        elif key == "cob":
            name(objects, value)
        elif key in ("fn", "cfn"):
            function = name(names, value).partition("'")[0]  # behind it the depth of a recursion
            if key == "fn" and current == str(program) and not function.startswith("0x") and not _OURS.search(function):
                found[function] = None
    return list(found)


def main() -> None:
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else repo.ROOT / "build/release/bin/starling-peer").resolve()
    found = functions(profile(program), program)
    with neighbour(program) as address:
        connected = functions(profile(program, {"cmd": "connect", "addr": address}), program)
    found += sorted(set(connected) - set(found), key=connected.index)
    if len(found) < 100:
        sys.exit(f"startup_order: {program} runs {len(found)} functions of libraries: not built with STARLING_STATIC?")
    LIST.write_text(HEAD + "".join(f"{function}\n" for function in found), encoding="utf-8")
    print(f"{len(found)} functions in {LIST.relative_to(repo.ROOT)}")


if __name__ == "__main__":
    main()
