#!/usr/bin/env python3
"""The code and commands of README.md and docs/tutorials are those that are compiled and run.

usage: tutorials.py --check | --run BUILD_DIR | --self-test

A comment before each fenced block says what it is:
  <!-- file: main.cpp is examples/a.cpp -->  the whole file of the repository; written as main.cpp when the page runs
  <!-- part of: examples/a.cpp -->           consecutive lines of that file, indentation aside
  <!-- run -->                               commands, run in the page's own temporary folder, one shell a page
  <!-- prints -->                            what the commands before it print, line by line; … stands for anything
  <!-- shown: why -->                        not run; verbs and options of ./x and starling must exist all the same
--check compares; --run installs the build, then writes, compiles and runs every page against that.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

import repo

MARK = re.compile(r"<!--\s*(file|part of|run|prints|shown)(?::\s*(.*?))?\s*-->")
IS = re.compile(r"(\S+) is (\S+)")
PAGE_SECONDS = 300
PLACE = re.compile(r"^--tutorial-block-(\d+)--$", re.MULTILINE)


class Block:
    def __init__(self, line: int, mark: re.Match | None, text: str):
        self.line = line
        self.kind = mark.group(1) if mark else None
        self.argument = (mark.group(2) or "") if mark else ""
        self.text = text


def blocks_of(page: str) -> list[Block]:
    found, previous, opened, lines = [], "", None, []
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("```"):
            if opened is None:
                opened, lines = (number, MARK.fullmatch(previous.strip())), []
            else:
                found.append(Block(opened[0], opened[1], "".join(text + "\n" for text in lines)))
                opened = None
        elif opened is not None:
            lines.append(line)
        if line.strip():
            previous = line
    return found


def is_part(text: str, whole: str) -> bool:
    lines = [line.strip() for line in text.strip().splitlines()]
    source = [line.strip() for line in whole.splitlines()]
    return any(source[i:i + len(lines)] == lines for i in range(len(source) - len(lines) + 1))


def check_block(block: Block, source, verbs: set[str]) -> str | None:
    """What is wrong with it. `source(path)` gives the text of a file of the repository, or None."""
    if block.kind is None:
        return "no comment says what this block is (tools/tutorials.py)"
    if block.kind == "file":
        names = IS.fullmatch(block.argument)
        if not names:
            return "expected <!-- file: NAME is PATH -->"
        whole = source(names.group(2))
        if whole is None or whole.strip() != block.text.strip():
            return f"differs from {names.group(2)}"
    if block.kind == "part of":
        whole = source(block.argument)
        if whole is None or not is_part(block.text, whole):
            return f"is no part of {block.argument}"
    if block.kind == "shown" and not block.argument:
        return "say why it is only shown"
    for verb in re.findall(r"^\./x (\w+)", block.text, re.MULTILINE):
        if verb not in verbs:
            return f"./x has no verb {verb}"
    return None


def expectation(text: str) -> re.Pattern:
    lines = [".*".join(re.escape(part) for part in line.split("…")) for line in text.strip().splitlines()]
    return re.compile("^" + r"\n(?:.*\n)*?".join(lines) + "$", re.MULTILINE)


def pages() -> list[pathlib.Path]:
    return [repo.ROOT / "README.md", *sorted((repo.ROOT / "docs/tutorials").glob("*.md"))]


def check() -> list[str]:
    usage = subprocess.run([repo.ROOT / "x"], capture_output=True, text=True, check=True).stdout
    verbs = set(re.findall(r"^  (\w+)", usage, re.MULTILINE))

    def source(name: str) -> str | None:
        path = repo.ROOT / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    found = []
    for page in pages():
        for block in blocks_of(page.read_text(encoding="utf-8")):
            if wrong := check_block(block, source, verbs):
                found.append(f"{repo.relative(page)}:{block.line}: {wrong}")
    return found


def check_options(page: pathlib.Path, program: pathlib.Path) -> list[str]:
    """Every verb and option of `starling` that a page names."""
    found = []
    for block in blocks_of(page.read_text(encoding="utf-8")):
        if block.kind not in ("run", "shown"):
            continue
        for call in re.findall(r"(?:^|[\s(/])starling ((?:[a-z]+)\b[^|&;)#\n]*)", block.text):
            words = call.split()
            helped = subprocess.run([program, words[0], "--help"], capture_output=True, text=True, check=False)
            known = set(re.findall(r"--[a-z-]+", helped.stdout)) | {"--json"}
            missing = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
            if helped.returncode != 0 or missing:
                found.append(f"{repo.relative(page)}:{block.line}: starling {words[0]} knows no {' '.join(missing) or 'such verb'}")
    return found


def run_page(page: pathlib.Path, prefix: pathlib.Path, build: pathlib.Path) -> list[str]:
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    if not any(block.kind == "run" for block in blocks):
        return []
    with tempfile.TemporaryDirectory(prefix="starling-tutorial-") as name:
        folder = pathlib.Path(name)
        script = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"]
        for index, block in enumerate(blocks):
            if block.kind == "file":
                target = folder / IS.fullmatch(block.argument).group(1)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(block.text, encoding="utf-8")
            elif block.kind == "run":
                script += [f"echo --tutorial-block-{index}--", block.text.rstrip()]
        environment = dict(os.environ, HOME=name, STARLING_HOME=f"{name}/.starling", CMAKE_PREFIX_PATH=str(prefix),
                           PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig", PATH=f"{prefix}/bin:{os.environ['PATH']}")
        environment.pop("STARLING_SEED", None)
        try:
            done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PAGE_SECONDS, check=False)
        except subprocess.TimeoutExpired as late:
            return [f"{repo.relative(page)}: not done after {PAGE_SECONDS} s:\n{(late.stdout or b'').decode(errors='replace')}"]
    if done.returncode != 0:
        return [f"{repo.relative(page)}: exit code {done.returncode}:\n{done.stdout}"]
    pieces = PLACE.split(done.stdout)
    printed = {int(pieces[i]): pieces[i + 1] for i in range(1, len(pieces), 2)}
    found, last = [], ""
    for index, block in enumerate(blocks):
        if block.kind == "run":
            last = printed[index]
        elif block.kind == "prints" and not expectation(block.text).search(last):
            found.append(f"{repo.relative(page)}:{block.line}: printed was:\n{last}")
    return found


def run(build: pathlib.Path) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="starling-prefix-") as name:
        prefix = pathlib.Path(name)
        subprocess.run(["cmake", "--install", build, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        found = []
        for page in pages():
            found += check_options(page, prefix / "bin/starling")
            found += run_page(page, prefix, build)
    return found


SOURCES = {"a.cpp": "int main() {\n  f();\n  g();\n}\n"}
PLANTED = {
    "```cpp\nint x;\n```\n": "no comment",
    "<!-- file: main.cpp is a.cpp -->\n```cpp\nint main() {}\n```\n": "differs from a.cpp",
    "<!-- file: main.cpp is missing.cpp -->\n```cpp\nint main() {}\n```\n": "differs from missing.cpp",
    "<!-- part of: a.cpp -->\n```cpp\nf();\nh();\n```\n": "no part of a.cpp",
    "<!-- shown: -->\n```sh\nls\n```\n": "say why",
    "<!-- shown: slow -->\n```sh\n./x dance\n```\n": "no verb dance",
}
CLEAN = ["<!-- part of: a.cpp -->\n```cpp\nf();\ng();\n```\n", "<!-- shown: slow -->\n```sh\n./x test\n```\n",
         "<!-- file: main.cpp is a.cpp -->\n\n```cpp\nint main() {\n  f();\n  g();\n}\n```\n", "<!-- run -->\n```sh\ntrue\n```\n"]


def self_test() -> list[str]:
    def wrong(page: str) -> list[str]:
        return [text for text in (check_block(block, SOURCES.get, {"test"}) for block in blocks_of(page)) if text]

    found = [f"self-test: not found: {page!r}" for page, expected in PLANTED.items() if not any(expected in text for text in wrong(page))]
    found += [f"self-test: refused: {page!r}" for page in CLEAN if wrong(page) or not blocks_of(page)]
    expected = expectation("found 0x… at …\ndone\n")
    for text, fits in {"found 0x12 at /ip4\nmore\ndone\n": True, "found 12 at x\ndone\n": False, "done\nfound 0x1 at x\n": False}.items():
        if bool(expected.search(text)) != fits:
            found.append(f"self-test: {text!r}")
    return found


def main() -> int:
    arguments = sys.argv[1:]
    if arguments == ["--check"]:
        found = check()
    elif arguments == ["--self-test"]:
        found = self_test()
    elif len(arguments) == 2 and arguments[0] == "--run":
        found = run(pathlib.Path(arguments[1]).resolve())
    else:
        print(textwrap.dedent(__doc__))
        return 2
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
