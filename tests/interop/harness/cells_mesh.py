"""Gossip in a mesh of all implementations at once: eight nodes, most of whose neighbours are of another kind."""

import hashlib

from cell import ALL, ALL_AND_ONE, cell
from cells_connect import link
from cells_gossip import exactly_once, in_mesh

NODES = 8
OF_THE_FIRST = (0, 3, 6)  # the first implementation has these places, so that no gap opens when all of them go
STEPS = (1, 2)  # who is dialled: the next node of the ring and the one after it
DELIVERY_SECONDS = 30


def around(peers):
    """Who stands where in the ring: three of the first implementation, the others in turn between them."""
    others = [peers[1 + i % (len(peers) - 1)] for i in range(NODES - len(OF_THE_FIRST))]
    return [peers[0] if i in OF_THE_FIRST else others.pop(0) for i in range(NODES)]


def formed(run, peers, topic):
    """A ring whose nodes have four neighbours each, all of them in the mesh."""
    nodes = run.start_all(*[(peer, {"topics": [topic]}) for peer in around(peers)])
    pairs = [(node, nodes[(i + step) % NODES]) for i, node in enumerate(nodes) for step in STEPS]
    for a, b in pairs:
        link(a, b)
    in_mesh(topic, *pairs)
    return nodes


def everyone_publishes(nodes, topic, text):
    """Starts a message of each node, all at once; gives (sender, digest of the data) of each."""
    texts = [f"{text} of {node.label}" for node in nodes]
    numbers = [node.send("publish", topic=topic, text=one) for node, one in zip(nodes, texts)]
    for node, number in zip(nodes, numbers):
        node.wait_answer(number, "publish")
    return [(node, hashlib.sha256(one.encode()).hexdigest()) for node, one in zip(nodes, texts)]


def arrived(sent, nodes):
    for sender, digest in sent:
        for node in nodes:
            if node is not sender:
                node.event(lambda e: e["event"] == "msg" and e["sha256"] == digest,
                           f"the message of {sender.label}", DELIVERY_SECONDS)


def delivered_once(sent, nodes):
    for sender, digest in sent:
        for node in nodes:
            exactly_once(digest, node, times=0 if node is sender else 1)


@cell("gossip-mesh", parts=ALL)
def gossip_mesh(run, *peers):
    topic = run.unique("topic")
    nodes = formed(run, peers, topic)
    sent = []
    for i in range(3):
        sent += everyone_publishes(nodes, topic, f"message {i}")
    arrived(sent, nodes)
    last = everyone_publishes(nodes, topic, "the last message")
    arrived(last, nodes)
    delivered_once(sent + last, nodes)


@cell("gossip-mesh-death", keys=("secp256k1",), parts=ALL_AND_ONE)
def gossip_mesh_death(run, *peers_and_victim):
    """All nodes of the last implementation are killed while messages are under way; the others miss none."""
    topic = run.unique("topic")
    *peers, victim = peers_and_victim
    nodes = formed(run, peers, topic)
    dying = [node for node, peer in zip(nodes, around(peers)) if peer is victim]
    living = [node for node in nodes if node not in dying]
    sent = everyone_publishes(nodes, topic, "before")
    arrived(sent, nodes)
    numbers = [node.send("publish", topic=topic, text=f"amid {node.label}") for node in living]
    for node in dying:
        node.kill()
    for node, number in zip(living, numbers):
        node.wait_answer(number, "publish")
    sent += [(node, hashlib.sha256(f"amid {node.label}".encode()).hexdigest()) for node in living]
    for node in living:
        for gone in dying:
            node.poll("peers", lambda p: gone.peer_id not in p["peers"], f"end of {gone.label}")
    sent += everyone_publishes(living, topic, "after")
    arrived(sent, living)
    delivered_once(sent, living)
