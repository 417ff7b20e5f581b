#!/usr/bin/env python3
"""
starling-interop against the contracts of libp2p's own harnesses: its programs meet through a Redis, as they do there.

The official participants of other stacks are container images; here Starling plays every part, and what is checked is
the contract: names of variables, keys in Redis, what stands on stdout, exit codes. That the wire is right is the
matter of ../harness.
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

REPO = pathlib.Path(__file__).resolve().parent.parent.parent.parent
SECONDS = 30
ZERO_SEED_PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


class Failed(Exception):
    """The contract is not kept."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def redis() -> Iterator[str]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
                                   folder], stdout=subprocess.DEVNULL)
        try:
            until(lambda: answers(port), "Redis")
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as link:
        link.sendall(b"PING\r\n")
        return link.recv(16).startswith(b"+PONG")
    return False


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > end:
            raise Failed(f"no {what} within {SECONDS} s")
        time.sleep(0.05)


class Run:
    """One case: its programs, which all end with it."""

    def __init__(self, program: pathlib.Path, address: str, name: str) -> None:
        self.redis = address
        self.key = hashlib.sha256(name.encode()).hexdigest()[:8]
        self._program = program
        self._running: list[subprocess.Popen] = []

    def start(self, part: list[str], called: str = "starling-interop", **variables: str) -> subprocess.Popen:
        clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
        child = subprocess.Popen([called, *part], executable=self._program, env=clean | variables, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._running.append(child)
        return child

    def finish(self, child: subprocess.Popen) -> tuple[int, str, str]:
        try:
            out, err = child.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired as expired:
            raise Failed(f"no end within {SECONDS} s") from expired
        return child.returncode, out, err

    def close(self) -> None:
        for child in self._running:
            child.kill()
            child.wait()


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)


def transport(run: Run, listener: dict[str, str], dialler: dict[str, str]) -> str:
    run.start(["transport"], **listener)
    code, out, err = run.finish(run.start(["transport"], **dialler))
    expect(code == 0, f"the dialler ended with {code}: {err}")
    return out


def new_names(run: Run, dials: bool, **more: str) -> dict[str, str]:
    return {"IS_DIALER": "true" if dials else "false", "REDIS_ADDR": run.redis, "TEST_KEY": run.key, "TRANSPORT": "tcp",
            "SECURE_CHANNEL": "noise", "MUXER": "yamux", "LISTENER_IP": "0.0.0.0", "DEBUG": "false"} | more


def old_names(run: Run, dials: bool, **more: str) -> dict[str, str]:
    return {"is_dialer": "true" if dials else "false", "redis_addr": run.redis, "transport": "tcp", "security": "noise",
            "muxer": "yamux", "ip": "0.0.0.0", "test_timeout_seconds": str(SECONDS)} | more


def transport_new(run: Run) -> None:
    out = transport(run, new_names(run, dials=False), new_names(run, dials=True))
    number = r"(\d+\.\d+)"
    found = re.fullmatch(rf"latency:\n  handshake_plus_one_rtt: {number}\n  ping_rtt: {number}\n  unit: ms\n", out)
    expect(found is not None, f"not the lines of the contract: {out!r}")
    expect(float(found[1]) > float(found[2]) > 0, f"a handshake that is faster than a ping: {out!r}")


def transport_tls(run: Run) -> None:
    """Who listens takes both; who dials speaks what it was told."""
    out = transport(run, new_names(run, dials=False), new_names(run, dials=True, SECURE_CHANNEL="tls"))
    expect(out.startswith("latency:"), f"not the lines of the contract: {out!r}")


def transport_old(run: Run) -> None:
    answer = json.loads(transport(run, old_names(run, dials=False), old_names(run, dials=True)))
    expect(set(answer) == {"handshakePlusOneRTTMillis", "pingRTTMilllis"}, f"other names: {answer}")
    expect(answer["handshakePlusOneRTTMillis"] > answer["pingRTTMilllis"] > 0, f"no times: {answer}")


def transport_replaces_the_address(run: Run) -> None:
    """The old contract has one key for all runs, and a dialler before this one may have taken the address or not."""
    run.start(["transport"], **old_names(run, dials=False))
    code, _, err = run.finish(run.start(["transport"], **old_names(run, dials=True)))
    expect(code == 0, f"the first dialler ended with {code}: {err}")
    for kills in (True, False):
        listener = run.start(["transport"], **old_names(run, dials=False))
        expect("listening on" in listener.stderr.readline(), "a listener does not listen")
        if kills:  # its address stays in Redis, and nobody is behind it
            listener.kill()
            listener.wait()
    code, _, err = run.finish(run.start(["transport"], **old_names(run, dials=True)))
    expect(code == 0, f"the second dialler ended with {code}: {err}")


def transport_refuses(run: Run) -> None:
    for name, value in (("TRANSPORT", "quic-v1"), ("MUXER", "mplex"), ("SECURE_CHANNEL", "plaintext"), ("IS_DIALER", "x"),
                        ("TEST_TIMEOUT_SECS", "soon")):
        code, out, err = run.finish(run.start(["transport"], **new_names(run, dials=True, **{name: value})))
        expect(code != 0 and not out and value in err, f"{name}={value}: exit code {code}, {out!r}, {err!r}")


