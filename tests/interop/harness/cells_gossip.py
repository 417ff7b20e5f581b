"""Gossipsub: `one` dials `two`; in lines `two` is the middle that has to forward."""

import hashlib

from cell import cell, check
from cells_connect import link

BIG_TEXT_BYTES = 60_000


def in_mesh(topic, *pairs):
    """Waits until each pair has grafted each other."""
    for a, b in pairs:
        for here, there in ((a, b), (b, a)):
            here.poll("meshpeers", lambda m: there.peer_id in m["peers"], f"{there.label} in the mesh", topic=topic)


def publish(sender, receivers, topic, text):
    """Publishes, waits for every receiver and compares everything the event tells."""
    answer = sender.call("publish", topic=topic, text=text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    for receiver in receivers:
        got = receiver.event(lambda e: e["event"] == "msg" and e["sha256"] == digest, f"the message of {sender.label}")
        check(got["from"] == sender.peer_id, f"{receiver.label}: from {got['from']} instead of {sender.peer_id}")
        check(got["topic"] == topic and got["bytes"] == len(text.encode()), f"{receiver.label}: {got}")
        check(len(got["seqno"]) == 16, f"{receiver.label}: seqno {got['seqno']!r} is not 8 bytes")
        if answer.get("seqno"):
            check(got["seqno"] == answer["seqno"], f"{receiver.label}: seqno {got['seqno']}, sent {answer['seqno']}")
        if len(text) < 200:
            check(got.get("text") == text, f"{receiver.label}: text {got.get('text')!r}")
    return digest


def exactly_once(digest, program, times=1):
    seen = program.events(lambda e: e["event"] == "msg" and e["sha256"] == digest)
    check(len(seen) == times, f"{program.label} got a message {len(seen)} times instead of {times}")


@cell("gossip")
def gossip(run, one, two):
    topic = run.unique("topic")
    a, b = run.start_all((one, {"topics": [topic]}), (two, {"topics": [topic]}))
    link(a, b)
    in_mesh(topic, (a, b))
    sent = []
    for text in ("one line", "Ünïcödé ✓", "x" * BIG_TEXT_BYTES):
        for here, there in ((a, b), (b, a)):
            sent.append((publish(here, [there], topic, f"{here.label} says {text}"), here, there))
    for digest, sender, receiver in sent:
        exactly_once(digest, receiver)
        exactly_once(digest, sender, times=0)


@cell("gossip-late-subscribe", keys=("ed25519",))
def gossip_late_subscribe(run, one, two):
    """`one` subscribes after the connection stands; before that, and to other topics, nothing reaches it."""
    topic, other = run.unique("topic"), run.unique("other")
    a, b = run.start_all((one, {"topics": [other]}), (two, {"topics": [topic, other]}))
    link(a, b)
    in_mesh(other, (a, b))
    b.call("publish", topic=topic, text="too early")
    a.call("subscribe", topic=topic)
    in_mesh(topic, (a, b))
    publish(b, [a], topic, "in time")
    check(not a.events(lambda e: e["event"] == "msg" and e.get("text") == "too early"),
          f"{a.label} got a message from before it subscribed")


@cell("gossip-line")
def gossip_line(run, one, two):
    """one - two - one, with no connection between the ends: the middle forwards."""
    topic = run.unique("topic")
    left, middle, right = run.start_all(*[(p, {"topics": [topic]}) for p in (one, two, one)])
    link(left, middle)
    link(right, middle)
    in_mesh(topic, (left, middle), (right, middle))
    for sender, end in ((left, right), (right, left)):
        for i in range(3):
            digest = publish(sender, [middle, end], topic, f"{i} from {sender.label}")
            exactly_once(digest, middle)
            exactly_once(digest, end)
    for end in (left, right):
        check(end.call("peers")["peers"] == [middle.peer_id], f"{end.label} found a way around the middle")


@cell("gossip-triangle", symmetric=True)
def gossip_triangle(run, one, two):
    """Every message reaches everyone over two ways and is delivered once: the message ids agree."""
    topic = run.unique("topic")
    nodes = run.start_all(*[(p, {"topics": [topic]}) for p in (one, two, two, one)])
    pairs = [(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1:]]
    for a, b in pairs:
        link(a, b)
    in_mesh(topic, *pairs)
    digests = [(sender, publish(sender, [n for n in nodes if n is not sender], topic, f"{i} {sender.label}"))
               for i in range(5) for sender in nodes]
    for sender, digest in digests:
        for node in nodes:
            exactly_once(digest, node, times=0 if node is sender else 1)


def raw_then_good(run, attacker, victim, witness, topic, modes):
    """Sends bad messages, then a good one; nothing is late once the good one has come everywhere."""
    for mode in modes:
        attacker.call("publish-raw", addr=victim.addr, topic=topic, text=f"bad: {mode}", mode=mode)
    good = attacker.call("publish-raw", addr=victim.addr, topic=topic, text="good", mode="good")
    for receiver in (victim, witness):
        got = receiver.event(lambda e: e["event"] == "msg" and e.get("text") == "good", "the good message")
        check(got["from"] == good["from"] and got["seqno"] == good["seqno"], f"{receiver.label}: {got}")
    return [(receiver, e) for receiver in (victim, witness) for e in receiver.events(
        lambda e: e["event"] == "msg" and e.get("text") != "good")]


BAD_MODES = ("bad-signature", "no-signature", "bad-data", "wrong-from", "no-from", "no-seqno")


@cell("gossip-strict", helper="publish-raw")
def gossip_strict(run, one, two):
    """`one` gets badly signed messages: it delivers none, and `two`, its neighbour, sees none."""
    topic = run.unique("topic")
    victim, witness, attacker = run.start_all((one, {"topics": [topic]}), (two, {"topics": [topic]}),
                                              (run.helper, {}))
    link(witness, victim)
    in_mesh(topic, (victim, witness))
    wrong = raw_then_good(run, attacker, victim, witness, topic, BAD_MODES)
    check(not wrong, "delivered: " + ", ".join(f"{p.label} {e.get('text')!r}" for p, e in wrong))


@cell("gossip-high-s", helper="publish-raw", keys=("secp256k1",))
def gossip_high_s(run, one, two):
    """A signature with a high s is refused by implementations that promise it."""
    topic = run.unique("topic")
    victim, witness, attacker = run.start_all((one, {"topics": [topic]}), (two, {"topics": [topic]}),
                                              (run.helper, {}))
    link(witness, victim)
    in_mesh(topic, (victim, witness))
    wrong = raw_then_good(run, attacker, victim, witness, topic, ["high-s"])
    if "refuses-high-s" in one.capabilities:
        check(not wrong, f"{victim.label} let a high s pass")
    elif run.quirk(one, "takes-high-s"):
        check(any(p is victim for p, _ in wrong), f"{victim.label} refuses high s by now: drop the quirk")
