"""p2pclient against `starling p2pd`: every call that it has. One JSON object a line on stdout.

Started by run.py with the interpreter of its own environment; STARLING names the program.
"""
from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback

import anyio
from multiaddr import Multiaddr
from p2pclient.exceptions import ControlFailure
from p2pclient.libp2p_stubs.peer.id import ID
from p2pclient.p2pclient import Client
from p2pclient.pb import p2pd_pb2
from p2pclient.utils import get_unused_tcp_port, read_pbmsg_safe

CID = bytes.fromhex("01551220") + b"\x07" * 32
NOBODY = ID(bytes.fromhex("1220") + b"\x09" * 32)
CASES = []


def say(**fields):
    print(json.dumps(fields), flush=True)


def case(*flags):
    """A test that gets three daemons with these flags, each with its client."""

    def add(function):
        CASES.append((function, flags))
        return function

    return add


@contextlib.asynccontextmanager
async def daemon(folder: str, number: int, over_unix: bool, flags):
    if over_unix:
        control, handlers = (Multiaddr(f"/unix{folder}/{kind}-{number}.sock") for kind in ("control", "handlers"))
    else:
        control, handlers = (Multiaddr(f"/ip4/127.0.0.1/tcp/{get_unused_tcp_port()}") for _ in range(2))
    command = [os.environ["STARLING"], "p2pd", f"-listen={control}", "-hostAddrs=/ip4/127.0.0.1/tcp/0", *flags]
    program = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        lines = [program.stdout.readline().decode() for _ in range(4)]
        assert lines[0] == f"Control socket: {control}\n" and lines[1].startswith("Peer ID: "), lines
        assert lines[2] == "Peer Addrs:\n" and lines[3].startswith("/ip4/127.0.0.1/tcp/"), lines
        client = Client(control_maddr=control, listen_maddr=handlers)
        async with client.listen():
            yield client
    finally:
        program.terminate()
        assert program.wait(20) == 0x80 + 15
        program.stdout.close()


async def until(holds):
    with anyio.fail_after(20):
        while not await holds():
            await anyio.sleep(0.05)


async def connect(one: Client, other: Client):
    own, _ = await one.identify()
    peer, addresses = await other.identify()
    await one.connect(peer, addresses)

    async def both_say_so():
        ones = [info.peer_id for info in await one.list_peers()]
        others = [info.peer_id for info in await other.list_peers()]
        return peer in ones and own in others

    await until(both_say_so)


async def refused(call):
    try:
        await call
    except ControlFailure:
        return
    raise AssertionError("it was not refused")


@case()
async def identify_connect_list_disconnect(a, b, c):
    peer, addresses = await b.identify()
    assert len(addresses) == 1
    await refused(a.connect(NOBODY, addresses))
    await refused(a.connect(peer, []))
    await refused(a.connect(peer, [Multiaddr("/ip4/127.0.0.1/udp/0")]))
    assert await a.list_peers() == ()
    await connect(a, b)
    await connect(a, c)
    assert len(await a.list_peers()) == 2 and len(await b.list_peers()) == 1
    await a.disconnect(NOBODY)
    await a.disconnect(peer)
    assert len(await a.list_peers()) == 1
    await a.disconnect(peer)


@case()
async def streams_and_handlers(a, b, c):
    peer, addresses = await b.identify()
    own, _ = await a.identify()
    await connect(a, b)
    await refused(a.stream_open(peer, ("123",)))
    heard = {}

    async def echo(info, stream):
        heard[info.proto] = info.peer_id
        async for data in stream:
            await stream.send(data)
        await stream.aclose()

    await b.stream_handler("123", echo)
    await b.stream_handler("/other/1", echo)
    await refused(a.stream_open(peer, ("/another/1",)))
    for protocols in (("123",), ("/nobody/1", "/other/1")):
        info, stream = await a.stream_open(peer, protocols)
        assert info.peer_id == peer and info.addr in addresses and info.proto == protocols[-1]
        sent = os.urandom(1 << 20)
        received = bytearray()
        async with anyio.create_task_group() as tasks:

            async def send():
                await stream.send(sent)
                await stream.send_eof()

            tasks.start_soon(send)
            async for data in stream:
                received += data
        assert received == sent
        await stream.aclose()
    assert heard == {"123": own, "/other/1": own}


