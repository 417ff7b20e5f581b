"""The DHT: `one` is the client, `two` the server; the other order comes from swapping them."""

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


@cell("kad-value")
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


@cell("kad-provider")
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


@cell("kad-put-after-provide")
def kad_put_after_provide(run, one, two):
    """An answer to ADD_PROVIDER would be taken for the answer to the PUT_VALUE that follows on the stream."""
    server, client = run.start_all((two, kad("server")), (one, kad("client")))
    join(client, server)
    for i in range(3):
        key = "/" + run.unique("ns") + f"/{i}"
        client.call("provide", timeout=LOOKUP_SECONDS, key=key)
        client.call("put", timeout=LOOKUP_SECONDS, key=key, value="0102")
        got = client.call("get", timeout=LOOKUP_SECONDS, key=key)
        check(got["value"] == "0102", f"another value came back: {got}")


@cell("kad-roles")
def kad_roles(run, one, two):
    """The official kad-dht interop test: a bootstrap, a provider and queriers; any bytes as a provider's key."""
    bootstrap, provider, *queriers = run.start_all(
        (two, kad("server")), (one, kad("server")), (one, kad("client")), (two, kad("client")))
    name = run.unique("roles")
    raw = f"interop-test-key-{name}".encode().hex()
    record, greeting = f"/example/data/{name}", f"hello from {provider.label} client".encode()
    join(provider, bootstrap)
    provider.call("provide", timeout=LOOKUP_SECONDS, keyhex=raw)
    provider.call("put", timeout=LOOKUP_SECONDS, key=record, value=greeting.hex())
    for querier in queriers:
        join(querier, bootstrap)
        querier.poll("findproviders", lambda f: provider.peer_id in f["providers"], "provider", keyhex=raw)
        got = querier.call("get", timeout=LOOKUP_SECONDS, key=record)["value"]
        check(bytes.fromhex(got) == greeting, f"{querier.label} got another value: {got}")


@cell("kad-findpeer")
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


@cell("kad-client-hidden")
def kad_client_hidden(run, one, two):
    """A client comes first and a server second; the table then has exactly the server."""
    server, client, second = run.start_all((two, kad("server")), (one, kad("client")), (one, kad("server")))
    join(client, server)
    join(second, server)
    knows(server, 1)
    size = server.call("table")["size"]
    check(size == 1, f"{server.label} has {size} in its table: the client too")


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
