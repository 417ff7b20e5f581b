#!/usr/bin/env python3
"""A node that listens and does nothing keeps little in memory, and loads none of the libraries that are linked in.

Usage: idle_process.py PROGRAM, a starling-peer of a Release build with STARLING_STATIC. How fast it starts is said and not judged:
the machine of a test may be busy.
"""
import pathlib
import subprocess
import sys
import time

STARTS = 5
RESIDENT_KIB_MAX = 6_000_000 // 1024
LOADED_AFRESH = ("libcrypto", "libssl", "libsodium", "libsecp256k1", "libboost", "libstdc++", "libspdlog", "libfmt", "libsqlite3")


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def main():
    program = sys.argv[1]
    starts, residents = [], []
    for _ in range(STARTS):
        began = time.monotonic()
        with subprocess.Popen([program, "--threads", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            ready = process.stdout.readline()
            starts.append(1000 * (time.monotonic() - began))
            assert b'"ready"' in ready, ready
            residents.append(resident_kib(process.pid))
            maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
            process.stdin.close()
        loaded = [name for name in LOADED_AFRESH if f"/{name}" in maps]
        assert not loaded, f"loads {loaded}"
    print(f"listens after {sorted(starts)[STARTS // 2]:.1f} ms (median of {STARTS}), keeps {max(residents)} KiB at most")
    assert max(residents) <= RESIDENT_KIB_MAX, residents


if __name__ == "__main__":
    main()
