"""The table of commands, and those about connections. The bench commands are not among them: see the README."""

import os
import resource
import time

from libp2p.custom_types import TProtocol
from libp2p.host.ping import ID as PING
from libp2p.peer.id import ID
from multiaddr import Multiaddr
import trio

from contract import Fault
import gossip
import kad
import streams

PING_BYTES, PING_SECONDS = 32, 20
CLOCK_TICKS_PER_SECOND, START_TIME_WORD = 100, 19


async def connect(node, request):
    start = time.perf_counter()
    peer = await node.connect(request.addr)
    return {"peerId": str(peer), "ms": (time.perf_counter() - start) * 1000}


async def disconnect(node, request):
    await node.host.disconnect(ID.from_base58(request.peerId))


async def identify(node, request):
    told = await node.identified(ID.from_base58(request.peerId))
    if told is None:
        raise Fault("no identify answer on an open connection")
    return {"agent": told.agent_version, "protocols": list(told.protocols),
            "addrs": [str(Multiaddr(addr)) for addr in told.listen_addrs],
            "observed": str(Multiaddr(told.observed_addr)) if told.observed_addr else ""}


async def ping(node, request):
    times = []
    stream = await node.host.new_stream(ID.from_base58(request.peerId), [TProtocol(PING)])
    with trio.fail_after(PING_SECONDS):
        for _ in range(max(request.n, 1)):
            sent = os.urandom(PING_BYTES)
            start = time.perf_counter()
            await stream.write(sent)
            if await streams.read_exactly(stream, PING_BYTES) != sent:
                raise Fault("a ping came back changed")
            times.append((time.perf_counter() - start) * 1e6)
    await stream.close()
    times.sort()
    return {"p50us": times[len(times) // 2], "p99us": times[int(0.99 * len(times))], "minUs": times[0]}


async def peers(node, request):
    return {"peers": [str(peer) for peer in node.host.get_connected_peers()]}


async def stats(node, request):
    usage = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/status", encoding="ascii") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    return {"rssKb": rss, "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
            "conns": sum(len(all) for all in node.network.connections.values())}


def ms_since_process_start():
    """Has the resolution of the kernel's clock tick, 10 ms."""
    with open("/proc/self/stat", encoding="ascii") as stat, open("/proc/uptime", encoding="ascii") as uptime:
        ticks = int(stat.read().rpartition(") ")[2].split()[START_TIME_WORD])
        return max(0.0, float(uptime.read().split()[0]) - ticks / CLOCK_TICKS_PER_SECOND) * 1000


COMMANDS = {
    "connect": connect, "disconnect": disconnect, "identify": identify, "ping": ping, "peers": peers,
    "subscribe": gossip.subscribe, "publish": gossip.publish, "meshpeers": gossip.mesh_peers,
    "provide": kad.provide, "findproviders": kad.find_providers, "put": kad.put, "get": kad.get,
    "findpeer": kad.find_peer, "table": kad.table, "echo": streams.echo, "stats": stats,
}
