"""The implementations: how each is built and run, what it can do beyond the contract, where it differs."""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

INTEROP = pathlib.Path(__file__).resolve().parent.parent
REPO = INTEROP.parent.parent
BUILD_SECONDS = 1800
GO = "github.com/libp2p/"


@dataclasses.dataclass
class Peer:
    """
    build: commands run in `cwd` one after the other. run: the program; flags are appended.
    tools: executables without which the peer is absent, each with the oldest version that will do. stamp: (file that says what was built, inputs);
    the build is left out while their digest is the same; without a stamp the build always runs.
    capabilities: what not everyone has; lacks: the rest, each with the reason. quirks: named expected
    differences, each with its reason. locked: (lock file, packages whose versions are worth telling).
    """
    name: str
    run: list
    cwd: pathlib.Path = REPO
    build: list = dataclasses.field(default_factory=list)
    tools: dict = dataclasses.field(default_factory=dict)
    stamp: tuple = None
    capabilities: frozenset = frozenset()
    lacks: dict = dataclasses.field(default_factory=dict)
    locked: tuple = ()
    quirks: dict = dataclasses.field(default_factory=dict)
    absent: str = ""
    broken: str = ""

    def prepare(self):
        """Builds what has to be built; sets absent or broken, with the reason."""
        for tool, oldest in self.tools.items():
            self.absent = unfit(tool, oldest)
            if self.absent:
                return
        if self.stamp and self._stamp_path().exists() and self._stamp_path().read_text() == self._digest():
            return
        for command in self.build:
            try:
                done = subprocess.run(command, cwd=self.cwd, capture_output=True, text=True,
                                      timeout=BUILD_SECONDS)
            except subprocess.TimeoutExpired:
                self.broken = f"{' '.join(command)} took more than {BUILD_SECONDS} s"
                return
            if done.returncode != 0:
                self.broken = f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}"
                return
        if self.stamp:
            self._stamp_path().write_text(self._digest())

    def _stamp_path(self):
        return self.cwd / self.stamp[0]

    def _digest(self):
        parts = [hashlib.sha256((self.cwd / name).read_bytes()).hexdigest() for name in self.stamp[1]]
        return " ".join(parts)


def unfit(tool, oldest):
    """Why this machine's tool will not do; empty when it does."""
    if shutil.which(tool) is None:
        return f"{tool} is not installed; {oldest} or later is needed"
    asked = [tool, "version" if tool == "go" else "--version"]
    found = re.search(r"\d+(\.\d+)+", subprocess.run(asked, capture_output=True, text=True, timeout=60).stdout)
    number = [[int(part) for part in text.split(".")] for text in (found[0] if found else "0", oldest)]
    return f"{tool} is {found and found[0]}; {oldest} or later is needed" if number[0] < number[1] else ""


def versions(peer):
    """What the lock file of a peer names: "package version" of each package that is worth telling."""
    if not peer.locked:
        return []
    path, packages = peer.cwd / peer.locked[0], peer.locked[1]
    text = path.read_text(encoding="utf-8")
    if path.name == "package-lock.json":
        entries = json.loads(text)["packages"]
        return [f"{name} {entries['node_modules/' + name]['version']}" for name in packages]
    between = {"go.mod": "{} v(.*)", "Cargo.lock": 'name = "{}"\nversion = "(.*)"', "requirements.txt": "{}==(.*)"}
    found = [(name, re.search(between[path.name].format(re.escape(name)), text)) for name in packages]
    return [f"{name.rsplit('/', 1)[-1]} {match[1].split()[0]}" for name, match in found]


def starling(path):
    """The program under test. It is built by the project's own build, not from here."""
    candidates = [pathlib.Path(path)] if path else [REPO / "build" / kind / "bin" / "starling-peer"
                                                   for kind in ("release", "dev")]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return Peer("starling", [str(candidate.resolve())], capabilities=frozenset({"tls", "bench"}))
    peer = Peer("starling", [])
    peer.absent = "no starling-peer at " + " or ".join(os.path.relpath(c, REPO) for c in candidates)
    return peer


def foreign():
    """Every foreign implementation. To add one: a folder under peers/ and an entry here."""
    go, rust, js, py = (INTEROP / "peers" / name for name in ("go", "rust", "js", "py"))
    return [
        Peer("go", [str(go / "build" / "go-peer")], cwd=go, tools={"go": "1.21"},
             build=[["go", "build", "-trimpath", "-o", "build/go-peer", "."]],
             locked=("go.mod", [GO + "go-libp2p", GO + "go-libp2p-kad-dht", GO + "go-libp2p-pubsub"]),
             capabilities=frozenset({"tls", "bench", "raw-gossip"}),
             quirks={
                 "dies-of-add-provider-answers": "go-libp2p-kad-dht takes an answer to ADD_PROVIDER for the one to the"
                                                 " PUT_VALUE after it, and reads the record that it does not have",
                 "takes-high-s": "go-libp2p verifies secp256k1 signatures with high s",
                 "takes-missing-seqno": "go-libp2p-pubsub does not require seqno in StrictSign",
                 "takes-short-seqno": "go-libp2p-pubsub does not look at the length of seqno",
             }),
        Peer("rust", [str(rust / "target" / "release" / "rust-peer")], cwd=rust, tools={"cargo": "1.88"},
             build=[["cargo", "build", "--release", "--locked", "--quiet", "-j2"]],
             locked=("Cargo.lock", ["libp2p", "libp2p-noise", "libp2p-tls", "libp2p-yamux", "libp2p-kad",
                                    "libp2p-gossipsub"]),
             capabilities=frozenset({"tls", "bench"})),
        Peer("js", ["node", str(js / "main.js")], cwd=js, tools={"node": "20", "npm": "9"},
             build=[["npm", "ci", "--no-audit", "--no-fund"]],
             stamp=("node_modules/.interop-stamp", ["package.json", "package-lock.json"]),
             locked=("package-lock.json", ["libp2p", "@libp2p/noise", "@libp2p/tls", "@libp2p/yamux",
                                           "@libp2p/kad-dht", "@libp2p/gossipsub"]),
             capabilities=frozenset({"tls", "bench"}),
             quirks={
                 "wants-extension-first": "js-libp2p takes only the first extension of a certificate for the one of libp2p",
                 "refuses-raw-provider-keys": "a js-libp2p server decodes the key of ADD_PROVIDER and"
                                              " GET_PROVIDERS as a CID and ends the stream when it is none",
             }),
        Peer("py", [str(py / "venv" / "bin" / "python"), str(py / "main.py")], cwd=py, tools={"python3": "3.11"},
             build=[["python3", "-m", "venv", "--clear", "venv"],
                    ["venv/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "-r", "requirements.txt"]],
             stamp=("venv/.interop-stamp", ["requirements.txt"]),
             locked=("requirements.txt", ["libp2p"]),
             capabilities=frozenset({"tls"}),
             lacks={"bench": "py-peer has no bench commands: one interpreter thread does all the work, and its pubsub"
                             " drops what a reader is slow to take"},
             quirks={
                 "answers-add-provider": "a py-libp2p server sends ADD_PROVIDER back to its sender",
                 "extension-after-others": "py-libp2p puts the extension of libp2p behind others in its certificate",
                 "keeps-clients": "py-libp2p takes everyone who opens a DHT stream into its table",
                 "takes-short-seqno": "py-libp2p does not look at the length of seqno",
             }),
    ]
