#!/usr/bin/env python3
"""A DHT server that is killed at any moment has every record that it acknowledged when it comes back.

Usage: killed_server.py [PROGRAM]; STARLING_SEED chooses the moments.
"""
import base64
import os
import random
import signal
import socket
import sys
import threading
import time

from network import Network, program_of, wait_for

ROUNDS = 6
WRITERS = 4
KILL_AFTER_MAX = 0.25  # s; the server takes 200 PUTs of one peer at once, which take about as long


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def public_key_record():
    """A record that every node can check: under a peer id, its public key."""
    key = b"\x08\x01\x12\x20" + os.urandom(32)
    return "hex:" + (b"/pk/\x00\x24" + key).hex(), base64.b64encode(key).decode()


class Writers:
    """Threads that put records through a node until it says that nobody stores them any more."""

    def __init__(self, node):
        self.node = node
        self.acknowledged = {}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.write) for _ in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self):
        while not self.stopping.is_set():
            key, value = public_key_record()
            status, answer = self.node.ask("POST", "/v1/dht/put", {"key": key, "value_base64": value})
            if status == 200 and answer["stored"] > 0:
                self.acknowledged[key] = value

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        return self.acknowledged


def run(program, seed):
    random.seed(seed)
    port = free_port()
    listen = ("--listen", f"/ip4/127.0.0.1/tcp/{port}")
    with Network(program) as network:
        server = network.add("server", "bootstrap", extra=listen).wait_ready()
        peer_id = server.ready["peer_id"]
        client = network.add("client", "agent", [f"/ip4/127.0.0.1/tcp/{port}/p2p/{peer_id}"]).wait_ready()
        everything = {}
        for number in range(ROUNDS):
            wait_for(lambda: client.ask("GET", "/v1/dht/table")[1]["peers"] > 0, 15, "the client knows the server")
            writers = Writers(client)
            time.sleep(random.uniform(0.02, KILL_AFTER_MAX))
            server.stop(signal.SIGKILL)
            server.wait_stopped(10)
            acknowledged = writers.stop()
            network.nodes.remove(server)
            server = network.add("server", "bootstrap", extra=listen).wait_ready()
            assert server.ready["peer_id"] == peer_id
            everything.update(acknowledged)
            # All of this round, and some of those before, which have been restored more than once.
            older = random.sample(sorted(everything), min(50, len(everything)))
            for key in [*acknowledged, *older]:
                status, answer = server.ask("POST", "/v1/dht/get", {"key": key})
                assert status == 200 and answer["value_base64"] == everything[key], (number, key, answer)
            print(f"round {number}: {len(acknowledged)} records acknowledged and found again", flush=True)
        records = server.ask("GET", "/v1/dht/table")[1]["records"]
        assert records >= len(everything) > 100, (records, len(everything))
        print(f"{len(everything)} acknowledged records survived {ROUNDS} kills")


def main():
    seed = int(os.environ.get("STARLING_SEED", random.randrange(1 << 32)))
    print(f"replay with STARLING_SEED={seed}")
    started = time.monotonic()
    run(program_of(sys.argv[1:]), seed)
    print(f"1 passed, 0 failed in {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
