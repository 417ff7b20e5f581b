#!/usr/bin/env python3
"""Runs clang-tidy-16 over every translation unit, in parallel; a file that passed is not looked at again until it, a header of
ours that it includes, its command line or .clang-tidy changes.

usage: tidy.py --build DIR [--jobs N] [--fix] [--all] [file…]   (--all forgets what passed before)
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import repo

TIDY = "clang-tidy-16"
# Test bodies may be long: a scenario told in one piece reads better than one in fragments.
TEST_CHECKS = "-readability-function-size,-bugprone-unused-return-value,-cppcoreguidelines-init-variables"


class Tree:
    """Which of our own headers a file includes, directly or not, and a hash of all of them."""

    def __init__(self) -> None:
        self._direct: dict[pathlib.Path, list[pathlib.Path]] = {}
        self._roots = [repo.ROOT / name for name in ("src", "src/proto", "include", "tests", "sim", "apps", "bench", "fuzz")]

    def _includes(self, path: pathlib.Path) -> list[pathlib.Path]:
        if path not in self._direct:
            found = []
            for _, name in repo.includes(path.read_text(encoding="utf-8")):
                candidates = [path.parent / name] + [root / name for root in self._roots]
                found += [c.resolve() for c in candidates if c.is_file()][:1]
            self._direct[path] = found
        return self._direct[path]

    def digest(self, path: pathlib.Path) -> bytes:
        seen, open_ends = {path}, [path]
        while open_ends:
            for header in self._includes(open_ends.pop()):
                if header not in seen:
                    seen.add(header)
                    open_ends.append(header)
        total = hashlib.sha256()
        for name in sorted(seen):
            total.update(str(name).encode() + hashlib.sha256(name.read_bytes()).digest())
        return total.digest()


def units(build: pathlib.Path) -> dict[pathlib.Path, str]:
    """Every translation unit of ours and its command line."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    known = {path.resolve() for path in repo.files(".cpp")}
    return {path: entry["command"] for entry in entries if (path := pathlib.Path(entry["file"]).resolve()) in known}


def run(path: pathlib.Path, build: pathlib.Path, fix: bool) -> str:
    """What clang-tidy found in one file, empty when nothing."""
    command = [TIDY, "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option"]
    if path.name.endswith("_test.cpp"):
        command.append(f"--checks={TEST_CHECKS}")
    if fix:
        command.append("--fix")
    done = subprocess.run(command + [str(path)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    return done.stdout.strip() or done.stderr.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    chosen = parser.parse_args()
    start = time.monotonic()
    passed = chosen.build / "tidy-passed"
    passed.mkdir(exist_ok=True)
    config = (repo.ROOT / ".clang-tidy").read_bytes() + TEST_CHECKS.encode()
    tree = Tree()
    todo = []
    for path, command in sorted(units(chosen.build).items()):
        if chosen.files and path not in [file.resolve() for file in chosen.files]:
            continue
        key = hashlib.sha256(config + command.encode() + tree.digest(path)).hexdigest()
        if chosen.all or not (passed / key).exists():
            todo.append((path, passed / key))
    # One fix at a time, because two files may mend the same header.
    jobs = 1 if chosen.fix else chosen.jobs
    shown: set[str] = set()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(run, path, chosen.build, chosen.fix): (path, key) for path, key in todo}
        for done in concurrent.futures.as_completed(runs):
            path, key = runs[done]
            text = done.result()
            if not text:
                key.touch()
                continue
            failed += 1
            # A finding in a header comes with every file that includes it; once is enough.
            for finding in re.split(r"\n(?=/[^\n]*: (?:warning|error):)", text):
                if finding not in shown:
                    shown.add(finding)
                    print(finding.replace(f"{repo.ROOT}/", ""), flush=True)
    if todo:
        print(f"clang-tidy: {len(todo)} files, {failed} with findings, {time.monotonic() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