def transport_limits_its_time(run: Run) -> None:
    for dials in (True, False):
        began = time.monotonic()
        code, out, err = run.finish(run.start(["transport"], **new_names(run, dials=dials, TEST_TIMEOUT_SECS="1")))
        expect(code != 0 and not out, f"exit code {code}: {out!r} {err!r}")
        expect(time.monotonic() - began < 10, "the limit of one second took longer than ten")


def kad_roles(run: Run) -> None:
    names = {"REDIS_ADDR": run.redis, "TEST_KEY": run.key}
    querier = run.start(["kad-dht"], ROLE="querier", **names)  # waits for the other two
    provider = run.start(["kad-dht"], ROLE="provider", **names)
    bootstrap = run.start(["kad-dht"], ROLE="bootstrap", **names)
    code, out, err = run.finish(querier)
    expect(code == 0 and out == "status: pass\n", f"exit code {code}: {out!r} {err!r}")
    expect(provider.poll() is None and bootstrap.poll() is None, "the others did not stay up")


def kad_fails_truthfully(run: Run) -> None:
    names = {"REDIS_ADDR": run.redis, "TEST_KEY": run.key, "TEST_TIMEOUT_SECS": "2"}
    code, out, _ = run.finish(run.start(["kad-dht"], ROLE="querier", **names))
    expect(code != 0 and out.startswith("status: fail\nerror: "), f"exit code {code}: {out!r}")
    code, out, err = run.finish(run.start(["kad-dht"], ROLE="spectator", **names))
    expect(code != 0 and "spectator" in err, f"exit code {code}: {err!r}")


def perf(run: Run) -> None:
    port = free_port()
    server = run.start(["--run-server", "--server-address", f"127.0.0.1:{port}"], called="perf")
    first = server.stderr.readline()
    expect(first.strip().endswith(ZERO_SEED_PEER), f"not the key of the all-zero seed: {first!r}")
    for up, down in ((1, 1), (0, 0), (50_000_000, 1), (1, 50_000_000)):
        client = run.start(["--server-address", f"127.0.0.1:{port}", "--transport", "tcp", "--upload-bytes", str(up),
                            "--download-bytes", str(down)], called="perf")
        code, out, err = run.finish(client)
        lines = [json.loads(line) for line in out.splitlines()]
        expect(code == 0 and lines, f"exit code {code}: {err!r}")
        expect(all(line["type"] == "intermediary" for line in lines[:-1]), f"other lines: {lines}")
        final = lines[-1]
        expect(final["type"] == "final" and final["timeSeconds"] > 0, f"the last line is {final}")
        expect((final["uploadBytes"], final["downloadBytes"]) == (up, down), f"asked {up}, {down}: {final}")


def perf_reports_every_second(run: Run) -> None:
    port = free_port()
    server = run.start(["perf", "--run-server", "true", f"--server-address=127.0.0.1:{port}"])
    server.stderr.readline()
    client = run.start(["perf", f"--server-address=127.0.0.1:{port}", "--transport=tcp", f"--upload-bytes={2**53 - 1}",
                        "--download-bytes=0"])
    lines = [json.loads(client.stdout.readline()) for _ in range(2)]
    client.send_signal(signal.SIGTERM)
    for line in lines:
        expect(line["type"] == "intermediary" and 0.9 < line["timeSeconds"] < 3, f"not once a second: {line}")
        expect(line["uploadBytes"] > 1_000_000 and line["downloadBytes"] == 0, f"nothing was sent: {line}")


def perf_refuses(run: Run) -> None:
    for flags in ([], ["--server-address", "nowhere"], ["--server-address", "127.0.0.1:1", "--transport", "quic-v1"],
                  ["--server-address", "127.0.0.1:1", "--upload-bytes", "many"], ["--servers"]):
        code, out, err = run.finish(run.start(["perf", *flags]))
        expect(code != 0 and not out and err, f"{flags}: exit code {code}, {out!r}")
    port = free_port()
    code, out, err = run.finish(run.start(["perf", "--server-address", f"127.0.0.1:{port}"]))
    expect(code == 1 and not out and "connect" in err, f"exit code {code}: {err!r}")


CASES = [transport_new, transport_tls, transport_old, transport_replaces_the_address, transport_refuses, transport_limits_its_time,
         kad_roles, kad_fails_truthfully, perf, perf_reports_every_second, perf_refuses]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", type=pathlib.Path, default=REPO / "build" / "release" / "bin" / "starling-interop")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--json", type=pathlib.Path, help="where the result of each case goes")
    options = parser.parse_args()
    if shutil.which("redis-server") is None:
        sys.exit("redis-server is absent: apt-get install redis-server")
    results = []
    cases = [case for case in CASES if options.only in case.__name__]
    for case in cases:
        with redis() as address:  # a fresh one: the old contract knows only one key
            run = Run(options.program, address, case.__name__)
            try:
                case(run)
                results.append({"id": case.__name__, "status": "passed"})
                print(f"ok      {case.__name__}", flush=True)
            except Failed as failure:
                results.append({"id": case.__name__, "status": "failed"})
                print(f"FAILED  {case.__name__}: {failure}", flush=True)
            finally:
                run.close()
    if options.json:
        options.json.write_text(json.dumps({"cells": results}, indent=1), encoding="utf-8")
    failed = sum(result["status"] == "failed" for result in results)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
