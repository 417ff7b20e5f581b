import { randomBytes } from 'node:crypto'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { benchCommands } from './bench.js'
import { quantile } from './counter.js'
import { gossipCommands } from './gossip.js'
import { countServed, kadCommands } from './kad.js'
import { askEcho, PLENTY_OF_STREAMS } from './streams.js'

const PING = '/ipfs/ping/1.0.0'
const PING_BYTES = 32
const ANSWER_BUDGET_MS = 20_000

/** The table of everything the contract names, and the extensions of the README that js has. */
export function commandsOf (node, flags) {
  const identified = new Map()
  node.addEventListener('peer:identify', e => identified.set(e.detail.peerId.toString(), e.detail))

  const dhtServed = node.services.dht === undefined ? () => 0 : countServed(node.services.dht)

  const dial = addr => node.dial(multiaddr(addr), { signal: AbortSignal.timeout(ANSWER_BUDGET_MS) })

  function connectionTo (id) {
    const open = node.getConnections(peerIdFromString(id)).find(c => c.status === 'open')
    if (open === undefined) throw new Error('not connected')
    return open
  }

  /** The connection of a command that takes addr or peerId; addr is dialled first. */
  const target = async r => r.addr === undefined ? connectionTo(r.peerId) : dial(r.addr)

  async function connect (r) {
    const start = performance.now()
    const connection = await dial(r.addr)
    return { peerId: connection.remotePeer.toString(), ms: performance.now() - start }
  }

  async function identify (r) {
    connectionTo(r.peerId)
    const end = Date.now() + ANSWER_BUDGET_MS
    while (!identified.has(r.peerId)) {
      if (Date.now() > end) throw new Error('no identify answer')
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    const result = identified.get(r.peerId)
    return {
      agent: result.agentVersion ?? '',
      protocols: result.protocols,
      addrs: result.listenAddrs.map(a => a.toString()),
      observed: result.observedAddr?.toString() ?? ''
    }
  }

  return {
    connect,
    identify,
    disconnect: async r => { await node.hangUp(peerIdFromString(r.peerId)) },
    ping: async r => pingMany(connectionTo(r.peerId), r.n ?? 1),
    peers: async () => ({ peers: node.getPeers().map(String) }),
    echo: async r => askEcho(await target(r), r.seed ?? 1, r.bytes ?? 0),
    stats: async () => ({ ...stats(node), dhtServed: dhtServed() }),
    ...kadCommands(node),
    ...gossipCommands(node),
    ...benchCommands(flags, target)
  }
}

/** All pings run on one stream, and the clock is finer than that of the library's own service. */
async function pingMany (connection, count) {
  const stream = await connection.newStream(PING, PLENTY_OF_STREAMS)
  const times = []
  let pending, got = []
  stream.addEventListener('message', e => {
    got.push(Buffer.from(e.data.subarray()))
    const all = Buffer.concat(got)
    if (all.length >= PING_BYTES) {
      got = []
      pending?.resolve(all)
    }
  })
  stream.addEventListener('close', () => pending?.reject(new Error('the ping stream ended')))
  try {
    for (let i = 0; i < Math.max(count, 1); i++) {
      const data = randomBytes(PING_BYTES)
      pending = Promise.withResolvers()
      const timer = setTimeout(() => pending.reject(new Error('no answer to a ping')), ANSWER_BUDGET_MS)
      const start = performance.now()
      stream.send(data)
      const back = await pending.promise
      times.push((performance.now() - start) * 1000)
      clearTimeout(timer)
      if (!back.equals(data)) throw new Error('a ping came back changed')
    }
  } finally {
    pending = undefined
    stream.close().catch(err => stream.abort(err))
  }
  times.sort((a, b) => a - b)
  return { p50us: quantile(times, 0.5), p99us: quantile(times, 0.99), minUs: times[0] }
}

function stats (node) {
  const cpu = process.cpuUsage()
  return {
    rssKb: Math.round(process.memoryUsage().rss / 1024),
    cpuMs: (cpu.user + cpu.system) / 1000,
    conns: node.getConnections().length
  }
}
