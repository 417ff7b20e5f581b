"""Gossipsub and its commands."""

import hashlib
import time

from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID, PROTOCOL_ID_V11, PROTOCOL_ID_V12, GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service

from contract import NO_GOSSIP, Fault, emit

TEXT_BYTES_MAX = 256
SEQNO_BYTES = 8


class Gossip:
    """The router with the degrees of the specification, a heartbeat each second and no rates or scores of its own."""

    def __init__(self, node, topics):
        self.node, self.wanted, self.subscribed = node, topics, set()
        self.router = GossipSub(
            protocols=[PROTOCOL_ID_V12, PROTOCOL_ID_V11, PROTOCOL_ID],
            degree=6, degree_low=5, degree_high=12,
            heartbeat_interval=1,
            adaptive_gossip_enabled=False, spam_protection_enabled=False, eclipse_protection_enabled=False,
        )
        self.pubsub = Pubsub(node.host, self.router, strict_signing=True, msg_id_constructor=message_id)

    def services(self):
        return [background_trio_service(self.pubsub), background_trio_service(self.router)]

    async def start(self):
        await self.pubsub.wait_until_ready()
        for topic in self.wanted:
            await self.subscribe(topic)

    async def subscribe(self, topic):
        if topic not in self.subscribed:
            self.subscribed.add(topic)
            self.node.nursery.start_soon(self.read, topic, await self.pubsub.subscribe(topic))

    async def read(self, topic, subscription):
        async for message in subscription:
            if message.from_id != self.node.id.to_bytes():
                tell(topic, message)


def message_id(message):
    return message.from_id + message.seqno


def tell(topic, message):
    fields = {"topic": topic, "from": str(ID(message.from_id)), "seqno": message.seqno.hex(),
              "bytes": len(message.data), "sha256": hashlib.sha256(message.data).hexdigest(),
              "t": int(time.time() * 1000)}
    if len(message.data) <= TEXT_BYTES_MAX:
        try:
            fields["text"] = message.data.decode()
        except UnicodeDecodeError:
            pass
    emit(event="msg", **fields)


def of(node):
    if node.gossip is None:
        raise Fault(NO_GOSSIP)
    return node.gossip


async def subscribe(node, request):
    await of(node).subscribe(request.topic)


async def publish(node, request):
    pubsub = of(node).pubsub
    if request.text is None and request.hex is None:
        raise Fault("text or hex is needed")
    data = request.text.encode() if request.text is not None else bytes.fromhex(request.hex)
    seqno = pubsub.counter + 1  # publish takes the next number before it waits for anything
    await pubsub.publish(request.topic, data)
    return {"seqno": seqno.to_bytes(SEQNO_BYTES, "big").hex()}


async def mesh_peers(node, request):
    return {"peers": [str(peer) for peer in of(node).router.mesh.get(request.topic, ())]}
