"""The end of connections and of programs: `one` dials, and each side ends it in turn."""

from cell import cell, check
from cells_connect import echo, link


def sees_end(here, there, since):
    here.event(lambda e: e["event"] == "peer:disconnect" and e["peerId"] == there.peer_id,
               f"peer:disconnect of {there.label}", since=since)


@cell("disconnect", keys=("secp256k1",))
def disconnect(run, one, two):
    a, b = run.start_all((one, {}), (two, {}))
    for ending, other in ((a, b), (b, a)):
        marks = {p.label: p.mark() for p in (a, b)}
        check(a.call("connect", addr=b.addr)["peerId"] == b.peer_id, "connected to somebody else")
        for here, there in ((a, b), (b, a)):
            here.event(lambda e: e["event"] == "peer:connect" and e["peerId"] == there.peer_id,
                       f"peer:connect of {there.label}", since=marks[here.label])
        echo(a, b, 1000, 2)
        ending.call("disconnect", peerId=other.peer_id)
        sees_end(other, ending, marks[other.label])
        sees_end(ending, other, marks[ending.label])
        check(other.call("peers")["peers"] == [], f"{other.label} still has peers")


@cell("killed", keys=("ed25519",))
def killed(run, one, two):
    """`two` is killed, once as the listener and once as the dialer; `one` notices."""
    a, listener, dialer = run.start_all((one, {}), (two, {}), (two, {}))
    link(a, listener)
    link(dialer, a)
    listener.kill()
    sees_end(a, listener, 0)
    dialer.kill()
    sees_end(a, dialer, 0)


@cell("exit", keys=("ed25519",), symmetric=True)
def exit_codes(run, one, two):
    """quit and the end of stdin end a program that has an open connection."""
    for first, second in ((one, two), (two, one)):
        a, b = run.start_all((first, {}), (second, {}))
        link(a, b)
        a.call("quit")
        check(a.exit_code() == 0, f"{a.label}: exit code {a.exit_code()} after quit")
        sees_end(b, a, 0)
        b.close_stdin()
        check(b.exit_code() == 0, f"{b.label}: exit code {b.exit_code()} after the end of stdin")
