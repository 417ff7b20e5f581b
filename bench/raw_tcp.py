#!/usr/bin/env python3
"""
One bare TCP stream between two places: what the far rows of `./x bench wire` are held against. Standard library only,
because it runs inside of a network namespace.

usage: raw_tcp.py serve HOST                          prints the port, serves until its input ends
       raw_tcp.py ask HOST PORT up|down SECONDS       prints {"rtt_ms": …, "gbps": …}
       raw_tcp.py ask HOST PORT rtt 0                 prints {"rtt_ms": …}
"""

import json
import os
import socket
import struct
import sys
import threading
import time

BLOCK = bytes(1 << 20)
CONNECTS = 5


def push(stream: socket.socket, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stream.sendall(BLOCK)
    stream.shutdown(socket.SHUT_WR)


def drain(stream: socket.socket) -> int:
    block, count = bytearray(len(BLOCK)), 0
    while got := stream.recv_into(block):
        count += got
    return count


def answer(stream: socket.socket) -> None:
    """The first byte says who sends, the next eight for how long."""
    with stream:
        if not (head := stream.recv(9, socket.MSG_WAITALL)):
            return  # only the round trip was of interest
        if head[:1] == b"d":
            push(stream, struct.unpack(">d", head[1:])[0])
            drain(stream)
        else:
            stream.sendall(struct.pack(">Q", drain(stream)))


def serve(host: str) -> None:
    with socket.create_server((host, 0)) as listener:
        print(listener.getsockname()[1], flush=True)

        def accept() -> None:
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        while os.read(0, 1):
            pass


def round_trip(place: tuple[str, int]) -> float:
    """Milliseconds of a TCP handshake: the smallest of a few."""
    took = []
    for _ in range(CONNECTS):
        began = time.monotonic()
        with socket.create_connection(place):
            took.append(1000 * (time.monotonic() - began))
    return min(took)


def ask(place: tuple[str, int], way: str, seconds: float) -> dict[str, float]:
    """From the first byte asked for until the other side has, or we have, the last one, like /perf/1.0.0."""
    rtt_ms = round_trip(place)
    if way == "rtt":
        return {"rtt_ms": rtt_ms}
    with socket.create_connection(place) as stream:
        began = time.monotonic()
        stream.sendall(way[:1].encode() + struct.pack(">d", seconds))
        if way == "down":
            count = drain(stream)
        else:
            push(stream, seconds)
            count = struct.unpack(">Q", stream.recv(8, socket.MSG_WAITALL))[0]
        took = time.monotonic() - began
    return {"rtt_ms": rtt_ms, "gbps": count * 8 / 1e9 / took}


def main() -> None:
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        host, port, way, seconds = sys.argv[2:6]
        print(json.dumps(ask((host, int(port)), way, float(seconds))))


if __name__ == "__main__":
    main()
