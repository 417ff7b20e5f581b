#!/usr/bin/env python3
"""Runs clang-tidy-16 over every translation unit, in parallel.

Most of the time goes into headers that every file of a module includes, so files with the same flags are looked at in batches: one
unit that includes them all. Files that do not fit into a batch (two helpers of one name) go into one of their own.
A file that passed is not looked at again until it, a header of ours that it includes, its command line or .clang-tidy changes.

usage: tidy.py --build DIR [--jobs N] [--seconds N] [--fix] [--all] [file…]
  --all      forgets what passed before
  --seconds  begins nothing new after that time, and says what was not looked at; what changed last comes first
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

import repo

TIDY = "clang-tidy-16"
CLANG = "clang++-16"
# Test bodies may be long: a scenario told in one piece reads better than one in fragments.
TEST_CHECKS = "-readability-function-size,-bugprone-unused-return-value"
BATCH_FILES_MAX = 8


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


def units(build: pathlib.Path) -> dict[pathlib.Path, list[str]]:
    """Every translation unit of ours and the flags it is compiled with."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    known = {path.resolve() for path in repo.files(".cpp")}
    found = {}
    for entry in entries:
        path = pathlib.Path(entry["file"]).resolve()
        if path in known:
            words = shlex.split(entry["command"])[1:]
            found[path] = words[:words.index("-o")]
    return found


def is_test(path: pathlib.Path) -> bool:
    return path.name.endswith("_test.cpp")


class Linter:
    """Looks at batches; remembers what was printed, because a finding in a header comes with every file that includes it."""

    def __init__(self, build: pathlib.Path, fix: bool) -> None:
        self._fix = fix
        self._folder = build / "tidy-batches"
        self._folder.mkdir(exist_ok=True)
        self._shown: set[str] = set()

    def look(self, files: list[pathlib.Path], flags: list[str]) -> list[pathlib.Path]:
        """The files that have findings; prints those."""
        unit = files[0]
        if len(files) > 1:
            text = "".join(f'#include "{path}"\n' for path in files)
            unit = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.cpp"
            unit.write_text(text, encoding="utf-8")
            # What one file hides from the next is no mistake of either.
            flags = flags + ["-Wno-shadow"]
            fits = subprocess.run([CLANG, *flags, "-fsyntax-only", str(unit)], capture_output=True, text=True, check=False)
            if fits.returncode != 0:
                accused = {line.split(":")[0] for line in fits.stderr.splitlines() if ": error:" in line}
                apart = [path for path in files if str(path) in accused]
                rest = [path for path in files if str(path) not in accused]
                if not apart or not rest:
                    apart, rest = files[1::2], files[::2]
                return self.look(rest, flags[:-1]) + self.look(apart, flags[:-1])
        command = [TIDY, "--quiet"] + ([f"--checks={TEST_CHECKS}"] if is_test(files[0]) else []) + (["--fix"] if self._fix else [])
        done = subprocess.run(command + [str(unit), "--", *flags], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return []
        findings = re.split(r"\n(?=/[^\n]*: (?:warning|error):)", done.stdout.strip() or done.stderr.strip())
        for finding in findings:
            if finding not in self._shown:
                self._shown.add(finding)
                print(finding.replace(f"{repo.ROOT}/", ""), flush=True)
        named = [path for path in files if any(finding.startswith(f"{path}:") for finding in findings)]
        return named or files


def batches(todo: dict[pathlib.Path, list[str]], files_max: int) -> list[tuple[list[pathlib.Path], list[str]]]:
    """Files of one folder and one set of flags together, tests apart."""
    groups: dict[tuple, list[pathlib.Path]] = {}
    for path, flags in sorted(todo.items()):
        groups.setdefault((path.parent, is_test(path), tuple(flags)), []).append(path)
    cut = []
    for (_, _, flags), files in groups.items():
        count = -(-len(files) // files_max)
        cut += [(files[i::count], list(flags)) for i in range(count)]
    return cut


def last_changed() -> dict[pathlib.Path, int]:
    """How many commits ago each file changed, as far as the history that is here tells."""
    log = subprocess.run(["git", "-c", "safe.directory=*", "log", "-n", "300", "--format=commit", "--name-only"], cwd=repo.ROOT,
                         capture_output=True, text=True, check=False).stdout
    ages: dict[pathlib.Path, int] = {}
    age = 0
    for line in log.splitlines():
        if line == "commit":
            age += 1
        elif line:
            ages.setdefault(repo.ROOT / line, age)
    return ages


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    chosen = parser.parse_args()
    start = time.monotonic()
    passed = chosen.build / "tidy-passed"
    passed.mkdir(exist_ok=True)
    config = (repo.ROOT / ".clang-tidy").read_bytes() + TEST_CHECKS.encode()
    tree = Tree()
    todo: dict[pathlib.Path, list[str]] = {}
    keys: dict[pathlib.Path, pathlib.Path] = {}
    wanted = {file.resolve() for file in chosen.files}
    for path, flags in units(chosen.build).items():
        if wanted and path not in wanted:
            continue
        key = passed / hashlib.sha256(config + " ".join(flags).encode() + tree.digest(path)).hexdigest()
        if chosen.all or not key.exists():
            todo[path] = flags
            keys[path] = key
    linter = Linter(chosen.build.resolve(), chosen.fix)
    # One fix at a time, because two files may mend the same header.
    jobs, files_max = (1, 1) if chosen.fix else (chosen.jobs, BATCH_FILES_MAX)
    cut = batches(todo, files_max)
    if chosen.seconds != float("inf"):
        ages = last_changed()
        cut.sort(key=lambda batch: min(ages.get(path, 1000) for path in batch[0]))

    def look(files: list[pathlib.Path], flags: list[str]) -> list[pathlib.Path] | None:
        return linter.look(files, flags) if time.monotonic() - start < chosen.seconds else None

    failed: set[pathlib.Path] = set()
    unseen = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(look, files, flags): files for files, flags in cut}
        for done in concurrent.futures.as_completed(runs):
            if done.result() is None:
                unseen += len(runs[done])
                continue
            bad = set(done.result())
            failed |= bad
            for path in set(runs[done]) - bad:
                keys[path].touch()
    if todo:
        rest = f", {unseen} not looked at for want of time" if unseen else ""
        print(f"clang-tidy: {len(todo) - unseen} files, {len(failed)} with findings, {time.monotonic() - start:.0f} s{rest}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
