"""The stacks of a benchmark and the machine it runs on: what every table has to name beside its figures."""

import argparse
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable

REPO = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "tests" / "interop" / "harness"))

import peers as register  # noqa: E402
from program import CellFailure, kill_all  # noqa: E402


def prepared(names: list[str], starling: str | None, needs: frozenset = frozenset()) -> list[register.Peer]:
    """The chosen ones, built. Ends the program when one cannot run: nobody is left out in silence."""
    known = {peer.name: peer for peer in [register.starling(starling), *register.foreign()]}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"unknown stacks {unknown}; there are {sorted(known)}")
    for name in names:
        if not known[name].absent:
            known[name].prepare()
        if reason := known[name].absent or known[name].broken:
            sys.exit(f"{name} cannot run: {reason}")
        for missing in sorted(needs - known[name].capabilities):
            sys.exit(f"{name} cannot be measured: {known[name].lacks.get(missing, f'it has no {missing}')}")
    return [known[name] for name in names]


def machine() -> dict:
    return {"cores": os.cpu_count(), "model": processor(), "kernel": ".".join(platform.release().split(".")[:2]),
            "load_before": [round(load, 2) for load in os.getloadavg()]}


def today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


TOOL_CHAINS = {"go": ("go", "env", "GOVERSION"), "rust": ("rustc", "--version"), "js": ("node", "--version"),
               "py": ("python3", "--version")}


def versions(peer: register.Peer) -> str:
    """What the lock file of a peer names and what it was built with; of Starling the last commit that changed the
    program, not the one that changed a page about it."""
    if peer.locked:
        return ", ".join([*register.versions(peer), output(*TOOL_CHAINS[peer.name])])
    return "commit " + output("git", "-c", "safe.directory=*", "log", "-1", "--format=%h", "--abbrev=10", "--",
                              "src", "include", "apps")


def output(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def cpu_seconds(pid: int) -> float:
    """
    User and system time of a process so far, ended threads included: the figure of /proc/PID/stat without its
    rounding to 10 ms, in which a hundred processes that work for 1 ms each would be lost.
    """
    return time.clock_gettime((~pid << 3) | 2)


def measured(options: argparse.Namespace, measure: Callable[[argparse.Namespace], dict], many: str) -> dict:
    """What `measure` finds now, kept in the file of --json; or what that of --render has kept."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.render:
        return json.loads(options.render.read_text(encoding="utf-8"))
    try:
        document = measure(options)
    except CellFailure as failure:
        sys.exit(f"bench: {failure}")
    finally:
        kill_all()
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(to_json(document, many), encoding="utf-8")
    return document


def quantile(values: list[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def to_json(document: dict, many: str) -> str:
    """One entry of document[many] a line, and no digits that nobody measured."""
    head = {name: value for name, value in document.items() if name != many}
    entries = ",\n".join("  " + json.dumps(rounded(entry)) for entry in document[many])
    return json.dumps(rounded(head), indent=1)[:-2] + f',\n "{many}": [\n' + entries + "\n ]\n}\n"


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value


def into_docs(path: pathlib.Path, name: str, text: str) -> None:
    """Replaces what stands between the markers of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = path.read_text(encoding="utf-8")
    if begin not in page or end not in page:
        raise SystemExit(f"{path.name} has no place for this: {begin} … {end}")
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
