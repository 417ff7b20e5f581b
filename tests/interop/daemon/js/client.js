// @libp2p/daemon-client against two instances of starling p2pd: every call that it has. One JSON object a line.
import './polyfill.js'
import assert from 'node:assert/strict'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { startDaemon } from './spawn.js'

const FLAGS = ['-hostAddrs=/ip4/127.0.0.1/tcp/0', '-dhtServer', '-pubsub']
const all = async (iterable) => { const out = []; for await (const item of iterable) out.push(item); return out }
const say = (object) => process.stdout.write(JSON.stringify(object) + '\n')
const sleep = async (ms) => new Promise((resolve) => setTimeout(resolve, ms))
async function until (holds) {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return
    await sleep(100)
  }
  assert.fail('it never came to hold')
}

const unix = `/tmp/starling-daemon-js-${process.pid}.sock`
const a = await startDaemon([`-listen=/unix${unix}`, ...FLAGS])
const b = await startDaemon(['-listen=/ip4/127.0.0.1/tcp/0', ...FLAGS])
const idA = await a.client.identify()
const idB = await b.client.identify()

const cases = {
  async identify () {
    assert.equal(idA.addrs.length, 1)
    assert.match(idA.addrs[0].toString(), /^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    assert.notEqual(idA.peerId.toString(), idB.peerId.toString())
  },
  async 'connect to a wrong address fails' () {
    await assert.rejects(a.client.connect(idB.peerId, idA.addrs))
  },
  async 'connect and listPeers' () {
    assert.deepEqual(await a.client.listPeers(), [])
    await a.client.connect(idB.peerId, idB.addrs)
    assert.deepEqual((await a.client.listPeers()).map(String), [idB.peerId.toString()])
  },
  async 'openStream and registerStreamHandler' () {
    await b.client.registerStreamHandler('/test/echo/1', async (stream) => {
      for await (const data of stream) {
        if (!stream.send(data)) await stream.onDrain()
      }
      await stream.close()
    })
    const stream = await a.client.openStream(idB.peerId, '/test/echo/1')
    const sent = Buffer.alloc(1 << 20, 'starling')
    const received = []
    const reading = (async () => { for await (const data of stream) received.push(Buffer.from(data.subarray())) })()
    for (let at = 0; at < sent.length; at += 65536) {
      if (!stream.send(sent.subarray(at, at + 65536))) await stream.onDrain()
    }
    await until(() => received.reduce((sum, part) => sum + part.length, 0) === sent.length)
    assert.ok(Buffer.concat(received).equals(sent))
    await stream.close()
    await reading
  },
  async 'openStream of a protocol that nobody speaks fails' () {
    await assert.rejects(a.client.openStream(idB.peerId, '/nobody/1'))
  },
  async 'dht.put and dht.get' () {
    const key = Buffer.concat([Buffer.from('/pk/'), idB.peerId.toMultihash().bytes])
    const value = idB.peerId.publicKey
    assert.ok(value != null)
    const { publicKeyToProtobuf } = await import('@libp2p/crypto/keys')
    await a.client.dht.put(key, publicKeyToProtobuf(value))
    assert.deepEqual(Buffer.from(await b.client.dht.get(key)), Buffer.from(publicKeyToProtobuf(value)))
    await assert.rejects(b.client.dht.get(Buffer.from('/pk/nobody')))
  },
  async 'dht.provide and dht.findProviders' () {
    const cid = CID.createV1(0x55, Digest.create(0x12, Buffer.alloc(32, 7)))
    await a.client.dht.provide(cid)
    await until(async () => (await all(b.client.dht.findProviders(cid, 1))).length === 1)
    const [found] = await all(b.client.dht.findProviders(cid, 1))
    assert.equal(found.id.toString(), idA.peerId.toString())
  },
  async 'dht.findPeer' () {
    const found = await a.client.dht.findPeer(idB.peerId)
    assert.deepEqual(found.multiaddrs.map(String), idB.addrs.map(String))
  },
  async 'dht.getClosestPeers' () {
    const closest = await all(a.client.dht.getClosestPeers(Buffer.from('anything')))
    assert.deepEqual(closest.map((peer) => peer.id.toString()), [idB.peerId.toString()])
  },
  async 'dht.getPublicKey' () {
    const key = await a.client.dht.getPublicKey(idB.peerId)
    assert.ok(key.length > 30)
  },
  async 'pubsub: subscribe, getTopics, getSubscribers, publish' () {
    const topic = 'js-topic'
    const subscription = await b.client.pubsub.subscribe(topic)
    await until(async () => (await a.client.pubsub.getSubscribers(topic)).length === 1)
    assert.deepEqual(await b.client.pubsub.getTopics(), [topic])
    await a.client.pubsub.publish(topic, Buffer.from('from a'))
    await b.client.pubsub.publish(topic, Buffer.from('from b'))
    const heard = []
    for await (const message of subscription.messages()) {
      heard.push(Buffer.from(message.data).toString())
      if (heard.length === 2) break
    }
    assert.deepEqual(heard.sort(), ['from a', 'from b'])
    await subscription.cancel()
    await until(async () => (await b.client.pubsub.getTopics()).length === 0)
  }
}

let failures = 0
for (const [name, run] of Object.entries(cases)) {
  const started = Date.now()
  let timer
  const late = new Promise((resolve, reject) => { timer = setTimeout(() => reject(new Error('60 s have passed')), 60_000) })
  try {
    await Promise.race([run(), late])
    say({ passed: `daemon-client: ${name}`, ms: Date.now() - started })
  } catch (error) {
    failures++
    say({ failed: `daemon-client: ${name}`, error: String(error.stack ?? error) })
  }
  clearTimeout(timer)
}
await a.stop()
await b.stop()
process.exit(failures > 0 ? 1 : 0)
