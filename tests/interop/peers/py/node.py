"""A running node: its host, and what the commands about connections need."""

import collections
import socket

from libp2p import create_yamux_muxer_option, new_host
from libp2p.abc import INotifee
from libp2p.crypto import ed25519, secp256k1
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as new_x25519_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host import basic_host
from libp2p.network.config import ConnectionConfig
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.rcmgr import ResourceLimits, ResourceManager
from libp2p.rcmgr.connection_limits import ConnectionLimits
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE, Transport as NoiseTransport
from libp2p.security.tls.transport import PROTOCOL_ID as TLS, TLSTransport
from multiaddr import Multiaddr
import trio

from contract import Fault, emit
from gossip import Gossip
from kad import Kad
import streams

CONNECTIONS_MAX = 1 << 20
IDENTIFY_SECONDS, DIAL_SECONDS = 10, 20


def parse_key(text):
    if not text:
        return ed25519.create_new_key_pair()
    kind, _, digits = text.partition(":")
    raw = bytes.fromhex(digits)
    if kind == "ed25519":
        return ed25519.create_new_key_pair(raw)
    if kind == "secp256k1":
        private = secp256k1.Secp256k1PrivateKey.from_bytes(raw)
        return KeyPair(private, private.get_public_key())
    raise Fault(f"unknown key type {kind!r}")


def security(kind, keys):
    if kind == "tls":
        return {TLS: TLSTransport(keys)}
    return {TProtocol(NOISE): NoiseTransport(keys, noise_privkey=new_x25519_key_pair().private_key)}


def unlimited():
    """py-libp2p has a resource manager always; this one has room for everything and counts no rates."""
    return ResourceManager(
        limits=ResourceLimits(max_connections=CONNECTIONS_MAX, max_memory_mb=1 << 20, max_streams=CONNECTIONS_MAX),
        connection_limits=ConnectionLimits(),
        enable_memory_limits=False,
        enable_circuit_breaker=False,
        enable_graceful_degradation=False,
        enable_rate_limiting=False,
        enable_metrics=False,
    )


def distinct(addrs):
    """py-libp2p opens one listener for equal addresses, also for those that leave the port open."""
    found = []
    for addr in addrs:
        if addr in found and addr.endswith("/tcp/0"):
            with socket.create_server(("127.0.0.1", 0)) as free:
                addr = addr.removesuffix("0") + str(free.getsockname()[1])
        found.append(addr)
    return [Multiaddr(addr) for addr in found]


def identify_answers():
    """
    Answers to identify by peer. The host asks each peer once and keeps only a part of the answer; to ask a second
    time beside it is no way around that: js-libp2p takes one such stream at a time.
    """
    told, take = {}, basic_host.update_peerstore_from_identify

    async def keep(peerstore, peer, answer):
        told[peer] = answer
        await take(peerstore, peer, answer)

    basic_host.update_peerstore_from_identify = keep
    return told


class Node:
    """Owned by main; everything runs in its nursery."""

    def __init__(self, flags, nursery):
        self.flags, self.nursery = flags, nursery
        self.told = identify_answers()
        keys = parse_key(flags.key)
        self.host = new_host(
            key_pair=keys,
            sec_opt=security(flags.sec, keys),
            muxer_opt=create_yamux_muxer_option(),
            resource_manager=unlimited(),
            connection_config=ConnectionConfig(
                max_connections=CONNECTIONS_MAX, high_watermark=CONNECTIONS_MAX, min_connections=0,
                low_watermark=0),
        )
        self.id = self.host.get_id()
        self.kad = Kad(self, flags) if flags.kad else None
        self.gossip = Gossip(self, flags.topics) if flags.topics is not None else None
        self.host.get_network().register_notifee(Watcher(self))
        streams.serve(self.host)

    @property
    def network(self):
        return self.host.get_network()

    def addrs(self):
        tail = f"/p2p/{self.id}"
        return [str(addr).removesuffix(tail) + tail for addr in self.host.get_transport_addrs()]

    async def connect(self, addr):
        info = info_from_p2p_addr(Multiaddr(addr))
        with trio.fail_after(DIAL_SECONDS):
            await self.host.connect(info)
        return info.peer_id

    async def target(self, request):
        """The peer of a command that takes addr or peerId; addr is dialled first."""
        return await self.connect(request.addr) if request.addr else ID.from_base58(request.peerId)

    async def identified(self, peer):
        """What identify has told of a peer, when it has; None without a connection."""
        with trio.move_on_after(IDENTIFY_SECONDS):
            while self.network.get_connections(peer):
                if peer in self.told:
                    return self.told[peer]
                await trio.sleep(0.02)
        return None


class Watcher(INotifee):
    """Tells when a peer gets its first and loses its last connection."""

    def __init__(self, node):
        self.node = node
        self.open = collections.Counter()

    async def connected(self, network, conn):
        peer = conn.muxed_conn.peer_id
        self.open[peer] += 1
        if self.open[peer] == 1:
            emit(event="peer:connect", peerId=str(peer))
            if self.node.kad:
                self.node.nursery.start_soon(self.node.kad.on_connected, peer)

    async def disconnected(self, network, conn):
        peer = conn.muxed_conn.peer_id
        self.open[peer] -= 1
        if self.open[peer] == 0:
            del self.open[peer]
            emit(event="peer:disconnect", peerId=str(peer))

    async def opened_stream(self, network, stream):
        pass

    async def closed_stream(self, network, stream):
        pass

    async def listen(self, network, multiaddr):
        pass

    async def listen_close(self, network, multiaddr):
        pass
