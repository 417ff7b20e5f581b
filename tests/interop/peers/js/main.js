// js-peer speaks the Starling peer contract on top of js-libp2p.
import './polyfill.js'

const { parseFlags } = await import('./flags.js')
const { emit, serve } = await import('./contract.js')
const { createNode } = await import('./node.js')
const { commandsOf } = await import('./commands.js')
const { serveStreams } = await import('./streams.js')
const { acceptEveryRecord } = await import('./kad.js')
const { multiaddr } = await import('@multiformats/multiaddr')

const flags = parseFlags(process.argv.slice(2))
const node = await createNode(flags)
await serveStreams(node)
if (node.services.dht !== undefined) acceptEveryRecord(node.services.dht)
const commands = commandsOf(node, flags)

node.addEventListener('peer:connect', e => emit({ event: 'peer:connect', peerId: e.detail.toString() }))
node.addEventListener('peer:disconnect', e => emit({ event: 'peer:disconnect', peerId: e.detail.toString() }))
for (const topic of flags.topics) node.services.pubsub.subscribe(topic)

emit({
  event: 'ready',
  peerId: node.peerId.toString(),
  addrs: node.getMultiaddrs().map(a => a.toString()),
  pid: process.pid,
  startMs: performance.now()
})
for (const addr of flags.bootstrap) {
  await node.dial(multiaddr(addr)).catch(err => console.error('bootstrap:', err.message))
}
await serve(commands)
setTimeout(() => process.exit(0), 2000).unref()
await node.stop()
process.exit(0)
