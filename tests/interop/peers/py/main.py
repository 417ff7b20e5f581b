"""py-peer speaks the Starling peer contract on top of py-libp2p."""

import contextlib
import os
import sys

import trio

from commands import COMMANDS, ms_since_process_start
from contract import Fault, Request, emit, parse_flags
from node import Node, distinct


async def answer(node, request):
    """Runs one command; whatever a library raises in it is the answer's error."""
    try:
        if request.cmd not in COMMANDS:
            raise Fault(f"unknown command {request.cmd!r}")
        fields = await COMMANDS[request.cmd](node, request) or {}
    except Exception as error:
        emit(id=request.id, ok=False, error=f"{type(error).__name__}: {error}")
    else:
        emit(id=request.id, ok=True, **fields)


async def serve(node):
    """Reads commands until stdin ends or quit; commands run side by side."""
    while line := await trio.to_thread.run_sync(sys.stdin.readline):
        try:
            request = Request.parse(line)
        except (TypeError, ValueError) as error:
            emit(id=None, ok=False, error=str(error))
            continue
        if request.cmd == "quit":
            emit(id=request.id, ok=True)
            return
        node.nursery.start_soon(answer, node, request)


async def bootstrap(node, addrs):
    for addr in addrs:
        try:
            await node.connect(addr)
        except Exception as error:
            print(f"bootstrap: {error!r}", file=sys.stderr)


async def main():
    flags = parse_flags(sys.argv[1:])
    async with trio.open_nursery() as nursery, contextlib.AsyncExitStack() as stack:
        node = Node(flags, nursery)
        await stack.enter_async_context(node.host.run(listen_addrs=distinct(flags.listen)))
        for part in filter(None, (node.kad, node.gossip)):
            for service in part.services():
                await stack.enter_async_context(service)
        if node.gossip:
            await node.gossip.start()
        emit(event="ready", peerId=str(node.id), addrs=node.addrs(), pid=os.getpid(),
             startMs=ms_since_process_start())
        await bootstrap(node, flags.bootstrap)
        await serve(node)
        # Services and connections end with the process; nothing is left to be written.
        os._exit(0)


if __name__ == "__main__":
    trio.run(main)
