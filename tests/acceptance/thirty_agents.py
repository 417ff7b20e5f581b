#!/usr/bin/env python3
"""3 bootstrap and 30 agent processes on one machine: each finds each, every message arrives exactly once.

Usage: thirty_agents.py [PROGRAM]; prints one line a check and ends with `N passed, N failed`.
"""
import collections
import concurrent.futures
import signal
import sys
import time

from network import Network, program_of, wait_for

SERVERS, AGENTS = 3, 30


def each_finds_each(agents):
    """870 lookups; a wrong or missing answer names who looked for whom."""
    def look(pair):
        who, whom = pair
        status, found = who.find(whom.address)
        return None if status == 200 and found["address"] == whom.address and found["source"] == "dht" else (
            who.name, whom.name, status, found)
    pairs = [(a, b) for a in agents for b in agents if a is not b]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wrong = [miss for miss in pool.map(look, pairs) if miss]
    assert not wrong, wrong[:5]
    return f"{len(pairs)} lookups"


def messages_arrive_once(agents, tag):
    """Everybody writes to three others and one in ten to all; then every inbox is compared with what was sent."""
    expected = collections.defaultdict(collections.Counter)
    for i, sender in enumerate(agents):
        for step in (1, 7, 13):
            receiver = agents[(i + step) % len(agents)]
            text = f"{tag} {sender.name} to {receiver.name} {step}"
            status, sent = sender.send(receiver.address, text)
            assert status == 200 and sent["state"] == "sent", (sender.name, status, sent)
            expected[receiver.name][text] += 1
        if i % 10 == 0:
            text = f"{tag} {sender.name} to all"
            status, sent = sender.send(None, text)
            assert status == 200 and sent["state"] == "sent", (sender.name, status, sent)
            for other in agents:
                if other is not sender:
                    expected[other.name][text] += 1

    def got():
        return {node.name: collections.Counter(entry["text"] for entry in node.inbox() if entry["text"].startswith(tag))
                for node in agents}
    wait_for(lambda: all(sum(got()[n.name].values()) >= sum(expected[n.name].values()) for n in agents), 30,
             "every message has arrived")
    time.sleep(2)  # a second copy would come now
    received = got()
    for node in agents:
        assert received[node.name] == expected[node.name], (node.name, expected[node.name] - received[node.name],
                                                            received[node.name] - expected[node.name])
    return f"{sum(sum(c.values()) for c in expected.values())} deliveries"


def main():
    program = program_of(sys.argv[1:])
    passed = failed = 0
    with Network(program) as network:
        def check(name, function, *arguments):
            nonlocal passed, failed
            start = time.monotonic()
            try:
                what = function(*arguments)
            except AssertionError as error:
                failed += 1
                print(f"FAILED {name}: {error}", flush=True)
            else:
                passed += 1
                print(f"ok     {name}: {what or ''} in {time.monotonic() - start:.1f} s", flush=True)

        start = time.monotonic()
        bootstraps, agents = network.grow(SERVERS, AGENTS)
        print(f"       {SERVERS} bootstrap and {AGENTS} agent processes joined in {time.monotonic() - start:.1f} s", flush=True)
        check("each finds each", each_finds_each, agents)
        check("every message arrives exactly once", messages_arrive_once, agents, "first")
        bootstraps[0].stop(signal.SIGKILL)
        check("each finds each with a bootstrap node killed", each_finds_each, agents)
        check("messages arrive with a bootstrap node killed", messages_arrive_once, agents, "second")

        def withdrawal():
            gone = agents.pop()
            gone.stop()
            assert gone.wait_stopped(10) == 0, "the agent did not stop cleanly"
            status, found = agents[0].find(gone.address)
            assert status == 200 and found["withdrawn"], (status, found)
            status, answer = agents[0].send(gone.address, "too late")
            assert status == 403 and answer["error"]["kind"] == "refused", (status, answer)
        check("an agent that stops is withdrawn at once", withdrawal)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
