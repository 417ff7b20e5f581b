"""The DHT: `one` is the client, `two` the server; the other order comes from swapping them."""

import hashlib
import time

from cell import KAD, cell, check
from cells_connect import bare, link

LOOKUP_SECONDS = 40


def kad(mode):
    return {"kad": KAD, "kad_mode": mode}


def knows(program, count):
    """Waits until the routing table has that many entries."""
    program.poll("table", lambda t: t["size"] >= count, f"routing table of {count}")


def join(client, server):
    link(client, server)
    knows(client, 1)


@cell("kad-identify", keys=("ed25519",))
def kad_identify(run, one, two):
    """A server names the DHT in identify, a client does not."""
    a, b = run.start_all((one, kad("client")), (two, kad("server")))
    link(a, b)
    check(KAD in a.call("identify", peerId=b.peer_id)["protocols"], f"{b.label} does not name {KAD}")
    check(KAD not in b.call("identify", peerId=a.peer_id)["protocols"], f"client {a.label} names {KAD}")


@cell("kad-value", keys=("secp256k1",))
def kad_value(run, one, two):
    server, writer, reader = run.start_all((two, kad("server")), (one, kad("client")), (one, kad("client")))
    key, value = "/" + run.unique("ns") + "/key", bytes(range(256)).hex()
    join(writer, server)
    writer.call("put", timeout=LOOKUP_SECONDS, key=key, value=value)
    writer.kill()
    join(reader, server)
    check(reader.call("get", timeout=LOOKUP_SECONDS, key=key)["value"] == value, "another value came back")
    check(reader.call("get", timeout=LOOKUP_SECONDS, keyhex=key.encode().hex())["value"] == value,
          "key and keyhex lead to different records")
    reader.refuse("get", timeout=LOOKUP_SECONDS, key=key + "-never-written")


@cell("kad-provider", keys=("ed25519",))
def kad_provider(run, one, two):
    server, provider, seeker = run.start_all((two, kad("server")), (one, kad("client")), (one, kad("client")))
    key = run.unique("content")
    join(provider, server)
    join(seeker, server)
    early = seeker.call("findproviders", timeout=LOOKUP_SECONDS, key=key)
    check(early["providers"] == [], f"a provider too early: {early}")
    provider.call("provide", timeout=LOOKUP_SECONDS, key=key)
    for asker in (seeker, server):
        # ADD_PROVIDER has no answer, so the record may arrive a moment after provide has ended.
        asker.poll("findproviders", lambda f: f["providers"] == [provider.peer_id], "provider", key=key)


def dies_of_answer(run, client_peer, server_peer):
    """Whether that server answers ADD_PROVIDER, and that client dies when such an answer comes before a PUT_VALUE."""
    both = (server_peer, "answers-add-provider"), (client_peer, "dies-of-add-provider-answers")
    return all(name in peer.quirks for peer, name in both) and all(run.quirk(*one) for one in both)


@cell("kad-put-after-provide", keys=("ed25519",))
def kad_put_after_provide(run, one, two):
    """An answer to ADD_PROVIDER would be taken for the answer to the PUT_VALUE that follows on the stream."""
    server, client = run.start_all((two, kad("server")), (one, kad("client")))
    join(client, server)
    if dies_of_answer(run, one, two):
        client.call("provide", timeout=LOOKUP_SECONDS, key=run.unique("content"))
        client.send("put", key="/" + run.unique("ns") + "/key", value="0102")
        check(client.exit_code() != 0, f"{client.label} has ended, but without a fault")
        return
    for i in range(3):
        key = "/" + run.unique("ns") + f"/{i}"
        client.call("provide", timeout=LOOKUP_SECONDS, key=key)
        client.call("put", timeout=LOOKUP_SECONDS, key=key, value="0102")
        got = client.call("get", timeout=LOOKUP_SECONDS, key=key)
        check(got["value"] == "0102", f"another value came back: {got}")


@cell("kad-roles", keys=("ed25519",), parts=3)
def kad_roles(run, bootstrap_peer, provider_peer, querier_peer):
    """The official kad-dht interop test, everyone in every role; any bytes are a provider's key."""
    bootstrap, provider, querier = run.start_all(
        (bootstrap_peer, kad("server")), (provider_peer, kad("server")), (querier_peer, kad("client")))
    name = run.unique("roles")
    raw = f"interop-test-key-{name}".encode()
    keyhex = raw.hex()
    if run.quirk(bootstrap_peer, "refuses-raw-provider-keys"):
        refuses_raw_key(run, bootstrap, provider_peer, querier_peer)
        keyhex = multihash(raw)
    record, greeting = f"/example/data/{name}", f"hello from {provider.label} client".encode()
    join(provider, bootstrap)
    steps = [("provide", {"keyhex": keyhex}), ("put", {"key": record, "value": greeting.hex()})]
    if dies_of_answer(run, provider_peer, bootstrap_peer):
        steps.reverse()
    for cmd, arguments in steps:
        provider.call(cmd, timeout=LOOKUP_SECONDS, **arguments)
    join(querier, bootstrap)
    querier.poll("findproviders", lambda f: provider.peer_id in f["providers"], "provider", keyhex=keyhex)
    got = querier.call("get", timeout=LOOKUP_SECONDS, key=record)["value"]
    check(bytes.fromhex(got) == greeting, f"{querier.label} got another value: {got}")


