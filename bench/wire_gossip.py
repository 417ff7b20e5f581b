"""The gossip rows of `./x bench wire`: one publisher, and subscribers that are all connected to it."""

import time
from collections.abc import Callable

from wire_bench import COMMAND_SECONDS, Bench, CellFailure, Peer, Program, Size, call, spent

TOPIC = "bench"
FANOUT_THREADS = 2  # of the only process there is
MESH_SECONDS = 30
QUIET_SECONDS = 0.3
QUIET_SHARE_MAX = 0.1  # of a core: heartbeats and timers of an idle process
PACE_SECONDS = 0.02
PACE_SHARE_MIN = 0.9  # of the rate that was wanted; below it the sample says nothing about that rate


def fanout(bench: Bench, publisher: Peer, subscriber: Peer, size: Size) -> dict[str, float]:
    """One process is all of them: what it used between the first publication and the last delivery is its own to tell."""
    del subscriber
    program = bench.start(publisher, None, threads=FANOUT_THREADS)
    wanted = size.fanout * size.fanout_messages
    done = call(program, "bench-fanout", n=size.fanout, count=size.fanout_messages, size=1024,
                warm=max(size.fanout_messages // 20, 10))
    if done["deliveries"] != wanted or done["distinct"] != wanted:
        raise CellFailure(f"{publisher.name}: {done['deliveries']} deliveries of {wanted}, {done['distinct']} of them distinct")
    return {"rate": wanted / done["seconds"], "cpu_us": 1000 * done["cpuMs"] / wanted}


def mesh(bench: Bench, publisher: Peer, subscriber: Peer, size: Size) -> tuple[Program, list[Program]]:
    source = bench.start(publisher, None, "--topics", TOPIC)
    sinks = [bench.start(subscriber, None, "--topics", TOPIC) for _ in range(size.subscribers)]
    for sink in sinks:
        call(sink, "connect", addr=source.addr)
    for sink in sinks:
        sink.poll("meshpeers", lambda answer: source.peer_id in answer["peers"], "mesh", MESH_SECONDS, topic=TOPIC)
    return source, sinks


def gossip(size_bytes: int) -> Callable[[Bench, Peer, Peer, Size], dict[str, float]]:
    def run(bench: Bench, publisher: Peer, subscriber: Peer, size: Size) -> dict[str, float]:
        source, sinks = mesh(bench, publisher, subscriber, size)
        deliver(source, sinks, max(size.messages // 20, 10), at_once(size_bytes))
        with spent(source, *sinks) as cpu:
            done = deliver(source, sinks, size.messages, at_once(size_bytes))
        deliveries = size.messages * len(sinks)
        return {"rate": deliveries / done["seconds"], "cpu_us": 1e6 * sum(cpu) / deliveries,
                "sink_cpu_us": 1e6 * sum(cpu[1:]) / deliveries, "p99": done["p99"]}
    return run


def gossip_half(size_bytes: int) -> Callable[[Bench, Peer, Peer, Size], dict[str, float]]:
    """At half the rate that the same processes have just reached: nothing queues, and nobody waits for work either."""
    def run(bench: Bench, publisher: Peer, subscriber: Peer, size: Size) -> dict[str, float]:
        source, sinks = mesh(bench, publisher, subscriber, size)
        deliver(source, sinks, max(size.messages // 20, 10), at_once(size_bytes))
        half = size.messages / deliver(source, sinks, size.messages, at_once(size_bytes))["seconds"] / 2
        count = max(int(half * size.seconds), 10)
        with spent(source, *sinks) as cpu:
            done = deliver(source, sinks, count, paced(half, size_bytes))
        if count / done["seconds"] < PACE_SHARE_MIN * half:
            raise CellFailure(f"{source.label}: {count / done['seconds']:.0f} messages a second, not {half:.0f}")
        deliveries = count * len(sinks)
        return {"rate": deliveries / done["seconds"], "cpu_us": 1e6 * sum(cpu) / deliveries,
                "sink_cpu_us": 1e6 * sum(cpu[1:]) / deliveries, "p50": done["p50"], "p99": done["p99"]}
    return run


def at_once(size_bytes: int) -> Callable[[Program, int], None]:
    return lambda source, count: call(source, "bench-pub", topic=TOPIC, n=count, size=size_bytes)


def paced(per_second: float, size_bytes: int) -> Callable[[Program, int], None]:
    """In small steps, so that what is published together is about what a step of time is worth."""
    def publish(source: Program, count: int) -> None:
        began = time.monotonic()
        sent = step = 0
        while sent < count:
            due = min(int((time.monotonic() - began + PACE_SECONDS) * per_second), count)
            if due > sent:
                call(source, "bench-pub", topic=TOPIC, n=due - sent, size=size_bytes)
                sent = due
            step += 1
            time.sleep(max(began + step * PACE_SECONDS - time.monotonic(), 0))
    return publish


def deliver(source: Program, sinks: list[Program], count: int, publish: Callable[[Program, int], None]) -> dict[str, float]:
    """
    Publishes `count` messages and waits until every sink has them all, each once: the seconds from the first publication
    to the last delivery, and p50 and p99 of the slowest sink in ms.
    """
    for sink in sinks:
        call(sink, "counter", on=True)
    began = time.time() * 1000
    publish(source, count)
    wait_until_idle(sinks)
    answers = [call(sink, "counter", on=False) for sink in sinks]
    for sink, answer in zip(sinks, answers, strict=True):
        if answer["count"] != count or answer["distinct"] != count:
            raise CellFailure(f"{sink.label}: {answer['count']} deliveries of {count}, {answer['distinct']} of them distinct")
    return {"seconds": (max(answer["lastMs"] for answer in answers) - began) / 1000,
            "p50": max(answer["p50ms"] for answer in answers), "p99": max(answer["p99ms"] for answer in answers)}


def wait_until_idle(programs: list[Program]) -> None:
    """Until none of them has anything to do any more: the contract has no way to read a counter that goes on."""
    end = time.monotonic() + COMMAND_SECONDS
    while time.monotonic() < end:
        with spent(*programs) as cpu:
            time.sleep(QUIET_SECONDS)
        if max(cpu) < QUIET_SECONDS * QUIET_SHARE_MAX:
            return
    raise CellFailure(f"{programs[0].label} does not come to rest")
