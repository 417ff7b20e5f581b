import { setTimeout as sleep } from 'node:timers/promises'
import { publishAll } from './gossip.js'
import { createNode } from './node.js'

const TOPIC = 'fanout'
const LISTEN = '/ip4/127.0.0.1/tcp/0'
const NUMBER_BYTES = 8
const MESH_LOW = 4 // links below which the library makes more
const DIALS_AT_ONCE = 8 // one thread does both ends of all handshakes, and each has its time limit
const LINK_BUDGET_MS = 30_000
const LINK_POLL_MS = 10
const STALL_MS = 10_000 // without a delivery for that long, the rest is lost
const LINGER_MS = 200 // what comes twice may come after everything else

/** What the subscribers of a fan-out got. */
class Deliveries {
  count = 0
  distinct = 0
  #seen
  #goal = 0
  #reached = Promise.withResolvers()

  constructor (subscribers, messages) {
    this.#seen = Array.from({ length: subscribers }, () => new Uint8Array(messages))
  }

  take (subscriber, data) {
    this.count++
    const seen = this.#seen[subscriber]
    const number = data.length < NUMBER_BYTES ? -1 : new DataView(data.buffer, data.byteOffset).getUint32(4)
    if (seen[number] !== 0) return
    seen[number] = 1
    if (++this.distinct === this.#goal) this.#reached.resolve(performance.now())
  }

  /** Before the publications; `messages` are those of each subscriber, all that came before included. */
  aim (messages) {
    this.#reached = Promise.withResolvers()
    this.#goal = messages * this.#seen.length
  }

  /** When the aim was reached; the present when deliveries have ceased before. */
  async wait () {
    for (;;) {
      const before = this.count
      const at = await Promise.race([this.#reached.promise, sleep(STALL_MS, undefined, { ref: false })])
      if (at !== undefined) return at
      if (this.count === before) return performance.now()
    }
  }
}

async function join (sec, listen) {
  const node = await createNode({ sec, listen, gossip: true })
  node.services.pubsub.subscribe(TOPIC)
  return node
}

/** Until everyone is connected to the publisher, which knows it as a subscriber and has its mesh. */
async function link (publisher, subscribers) {
  for (let i = 0; i < subscribers.length; i += DIALS_AT_ONCE) {
    const some = subscribers.slice(i, i + DIALS_AT_ONCE)
    await Promise.all(some.map(node => node.dial(publisher.getMultiaddrs())))
  }
  const { pubsub } = publisher.services
  const end = performance.now() + LINK_BUDGET_MS
  while (pubsub.getSubscribers(TOPIC).length < subscribers.length ||
    pubsub.getMeshPeers(TOPIC).length < Math.min(subscribers.length, MESH_LOW)) {
    if (performance.now() > end) throw new Error('the mesh does not come about')
    await sleep(LINK_POLL_MS)
  }
}

function cpuMs () {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Messages carry their numbers. The ones of the warm-up come before the first that is counted. */
export async function fanout (sec, r) {
  const warm = r.warm ?? 0
  const wanted = Math.max(r.count ?? 1, 1)
  const deliveries = new Deliveries(Math.max(r.n ?? 1, 1), warm + wanted)
  const nodes = [await join(sec, [LISTEN])]
  try {
    for (let i = 0; i < Math.max(r.n ?? 1, 1); i++) {
      const node = await join(sec, [])
      nodes.push(node)
      node.services.pubsub.addEventListener('gossipsub:message', ({ detail: { msg } }) => deliveries.take(i, msg.data))
    }
    const [publisher, ...subscribers] = nodes
    await link(publisher, subscribers)
    const { pubsub } = publisher.services
    const publish = (from, count) =>
      publishAll(pubsub, TOPIC, count, r.size, (view, i) => view.setUint32(4, from + i))
    if (warm > 0) {
      deliveries.aim(warm)
      await publish(0, warm)
      await deliveries.wait()
    }
    const { count, distinct } = deliveries
    const cpuBefore = cpuMs()
    const start = performance.now()
    deliveries.aim(warm + wanted)
    await publish(warm, wanted)
    const seconds = (await deliveries.wait() - start) / 1000
    const cpu = cpuMs() - cpuBefore
    await sleep(LINGER_MS)
    return {
      seconds,
      deliveries: deliveries.count - count,
      distinct: deliveries.distinct - distinct,
      cpuMs: cpu,
      mesh: pubsub.getMeshPeers(TOPIC).length
    }
  } finally {
    await Promise.all(nodes.map(node => node.stop()))
  }
}
