"""/echo/1.0.0, /rr/1.0.0 and /perf/1.0.0, and the command echo."""

import hashlib
import struct
import time

from libp2p.custom_types import TProtocol
from libp2p.network.stream.exceptions import StreamEOF
import trio

from contract import Fault

ECHO, RR, PERF = TProtocol("/echo/1.0.0"), TProtocol("/rr/1.0.0"), TProtocol("/perf/1.0.0")
BLOCK_BYTES, RR_BYTES, STREAM_SECONDS = 64 << 10, 64, 120


def serve(host):
    for protocol, handle in ((ECHO, serve_echo), (RR, serve_rr), (PERF, serve_perf)):
        host.set_stream_handler(protocol, finish(handle))


def finish(handle):
    """Resets a stream whose handler failed and closes it otherwise."""
    async def handler(stream):
        try:
            await handle(stream)
        except Exception:
            await stream.reset()
            raise
        await stream.close()
    return handler


async def read_some(stream, count=BLOCK_BYTES):
    """Up to count bytes; none at the end of the stream."""
    try:
        return await stream.read(count)
    except StreamEOF:
        return b""


async def read_exactly(stream, count):
    data = b""
    while len(data) < count:
        part = await read_some(stream, count - len(data))
        if not part:
            raise Fault(f"the stream ended after {len(data)} of {count} bytes")
        data += part
    return data


async def serve_echo(stream):
    while block := await read_some(stream):
        await stream.write(block)


async def serve_rr(stream):
    await stream.write(await read_exactly(stream, RR_BYTES))


async def serve_perf(stream):
    left, = struct.unpack(">Q", await read_exactly(stream, 8))
    while await read_some(stream):
        pass
    while left:
        await stream.write(bytes(min(left, BLOCK_BYTES)))
        left -= min(left, BLOCK_BYTES)


def pseudo_random(seed, count):
    """The byte sequence of the echo command: xorshift32, little-endian words."""
    x, words = seed or 1, []
    for _ in range((count + 3) // 4):
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        words.append(x)
    return struct.pack(f"<{len(words)}I", *words)[:count]


async def echo(node, request):
    """Writes while it reads: the other side may stop reading when nobody takes its answer."""
    peer = await node.target(request)
    data, back = pseudo_random(request.seed, request.bytes), bytearray()
    start = time.perf_counter()

    async def write():
        for at in range(0, len(data), BLOCK_BYTES):
            await stream.write(data[at:at + BLOCK_BYTES])
        await stream.close_write()

    with trio.fail_after(STREAM_SECONDS):
        stream = await node.host.new_stream(peer, [ECHO])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            while block := await read_some(stream):
                back += block
    took = (time.perf_counter() - start) * 1000
    if back != data:
        raise Fault(f"echo differs from what was sent: {len(back)} of {len(data)} bytes")
    return {"ms": took, "bytes": len(back), "sha256": hashlib.sha256(back).hexdigest()}
