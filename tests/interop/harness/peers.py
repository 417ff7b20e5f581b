"""The implementations: how each is built and run, what it can do beyond the contract, where it differs."""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess

INTEROP = pathlib.Path(__file__).resolve().parent.parent
REPO = INTEROP.parent.parent
BUILD_SECONDS = 900


@dataclasses.dataclass
class Peer:
    """
    build: commands run in `cwd` one after the other. run: the program; flags are appended.
    tools: executables without which the peer is absent. stamp: (file that says what was built, inputs);
    the build is left out while their digest is the same; without a stamp the build always runs.
    capabilities: what it has beyond the contract. quirks: named expected differences, each with its reason.
    """
    name: str
    run: list
    cwd: pathlib.Path = REPO
    build: list = dataclasses.field(default_factory=list)
    tools: list = dataclasses.field(default_factory=list)
    stamp: tuple = None
    capabilities: frozenset = frozenset()
    quirks: dict = dataclasses.field(default_factory=dict)
    absent: str = ""
    broken: str = ""

    def prepare(self):
        """Builds what has to be built; sets absent or broken, with the reason."""
        for tool in self.tools:
            if shutil.which(tool) is None:
                self.absent = f"{tool} is not installed"
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


def starling(path):
    """The program under test. It is built by the project's own build, not from here."""
    candidates = [pathlib.Path(path)] if path else [REPO / "build" / kind / "bin" / "starling-peer"
                                                   for kind in ("release", "dev")]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return Peer("starling", [str(candidate.resolve())], capabilities=frozenset({"bench"}))
    peer = Peer("starling", [])
    peer.absent = "no starling-peer at " + " or ".join(os.path.relpath(c, REPO) for c in candidates)
    return peer


def foreign():
    """Every foreign implementation. To add one: a folder under peers/ and an entry here."""
    go, rust, js, py = (INTEROP / "peers" / name for name in ("go", "rust", "js", "py"))
    return [
        Peer("go", [str(go / "build" / "go-peer")], cwd=go, tools=["go"],
             build=[["go", "build", "-trimpath", "-o", "build/go-peer", "."]],
             capabilities=frozenset({"tls", "bench", "raw-gossip"}),
             quirks={
                 "dies-of-add-provider-answers": "go-libp2p-kad-dht takes an answer to ADD_PROVIDER for the one to the"
                                                 " PUT_VALUE after it, and reads the record that it does not have",
                 "takes-high-s": "go-libp2p verifies secp256k1 signatures with high s",
                 "takes-missing-seqno": "go-libp2p-pubsub does not require seqno in StrictSign",
                 "takes-short-seqno": "go-libp2p-pubsub does not look at the length of seqno",
             }),
        Peer("rust", [str(rust / "target" / "release" / "rust-peer")], cwd=rust, tools=["cargo"],
             build=[["cargo", "build", "--release", "--locked", "--quiet", "-j2"]],
             capabilities=frozenset({"tls", "bench"})),
        Peer("js", ["node", str(js / "main.js")], cwd=js, tools=["node", "npm"],
             build=[["npm", "ci", "--no-audit", "--no-fund"]],
             stamp=("node_modules/.interop-stamp", ["package.json", "package-lock.json"]),
             capabilities=frozenset({"tls", "bench"}),
             quirks={
                 "wants-extension-first": "js-libp2p takes only the first extension of a certificate for the one of libp2p",
                 "refuses-raw-provider-keys": "a js-libp2p server decodes the key of ADD_PROVIDER and"
                                              " GET_PROVIDERS as a CID and ends the stream when it is none",
             }),
        Peer("py", [str(py / "venv" / "bin" / "python"), str(py / "main.py")], cwd=py, tools=["python3"],
             build=[["python3", "-m", "venv", "--clear", "venv"],
                    ["venv/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "-r", "requirements.txt"]],
             stamp=("venv/.interop-stamp", ["requirements.txt"]),
             capabilities=frozenset({"tls"}),
             quirks={
                 "answers-add-provider": "a py-libp2p server sends ADD_PROVIDER back to its sender",
                 "extension-after-others": "py-libp2p puts the extension of libp2p behind others in its certificate",
                 "keeps-clients": "py-libp2p takes everyone who opens a DHT stream into its table",
                 "takes-short-seqno": "py-libp2p does not look at the length of seqno",
             }),
    ]