@case("-dhtServer=true")
async def dht(a, b, c):
    await refused(a.dht_get_value(b"/123/456"))
    await refused(a.dht_search_value(b"/123/456"))
    await connect(a, b)
    await connect(b, c)
    peer_b, _ = await b.identify()
    peer_c, addresses_c = await c.identify()

    async def found():
        try:
            return (await a.dht_find_peer(peer_c)).addrs
        except ControlFailure:
            return False

    await until(found)
    info = await a.dht_find_peer(peer_c)
    assert info.peer_id == peer_c and set(info.addrs) == set(addresses_c)
    await refused(a.dht_find_peer(NOBODY))
    await refused(a.dht_find_peers_connected_to_peer(peer_c))
    assert set(await a.dht_get_closest_peers(b"123")) == {peer_b, peer_c}
    key = await a.dht_get_public_key(peer_b)
    assert key != await a.dht_get_public_key(peer_c)
    await refused(a.dht_get_public_key(NOBODY))

    name, value = b"/pk/" + peer_b.to_bytes(), key.SerializeToString()
    assert await a.dht_search_value(name) == ()
    await a.dht_put_value(name, value)
    assert await c.dht_get_value(name) == value
    assert await c.dht_search_value(name) == (value,)
    await refused(a.dht_put_value(b"/123/456", b"/123/456"))

    assert await a.dht_find_providers(CID, 100) == ()
    await c.dht_provide(CID)

    async def provided():
        return await a.dht_find_providers(CID, 100)

    await until(provided)
    assert [info.peer_id for info in await a.dht_find_providers(CID, 100)] == [peer_c]


@case("-connManager=true", "-connLo=1", "-connHi=2", "-connGrace=0")
async def connection_manager(a, b, c):
    peer_b, _ = await b.identify()
    peer_c, _ = await c.identify()
    own, _ = await a.identify()
    await connect(a, b)
    await connect(a, c)
    for peer in (own, NOBODY):
        await a.connmgr_tag_peer(peer, "123", 123)
        await a.connmgr_untag_peer(peer, "123")
    await a.connmgr_tag_peer(peer_b, "123", 1)
    await a.connmgr_tag_peer(peer_c, "123", 2)
    await a.connmgr_trim()
    assert [info.peer_id for info in await a.list_peers()] == [peer_c]


@case("-pubsub=true", "-pubsubRouter=gossipsub")
async def pubsub(a, b, c):
    peer_a, _ = await a.identify()
    peer_b, _ = await b.identify()
    assert await a.pubsub_get_topics() == () and await a.pubsub_list_peers("topic") == ()
    await a.pubsub_publish("another topic", b"to nobody")
    await connect(a, b)
    await connect(b, c)
    streams = [await client.pubsub_subscribe("topic") for client in (a, b, c)]
    assert await a.pubsub_get_topics() == ("topic",)

    async def a_and_c_are_heard_of():
        return len(await b.pubsub_list_peers("topic")) == 2

    await until(a_and_c_are_heard_of)
    sent = [b"%d" % number for number in range(10)]
    for data in sent:
        await a.pubsub_publish("topic", data)
    for stream in streams:
        heard = []
        for _ in sent:
            message = p2pd_pb2.PSMessage()
            await read_pbmsg_safe(stream, message)
            assert ID(getattr(message, "from")) == peer_a and list(message.topicIDs) == ["topic"]
            heard.append(message.data)
        assert sorted(heard) == sent
    await streams[0].aclose()

    async def a_has_left():
        return await a.pubsub_get_topics() == () and peer_a not in await b.pubsub_list_peers("topic")

    await until(a_has_left)


async def run_case(function, flags, over_unix: bool):
    with tempfile.TemporaryDirectory(prefix="starling-p2pd-") as folder:
        with anyio.fail_after(60):
            async with contextlib.AsyncExitStack() as stack:
                clients = [await stack.enter_async_context(daemon(folder, number, over_unix, flags)) for number in range(3)]
                await function(*clients)


def main() -> int:
    failures = 0
    for function, flags in CASES:
        for over_unix in (True, False):
            name = f"p2pclient: {function.__name__} over {'unix' if over_unix else 'ip4'}"
            started = time.monotonic()
            try:
                anyio.run(run_case, function, flags, over_unix)
                say(passed=name, ms=round((time.monotonic() - started) * 1000))
            except BaseException:
                failures += 1
                say(failed=name, error=traceback.format_exc())
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