def multihash(raw):
    """The SHA-256 multihash of the bytes, in hex."""
    return "1220" + hashlib.sha256(raw).hexdigest()


def refuses_raw_key(run, server, client_peer, seeker_peer):
    """
    The server keeps a provider record under a multihash, and none under raw bytes that it got before. Clients
    hold their own records but answer nobody, so what is found comes from the server. Its refusal ends the
    stream, which a stack may take for a server that fails: hence nodes with no other part in the case.
    """
    first, second, seeker = run.start_all(
        (client_peer, kad("client")), (client_peer, kad("client")), (seeker_peer, kad("client")))
    raw = run.unique("raw-key").encode()
    for node in (first, second, seeker):
        join(node, server)
    first.call("provide", timeout=LOOKUP_SECONDS, keyhex=raw.hex())
    second.call("provide", timeout=LOOKUP_SECONDS, keyhex=multihash(raw))
    seeker.poll("findproviders", lambda f: f["providers"] == [second.peer_id], "provider",
                keyhex=multihash(raw))
    answer = seeker.answer("findproviders", timeout=LOOKUP_SECONDS, keyhex=raw.hex())
    check(not answer.get("providers"), f"{server.label} does keep a record under raw bytes: {answer}")
    for node in (first, second, seeker):
        node.end()


@cell("kad-findpeer", keys=("secp256k1",))
def kad_findpeer(run, one, two):
    server, target, seeker = run.start_all((two, kad("server")), (one, kad("server")), (one, kad("client")))
    join(target, server)
    knows(server, 1)
    join(seeker, server)
    found = seeker.call("findpeer", timeout=LOOKUP_SECONDS, peerId=target.peer_id)
    check(bare(target.addr) in [bare(x) for x in found["addrs"]],
          f"{target.addr} is not among {found['addrs']}")
    start = time.monotonic()
    seeker.refuse("findpeer", timeout=LOOKUP_SECONDS, peerId=run.start(one, listen="none").peer_id)
    check(time.monotonic() - start < LOOKUP_SECONDS, "a lookup without result does not end")


@cell("kad-client-hidden", keys=("ed25519",))
def kad_client_hidden(run, one, two):
    """A client comes first and asks, a server comes second; the table then has exactly the server."""
    server, client, second = run.start_all((two, kad("server")), (one, kad("client")), (one, kad("server")))
    join(client, server)
    client.refuse("get", timeout=LOOKUP_SECONDS, key="/" + run.unique("ns") + "/never-written")
    join(second, server)
    if run.quirk(two, "keeps-clients"):  # for as long as it likes
        server.poll("table", lambda answer: answer["size"] >= 1, "routing table")
        return
    knows(server, 1)
    size = server.call("table")["size"]
    check(size == 1, f"{server.label} has {size} in its table instead of 1")


@cell("kad-mixed", keys=("secp256k1",), symmetric=True)
def kad_mixed(run, one, two):
    """Four servers of both kinds that met through the first one; each reads what the others wrote."""
    nodes = run.start_all(*[(peer, kad("server")) for peer in (one, two, one, two)])
    for node in nodes[1:]:
        link(node, nodes[0])
    for node in nodes:
        knows(node, 1)
    knows(nodes[0], 3)
    keys = ["/" + run.unique("ns") + f"/{i}" for i in range(len(nodes))]
    for i, node in enumerate(nodes):
        node.call("put", timeout=LOOKUP_SECONDS, key=keys[i], value=f"{i:02x}")
        node.call("provide", timeout=LOOKUP_SECONDS, key=keys[i])
    for node in nodes:
        for i, owner in enumerate(nodes):
            check(node.call("get", timeout=LOOKUP_SECONDS, key=keys[i])["value"] == f"{i:02x}",
                  f"{node.label} read another value than {owner.label} wrote")
            node.poll("findproviders", lambda f: owner.peer_id in f["providers"], f"provider {owner.label}",
                      key=keys[i])
            if node is not owner:
                found = node.call("findpeer", timeout=LOOKUP_SECONDS, peerId=owner.peer_id)
                check(bare(owner.addr) in [bare(x) for x in found["addrs"]], f"{node.label}: {found}")
