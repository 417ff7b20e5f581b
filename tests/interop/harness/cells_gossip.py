"""Gossipsub: `one` dials `two`; in lines `two` is the middle that has to forward."""

import hashlib

from cell import cell, check
from cells_connect import link

BIG_TEXT_BYTES = 60_000


def in_mesh(topic, *pairs):
    """Waits until each pair has grafted each other."""
    for a, b in pairs:
        for here, there in ((a, b), (b, a)):
            here.poll("meshpeers", lambda m: there.peer_id in m["peers"], f"{there.label} in the mesh",
                      topic=topic)


def publish(sender, receivers, topic, text):
    """Publishes, waits for every receiver and compares everything the event tells."""
    answer = sender.call("publish", topic=topic, text=text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    for receiver in receivers:
        got = receiver.event(lambda e: e["event"] == "msg" and e["sha256"] == digest,
                             f"the message of {sender.label}")
        check(got["from"] == sender.peer_id,
              f"{receiver.label}: from {got['from']} instead of {sender.peer_id}")
        check(got["topic"] == topic and got["bytes"] == len(text.encode()), f"{receiver.label}: {got}")
        check(len(got["seqno"]) == 16, f"{receiver.label}: seqno {got['seqno']!r} is not 8 bytes")
        if answer.get("seqno"):
            check(got["seqno"] == answer["seqno"],
                  f"{receiver.label}: seqno {got['seqno']}, sent {answer['seqno']}")
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
    """`one` subscribes after the connection stands; before that nothing of the topic reaches it."""
    topic, other = run.unique("topic"), run.unique("other")
    a, b = run.start_all((one, {"topics": [other]}), (two, {"topics": [topic, other]}))
    link(a, b)
    in_mesh(other, (a, b))
    b.call("publish", topic=topic, text="too early")
    publish(b, [a], other, "a later message of another topic")
    check(not a.events(lambda e: e["event"] == "msg" and e["topic"] == topic),
          f"{a.label} got a message of a topic it has not subscribed to")
    a.call("subscribe", topic=topic)
    in_mesh(topic, (a, b))
    publish(b, [a], topic, "in time")


@cell("gossip-fanout", keys=("ed25519",))
def gossip_fanout(run, one, two):
    """`one` publishes to a topic that it is not subscribed to itself."""
    topic, other = run.unique("topic"), run.unique("other")
    a, b = run.start_all((one, {"topics": [other]}), (two, {"topics": [topic, other]}))
    link(a, b)
    in_mesh(other, (a, b))  # by then the subscriptions of b have reached a
    for i in range(3):
        digest = publish(a, [b], topic, f"fanout {i}")
        exactly_once(digest, b)
        exactly_once(digest, a, times=0)


@cell("gossip-line", keys=("secp256k1",))
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


@cell("gossip-triangle", keys=("ed25519",), symmetric=True)
def gossip_triangle(run, one, two):
    """Every message reaches everyone over two ways and is delivered once."""
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


@cell("gossip-iwant", keys=("secp256k1",), helper="raw-gossip")
def gossip_iwant(run, one, two):
    """The message id is from ‖ seqno: who asks both sides for it by IWANT gets the message from both."""
    topic = run.unique("topic")
    a, b, asker = run.start_all((one, {"topics": [topic]}), (two, {"topics": [topic]}), (run.helper, {}))
    link(a, b)
    in_mesh(topic, (a, b))
    digest = publish(a, [b], topic, "ask me for this")
    seqno = b.events(lambda e: e["event"] == "msg")[0]["seqno"]
    for source in (a, b):
        got = asker.call("fetch-raw", addr=source.addr, **{"from": a.peer_id}, seqno=seqno)
        check(got["sha256"] == digest, f"{source.label} sent something else: {got}")
    asker.refuse("fetch-raw", addr=b.addr, **{"from": b.peer_id}, seqno=seqno, seconds=1.5)


# What is wrong with a message, and the name of the quirk of an implementation that takes it all the same.
BAD_MODES = {
    "bad-signature": None,
    "no-signature": None,
    "bad-data": None,
    "wrong-from": None,
    "no-from": None,
    "no-seqno": "takes-missing-seqno",
    "short-seqno": "takes-short-seqno",
    "high-s": "takes-high-s",
}


@cell("gossip-strict", helper="raw-gossip")
def gossip_strict(run, one, two):
    """
    `one` gets messages that are badly signed or badly formed: it delivers none and `two`, its neighbour, sees
    none. Nothing is late: each came before a good message, which has to arrive everywhere. What `one` is known to
    take comes after that, because `two` may turn away from who sends it such a message on.
    """
    topic = run.unique("topic")
    victim, witness, attacker = run.start_all((one, {"topics": [topic]}), (two, {"topics": [topic]}),
                                              (run.helper, {}))
    link(witness, victim)
    in_mesh(topic, (victim, witness))
    modes = [m for m in BAD_MODES if m != "high-s" or run.case.key == "secp256k1"]
    lets_pass = {m for m in modes if BAD_MODES[m] and run.quirk(one, BAD_MODES[m])}

    def attack(bad, good_text, receivers):
        for mode in bad:
            attacker.call("publish-raw", addr=victim.addr, topic=topic, text=mode, mode=mode)
        good = attacker.call("publish-raw", addr=victim.addr, topic=topic, text=good_text, mode="good")
        for receiver in receivers:
            got = receiver.event(lambda e: e["event"] == "msg" and e.get("text") == good_text, "the good message")
            check(got["from"] == good["from"] and got["seqno"] == good["seqno"], f"{receiver.label}: {got}")

    def delivered(program):
        texts = {e.get("text") for e in program.events(lambda e: e["event"] == "msg")}
        return texts - {"good", "good again"}

    attack([m for m in modes if m not in lets_pass], "good", (victim, witness))
    for program in (victim, witness):
        check(not delivered(program), f"{program.label} delivered {sorted(delivered(program))}")
    if lets_pass:
        attack([m for m in modes if m in lets_pass], "good again", (victim,))
        check(delivered(victim) == lets_pass,
              f"{victim.label} delivered {sorted(delivered(victim))}; expected {sorted(lets_pass)}")
    may_come_on = {m for m in lets_pass if BAD_MODES[m] in two.quirks}
    check(delivered(witness) <= may_come_on,
          f"{witness.label} delivered {sorted(delivered(witness))}; expected at most {sorted(may_come_on)}")
