#!/usr/bin/env python3
"""Programs in other languages that use libp2p through `starling p2pd`, as real processes on the loopback interface.

- js: every call of @libp2p/daemon-client, and the suites of @libp2p/interop with Starling in the slot named go;
- python: every call of p2pclient.

usage: run.py [--starling PATH] [--only js-client|js-suites|python] [--require-all]
The last line is `N passed, N failed`, with `, N skipped` for what was absent. Needs Python's standard library alone;
what the clients need is installed once, as the lock files say.
"""
from __future__ import annotations

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
JS = HERE / "js"
PYTHON = HERE / "python"
ENVIRONMENT = PYTHON / "build" / "venv"
INSTALL_SECONDS = 600
RUN_SECONDS = 900


def find_starling() -> pathlib.Path:
    for preset in ("release", "dev"):
        found = ROOT / "build" / preset / "bin" / "starling"
        if found.is_file():
            return found
    sys.exit("run.py: no starling program; build it, or give --starling PATH")


def is_current(stamp: pathlib.Path, *sources: pathlib.Path) -> bool:
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return True
    stamp.unlink(missing_ok=True)
    return False


def write_stamp(stamp: pathlib.Path, *sources: pathlib.Path) -> None:
    stamp.write_text(hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest())


def install_js() -> str | None:
    """Why it cannot be used, or nothing."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "node and npm are not there"
    sources = (JS / "package-lock.json", JS / "aegir" / "package.json")
    stamp = JS / "node_modules" / ".starling-stamp"
    if is_current(stamp, *sources):
        return None
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=JS, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode != 0:
        return f"npm ci failed: {done.stderr.strip()[-500:]}"
    write_stamp(stamp, *sources)
    return None


def install_python() -> str | None:
    requirements = PYTHON / "requirements.txt"
    stamp = ENVIRONMENT / ".starling-stamp"
    if is_current(stamp, requirements):
        return None
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(ENVIRONMENT)], [*pip, "--no-deps", "-r", str(requirements)]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        if done.returncode != 0:
            return f"{' '.join(command[:4])} failed: {done.stderr.strip()[-500:]}"
    write_stamp(stamp, requirements)
    return None


PARTS = {
    "js-client": (install_js, ["node", "client.js"], JS),
    "js-suites": (install_js, ["node", "suites.js"], JS),
    "python": (install_python, [str(ENVIRONMENT / "bin" / "python"), "client.py"], PYTHON),
}


class Tally:
    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0
        self.cells: list[dict[str, str]] = []
        self.left_out: dict[str, list[str]] = {}

    def take(self, line: str) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            print(f"      {line.rstrip()}", flush=True)
            return
        if "passed" in told:
            self.passed += 1
            self.cells.append({"id": told["passed"], "status": "passed"})
            print(f"PASS  {told['passed']} ({told.get('ms', 0)} ms)", flush=True)
        elif "failed" in told:
            self.fail(told["failed"], told["error"])
        elif "leftOut" in told:
            self.left_out.setdefault(told["why"], []).append(told["leftOut"])

    def fail(self, name: str, why: str) -> None:
        self.failed += 1
        self.cells.append({"id": name, "status": "failed"})
        print(f"FAIL  {name}", *(f"      {line}" for line in why.splitlines()[-20:]), sep="\n", flush=True)


def run_part(name: str, starling: pathlib.Path, tally: Tally, require_all: bool) -> None:
    install, command, folder = PARTS[name]
    absent = install()
    if absent is not None:
        if require_all:
            tally.fail(name, absent)
        else:
            tally.skipped += 1
            print(f"SKIP  {name}: {absent}", flush=True)
        return
    before = tally.passed + tally.failed
    environment = {**os.environ, "STARLING": str(starling)}
    program = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    failed_before = tally.failed
    watchdog = threading.Timer(RUN_SECONDS, program.kill)
    watchdog.start()
    try:
        assert program.stdout is not None
        with program.stdout:
            for line in program.stdout:
                tally.take(line)
        code = program.wait()
    finally:
        watchdog.cancel()
        program.kill()
        program.wait()
    if tally.passed + tally.failed == before:
        tally.fail(name, "it ran no test")
    elif code != 0 and tally.failed == failed_before:
        tally.fail(name, f"it ended with exit code {code}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starling", type=pathlib.Path, help="the program; default build/release/bin/starling")
    parser.add_argument("--only", choices=sorted(PARTS), help="one part")
    parser.add_argument("--require-all", action="store_true", default=os.environ.get("CI") == "true",
                        help="what is absent counts as failed")
    parser.add_argument("--json", type=pathlib.Path, help="where the result of each test goes")
    options = parser.parse_args()
    starling = (options.starling or find_starling()).resolve()
    tally = Tally()
    for name in [options.only] if options.only else PARTS:
        run_part(name, starling, tally, options.require_all)
    for why, tests in sorted(tally.left_out.items()):
        print(f"not offered ({why}): {len(tests)}", *(f"      {test}" for test in tests), sep="\n")
    if options.json:
        options.json.write_text(json.dumps({"cells": tally.cells}, indent=1), encoding="utf-8")
    skipped = f", {tally.skipped} skipped" if tally.skipped else ""
    print(f"{tally.passed} passed, {tally.failed} failed{skipped}")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
