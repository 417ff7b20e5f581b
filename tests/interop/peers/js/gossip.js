import { createHash } from 'node:crypto'
import { emit } from './contract.js'
import { Tally } from './counter.js'

const TEXT_BYTES_MAX = 256
const UNSENT_BYTES_MAX = 1 << 20
const STAMP_BYTES = 8

/** The seqno of each message of our own, found by its data while it is being published. */
const seqnos = new WeakMap()

function seqnoBytes (seqno) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(seqno)
  return bytes
}

/** Message id: from ‖ seqno. The library's own default differs from every other stack's. */
export function messageId (msg) {
  const seqno = seqnoBytes(msg.sequenceNumber)
  seqnos.set(msg.data, seqno)
  return Uint8Array.from(Buffer.concat([msg.from.toMultihash().bytes, seqno]))
}

function payload (r) {
  if (r.text !== undefined) return Uint8Array.from(Buffer.from(r.text))
  if (r.hex === undefined) throw new Error('text or hex is needed')
  return Uint8Array.from(Buffer.from(r.hex, 'hex'))
}

function shortText (data) {
  if (data.length > TEXT_BYTES_MAX) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data)
  } catch {
    return undefined
  }
}

/** The library buffers without bound, so this waits for the slowest peer itself. */
async function room (pubsub) {
  for (const { rawStream } of pubsub.streamsOutbound.values()) {
    while (rawStream.status === 'open' && rawStream.writeBufferLength > UNSENT_BYTES_MAX) {
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

/** Messages as fast as peers take them; `stamp(view, i)` writes how the i-th begins. */
export async function publishAll (pubsub, topic, count, size, stamp) {
  for (let i = 0; i < count; i++) {
    const data = new Uint8Array(Math.max(size ?? 0, STAMP_BYTES))
    stamp(new DataView(data.buffer), i)
    await pubsub.publish(topic, data)
    await room(pubsub)
  }
}

export function gossipCommands (node) {
  const pubsub = node.services.pubsub
  const tally = new Tally()
  const need = () => { if (pubsub === undefined) throw new Error('started without --topics') }

  pubsub?.addEventListener('gossipsub:message', ({ detail: { msg } }) => {
    const seqno = seqnoBytes(msg.sequenceNumber).toString('hex')
    const from = msg.from.toString()
    if (tally.take(from + seqno, msg.data)) return
    emit({
      event: 'msg',
      topic: msg.topic,
      from,
      seqno,
      bytes: msg.data.length,
      sha256: createHash('sha256').update(msg.data).digest('hex'),
      text: shortText(msg.data),
      t: Date.now()
    })
  })

  async function publish (r) {
    need()
    const data = payload(r)
    await pubsub.publish(r.topic, data)
    return { seqno: seqnos.get(data)?.toString('hex') }
  }

  async function benchPub (r) {
    need()
    const start = performance.now()
    await publishAll(pubsub, r.topic, r.n, r.size, stamp => stamp.setFloat64(0, performance.timeOrigin + performance.now()))
    return { seconds: (performance.now() - start) / 1000 }
  }

  return {
    subscribe: async r => { need(); pubsub.subscribe(r.topic) },
    publish,
    meshpeers: async r => { need(); return { peers: pubsub.getMeshPeers(r.topic) } },
    counter: async r => { need(); return r.on ? tally.start() : tally.stop() },
    'bench-pub': benchPub
  }
}
