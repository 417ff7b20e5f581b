#!/usr/bin/env python3
"""Writes cmake/startup_order.txt: the functions of linked-in libraries that run until a node listens, in order of first use.

The linker lays them side by side, so that a start touches few pages. Names of our own code are left out: they change often, and a
name that no longer exists does nothing. Needs valgrind and a Release build with STARLING_STATIC; worth running after a change of
the libraries' versions, or of what is set up at the start.
usage: startup_order.py [PROGRAM]   (build/release/bin/starling-peer unless told)
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import repo

LIST = repo.ROOT / "cmake/startup_order.txt"
HEAD = """# What runs of OpenSSL, Crypto++, Boost.JSON and the C++ library until a node listens, for the linker to lay side by side.
# Written by tools/startup_order.py. A name that does not exist is skipped.
"""
_NAME = re.compile(r"\((\d+)\)(?: (.*))?$")
_OURS = re.compile(r"starling|4peer")


def profile(program: pathlib.Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        process = subprocess.Popen(["valgrind", "-q", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}", program],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready = process.stdout.readline()
        process.communicate(b'{"id":1,"cmd":"quit"}\n')
        if b'"ready"' not in ready or process.returncode != 0:
            sys.exit(f"startup_order: {program} did not start under valgrind")
        return out.read_text(encoding="utf-8")


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
    if len(found) < 100:
        sys.exit(f"startup_order: {program} runs {len(found)} functions of libraries: not built with STARLING_STATIC?")
    LIST.write_text(HEAD + "".join(f"{function}\n" for function in found), encoding="utf-8")
    print(f"{len(found)} functions in {LIST.relative_to(repo.ROOT)}")


if __name__ == "__main__":
    main()
