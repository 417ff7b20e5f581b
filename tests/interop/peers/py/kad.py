"""The DHT and its commands."""

import hashlib
import sys
import time

from libp2p.custom_types import TProtocol
from libp2p.kad_dht.kad_dht import DHTMode, KadDHT
from libp2p.peer.id import ID
from libp2p.records.validator import BlankValidator, NamespacedValidator
from libp2p.tools.anyio_service import background_trio_service

from contract import NO_DHT, Fault

SHA2_256 = b"\x12\x20"
PROVIDERS_MAX = 1000


class AnyNamespace(NamespacedValidator):
    """Takes every record, and prefers the first one seen."""

    def __init__(self):
        super().__init__({})

    def validator_by_key(self, key):
        return BlankValidator()


def set_protocol(name):
    """The protocol id is a constant that the modules of the DHT have copied at their import."""
    for module in [m for n, m in sys.modules.items() if n.startswith("libp2p.kad_dht")]:
        if hasattr(module, "PROTOCOL_ID"):
            module.PROTOCOL_ID = TProtocol(name)


class Kad:
    def __init__(self, node, flags):
        set_protocol(flags.kad)
        self.node, self.name = node, flags.kad
        mode = DHTMode.CLIENT if flags.kad_mode == "client" else DHTMode.SERVER
        self.dht = KadDHT(node.host, mode, validator=AnyNamespace(), validator_changed=True,
                          max_peers_per_subnet=0)
        self.dht._provider_rate_max = sys.maxsize  # there is no parameter for it

    def services(self):
        return [background_trio_service(self.dht)]

    async def on_connected(self, peer):
        """The DHT leaves it to the application to add peers to its table: servers are those that say so."""
        told = await self.node.identified(peer)
        if told and self.name in told.protocols:
            await self.dht.add_peer(peer)


def of(node):
    if node.kad is None:
        raise Fault(NO_DHT)
    return node.kad.dht


def ms(since):
    return (time.perf_counter() - since) * 1000


def record_key(request):
    """The API has text as key; bytes that are no UTF-8 cannot be asked for."""
    if request.keyhex is not None:
        return bytes.fromhex(request.keyhex).decode()
    if request.key is None:
        raise Fault("key or keyhex is needed")
    return request.key


def provider_key(request):
    """The multihash that a provider command asks for; keyhex is taken as it stands."""
    if request.keyhex is not None:
        return bytes.fromhex(request.keyhex)
    return SHA2_256 + hashlib.sha256(record_key(request).encode()).digest()


async def provide(node, request):
    start = time.perf_counter()
    if not await of(node).provider_store.provide(provider_key(request)):
        raise Fault("nobody took the provider record")
    return {"providers": [str(node.id)], "ms": ms(start)}


async def find_providers(node, request):
    start = time.perf_counter()
    found = await of(node).provider_store.find_providers(provider_key(request), PROVIDERS_MAX)
    return {"providers": sorted({str(info.peer_id) for info in found}), "ms": ms(start)}


async def put(node, request):
    start = time.perf_counter()
    await of(node).put_value(record_key(request), bytes.fromhex(request.value))
    return {"ms": ms(start)}


async def get(node, request):
    start = time.perf_counter()
    value = await of(node).get_value(record_key(request))
    if value is None:
        raise Fault("the record was not found")
    return {"value": value.hex(), "ms": ms(start)}


async def find_peer(node, request):
    start = time.perf_counter()
    info = await of(node).find_peer(ID.from_base58(request.peerId))
    if info is None or not info.addrs:
        raise Fault("the peer was not found")
    return {"addrs": [str(addr) for addr in info.addrs], "ms": ms(start)}


async def table(node, request):
    return {"size": of(node).get_routing_table_size()}
