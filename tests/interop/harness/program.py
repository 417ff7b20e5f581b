"""One running peer program: starts it, speaks the JSON-lines contract, always ends it."""

import collections
import json
import os
import signal
import subprocess
import threading
import time

READY_SECONDS = 30
ANSWER_SECONDS = 30
EVENT_SECONDS = 15
LOG_LINES_MAX = 60


_alive = set()


class CellFailure(Exception):
    """Something a peer did, or failed to do, that the cell does not allow."""


class Program:
    """
    A child process. Two threads read its output; calls come from the thread of the cell.
    Events are kept from the start, so that a wait never misses one that came early.
    """

    def __init__(self, label, argv, cwd=None):
        self.label = label
        self.log = collections.deque(maxlen=LOG_LINES_MAX)
        self._changed = threading.Condition()
        self._answers = {}
        self._events = []
        self._next_id = 0
        self._eof = False
        self._child = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, start_new_session=True)
        _alive.add(self)
        self._readers = [threading.Thread(target=self._read_stdout, daemon=True),
                         threading.Thread(target=self._read_stderr, daemon=True)]
        for reader in self._readers:
            reader.start()
        self.ready = None

    def wait_ready(self):
        self.ready = self.event(lambda e: e["event"] == "ready", "the ready line", READY_SECONDS)
        self.peer_id = self.ready["peerId"]
        self.addrs = self.ready["addrs"]
        return self

    @property
    def pid(self):
        return self._child.pid

    @property
    def addr(self):
        if not self.addrs:
            raise CellFailure(f"{self.label} listens nowhere")
        return self.addrs[0]

    def call(self, cmd, timeout=ANSWER_SECONDS, **arguments):
        """Sends a command and gives the answer; an answer with ok false fails the cell."""
        return self.wait_answer(self.send(cmd, **arguments), cmd, timeout)

    def refuse(self, cmd, timeout=ANSWER_SECONDS, **arguments):
        """Like call, for a command that has to fail; gives the error text."""
        answer = self.answer(cmd, timeout, **arguments)
        if answer.get("ok"):
            raise CellFailure(f"{self.label}: {cmd} should have failed but answered {answer}")
        return str(answer.get("error", ""))

    def answer(self, cmd, timeout=ANSWER_SECONDS, **arguments):
        """Like call, for a command that may fail: the answer either way."""
        return self._answer(self.send(cmd, **arguments), cmd, timeout)

    def send(self, cmd, **arguments):
        with self._changed:
            self._next_id += 1
            number = self._next_id
        line = json.dumps({"id": number, "cmd": cmd, **arguments}) + "\n"
        try:
            self._child.stdin.write(line.encode())
            self._child.stdin.flush()
        except (OSError, ValueError) as error:
            raise CellFailure(f"{self.label}: cannot send {cmd}: {error}") from error
        return number

    def wait_answer(self, number, cmd, timeout=ANSWER_SECONDS):
        answer = self._answer(number, cmd, timeout)
        if not answer.get("ok"):
            raise CellFailure(f"{self.label}: {cmd} failed: {answer.get('error')}")
        return answer

    def _answer(self, number, cmd, timeout):
        self._wait(lambda: number in self._answers, f"the answer to {cmd}", timeout)
        return self._answers.pop(number)

    def event(self, wanted, what, timeout=EVENT_SECONDS, since=0):
        """The first event from index `since` on for which wanted(event) holds."""
        found = []

        def look():
            found[:] = [e for e in self._events[since:] if wanted(e)][:1]
            return bool(found)

        self._wait(look, what, timeout)
        return found[0]

    def events(self, wanted=lambda e: True, since=0):
        with self._changed:
            return [e for e in self._events[since:] if wanted(e)]

    def mark(self):
        """An index for `since`: only what comes after this call."""
        with self._changed:
            return len(self._events)

    def poll(self, cmd, good, what, timeout=EVENT_SECONDS, **arguments):
        """Repeats a command until good(answer) holds; for states that have no event."""
        end = time.monotonic() + timeout
        while True:
            answer = self.call(cmd, **arguments)
            if good(answer):
                return answer
            if time.monotonic() > end:
                raise CellFailure(f"{self.label}: no {what} within {timeout} s; the last answer was {answer}")
            time.sleep(0.1)

    def kill(self):
        """SIGKILL, as a crash would look to the others."""
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._child.wait(timeout=10)

    def close_stdin(self):
        try:
            self._child.stdin.close()
        except OSError:
            pass

    def exit_code(self, timeout=10):
        try:
            return self._child.wait(timeout=timeout)
        except subprocess.TimeoutExpired as expired:
            raise CellFailure(f"{self.label}: still running after {timeout} s") from expired

    def end(self):
        """Whatever the state: the process is gone and its pipes are closed afterwards."""
        _alive.discard(self)
        self.close_stdin()
        self.kill()
        for reader in self._readers:
            reader.join(timeout=5)
        self._child.stdout.close()
        self._child.stderr.close()

    def _wait(self, done, what, timeout):
        end = time.monotonic() + timeout
        with self._changed:
            while not done():
                left = end - time.monotonic()
                if self._eof:
                    raise CellFailure(f"{self.label}: the program ended while waiting for {what}")
                if left <= 0:
                    raise CellFailure(f"{self.label}: no sign of {what} within {timeout} s")
                self._changed.wait(left)

    def _read_stdout(self):
        for raw in self._child.stdout:
            text = raw.decode("utf-8", "replace").rstrip("\n")
            self.log.append("out " + text[:500])
            try:
                message = json.loads(text)
            except ValueError:
                self.log.append("harness: the line above is not JSON")
                continue
            with self._changed:
                if "event" in message:
                    self._events.append(message)
                else:
                    self._answers[message.get("id")] = message
                self._changed.notify_all()
        with self._changed:
            self._eof = True
            self._changed.notify_all()

    def _read_stderr(self):
        for raw in self._child.stderr:
            self.log.append("err " + raw.decode("utf-8", "replace").rstrip("\n")[:500])


def kill_all():
    """For a harness that is interrupted: kills every program that still runs."""
    for program in list(_alive):
        program.kill()
