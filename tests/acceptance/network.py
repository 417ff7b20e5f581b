"""Agents as processes: starts `starling up` nodes on loopback, asks them over their control sockets, stops them."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class ControlConnection(http.client.HTTPConnection):
    """HTTP over a node's Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("starling", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Node:
    def __init__(self, program, folder, name, role, bootstrap, extra=()):
        self.name = name
        self.folder = folder
        self.log = open(f"{folder}.log", "wb")
        words = [program, "up", "--role", role, "--name", name, "--data-dir", str(folder),
                 "--listen", "/ip4/127.0.0.1/tcp/0", "--threads", "1", *extra]
        for address in bootstrap:
            words += ["--bootstrap", address]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        self.ready = None

    def wait_ready(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} did not start: {pathlib.Path(self.log.name).read_text()[-2000:]}")
        self.ready = json.loads(line)
        assert self.ready["event"] == "ready", line
        self.address = self.ready["address"]
        self.multiaddr = self.ready["addrs"][0]
        return self

    def ask(self, method, target, body=None, timeout=60):
        connection = ControlConnection(self.folder / "control.sock", timeout)
        try:
            connection.request(method, target, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text)
        finally:
            connection.close()

    def find(self, address):
        return self.ask("POST", "/v1/find", {"address": address})

    def send(self, to, text):
        return self.ask("POST", "/v1/send", {"to": to, "text": text})

    def inbox(self):
        status, entries = self.ask("GET", "/v1/inbox?count=1000")
        assert status == 200, entries
        return entries

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)

    def wait_stopped(self, timeout):
        try:
            return self.process.wait(timeout)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.log.close()


class Network:
    """A folder full of nodes; all of them end with the `with` block."""

    def __init__(self, program):
        self.program = str(program)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="starling-acceptance-"))
        self.nodes = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for node in self.nodes:
            node.stop()
        for node in self.nodes:
            try:
                node.wait_stopped(10)
            except subprocess.TimeoutExpired:
                pass
        if kind is not None:
            for node in self.nodes:
                text = pathlib.Path(f"{node.folder}.log").read_text(errors="replace")
                if text:
                    print(f"--- {node.name}\n{text[-1500:]}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, name, role="agent", bootstrap=(), extra=()):
        node = Node(self.program, self.folder / name, name, role, bootstrap, extra)
        self.nodes.append(node)
        return node

    def grow(self, servers, agents):
        """Bootstrap nodes one after the other, then all agents at once; returns when every presence is stored."""
        addresses = []
        bootstraps = []
        for i in range(servers):
            node = self.add(f"boot{i}", "bootstrap", addresses).wait_ready()
            addresses.append(node.multiaddr)
            bootstraps.append(node)
        members = [self.add(f"agent{i}", "agent", addresses) for i in range(agents)]
        for node in members:
            node.wait_ready()
        wait_for(lambda: all(joined(node, 1) for node in members), 60, "every agent has joined")
        return bootstraps, members


def joined(node, peers_wanted):
    status, view = node.ask("GET", "/v1/status")
    mesh = {topic["topic"]: topic["mesh"] for topic in view.get("topics", [])}
    return status == 200 and view["presence"]["stored_by"] > 0 and mesh.get("agent-messages", 0) >= peers_wanted


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def program_of(arguments):
    """The starling program: the first argument, else the release or dev build of this repository."""
    root = pathlib.Path(__file__).resolve().parents[2]
    candidates = [pathlib.Path(arguments[0])] if arguments else [
        root / "build" / preset / "bin" / "starling" for preset in ("release", "dev")]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate
    raise SystemExit(f"no starling program at {', '.join(map(str, candidates))}")
