import { createHash } from 'node:crypto'

export const ECHO = '/echo/1.0.0'
export const RR = '/rr/1.0.0'
export const PERF = '/perf/1.0.0'
export const PLENTY_OF_STREAMS = { maxInboundStreams: 1_000_000, maxOutboundStreams: 1_000_000 }

const BLOCK_BYTES = 64 << 10
const RR_BYTES = 64
const MESSAGE_BYTES = 64
const ZEROS = new Uint8Array(BLOCK_BYTES)

/**
 * Hands every arriving piece to `take` and resolves when the remote has closed its writing end.
 * It listens to `end`, not `remoteCloseWrite`: the latter may come before the last piece is handed out.
 */
export function readToEnd (stream, take) {
  return new Promise((resolve, reject) => {
    stream.addEventListener('message', e => take(e.data))
    stream.addEventListener('end', () => resolve())
    stream.addEventListener('close', e => e.error == null ? resolve() : reject(e.error))
    if (stream.readableEnded) resolve()
  })
}

async function write (stream, data) {
  if (!stream.send(data)) await stream.onDrain()
}

async function writeZeros (stream, count) {
  while (count > 0) {
    const n = Math.min(count, BLOCK_BYTES)
    await write(stream, n === BLOCK_BYTES ? ZEROS : ZEROS.subarray(0, n))
    count -= n
  }
}

/** A handler that aborts its stream when it fails. */
function guarded (handle) {
  return stream => {
    handle(stream).catch(err => stream.abort(err))
  }
}

async function serveEcho (stream) {
  await readToEnd(stream, data => stream.send(data))
  await stream.close()
}

async function serveRR (stream) {
  let got = 0
  stream.addEventListener('message', e => {
    const before = got
    got += e.data.byteLength
    stream.send(e.data)
    if (before < RR_BYTES && got >= RR_BYTES) stream.close().catch(err => stream.abort(err))
  })
}

async function servePerf (stream) {
  const head = []
  let got = 0
  await readToEnd(stream, data => {
    if (got < 8) head.push(Buffer.from(data.subarray()))
    got += data.byteLength
  })
  await writeZeros(stream, Number(Buffer.concat(head).readBigUInt64BE(0)))
  await stream.close()
}

export async function serveStreams (node) {
  await node.handle(ECHO, guarded(serveEcho), PLENTY_OF_STREAMS)
  await node.handle(RR, guarded(serveRR), PLENTY_OF_STREAMS)
  await node.handle(PERF, guarded(servePerf), PLENTY_OF_STREAMS)
}

/** The byte sequence of the echo command: xorshift32, little-endian words. */
export function pseudoRandom (seed, count) {
  const words = new Uint32Array(Math.ceil(count / 4))
  let x = (seed >>> 0) || 1
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  return new Uint8Array(words.buffer, 0, count)
}

export async function askEcho (connection, seed, count) {
  const data = pseudoRandom(seed, count)
  const back = []
  const start = performance.now()
  const stream = await connection.newStream(ECHO, PLENTY_OF_STREAMS)
  try {
    const reading = readToEnd(stream, piece => back.push(Buffer.from(piece.subarray())))
    reading.catch(() => {})
    for (let i = 0; i < data.length; i += BLOCK_BYTES) await write(stream, data.subarray(i, i + BLOCK_BYTES))
    await stream.close()
    await reading
  } catch (err) {
    stream.abort(err)
    throw err
  }
  const ms = performance.now() - start
  const all = Buffer.concat(back)
  if (!all.equals(data)) throw new Error(`echo differs from what was sent: ${all.length} of ${count} bytes came back`)
  return { ms, bytes: all.length, sha256: createHash('sha256').update(all).digest('hex') }
}

/** The client side of /perf/1.0.0, once. */
export async function askPerf (connection, up, down) {
  const stream = await connection.newStream(PERF, PLENTY_OF_STREAMS)
  try {
    let got = 0
    const reading = readToEnd(stream, data => { got += data.byteLength })
    reading.catch(() => {})
    const head = Buffer.alloc(8)
    head.writeBigUInt64BE(BigInt(down))
    await write(stream, Uint8Array.from(head))
    await writeZeros(stream, up)
    await stream.close()
    await reading
    if (got !== down) throw new Error(`the download had ${got} instead of ${down} bytes`)
  } catch (err) {
    stream.abort(err)
    throw err
  }
}

/** One request on a stream of its own. */
export async function askRR (connection) {
  const stream = await connection.newStream(RR, PLENTY_OF_STREAMS)
  let got = 0
  const answered = new Promise((resolve, reject) => {
    stream.addEventListener('message', e => {
      got += e.data.byteLength
      if (got >= RR_BYTES) resolve()
    })
    stream.addEventListener('close', () => got >= RR_BYTES ? resolve() : reject(new Error('the stream ended early')))
  })
  stream.send(ZEROS.subarray(0, RR_BYTES))
  await answered
  await stream.close()
}

/** A number, eight times. */
function messageOf (number) {
  const message = Buffer.alloc(MESSAGE_BYTES)
  for (let at = 0; at < MESSAGE_BYTES; at += 8) {
    message.writeUInt32BE(Math.floor(number / 2 ** 32), at)
    message.writeUInt32BE(number >>> 0, at + 4)
  }
  return message
}

/**
 * Keeps `depth` messages in flight on one stream of the echo protocol; each is a send of its own and has to come back as
 * it was. Gives the time that each took, in µs, and how long all took, in seconds.
 */
export async function askMessages (connection, depth, seconds) {
  const stream = await connection.newStream(ECHO, PLENTY_OF_STREAMS)
  const sent = new Float64Array(depth) // of the messages in flight, by number % depth
  const times = []
  let next = 0, back = 0, rest = Buffer.alloc(0)
  const start = performance.now()
  const end = start + seconds * 1000
  const send = now => {
    sent[next % depth] = now
    stream.send(messageOf(next++))
  }
  try {
    await new Promise((resolve, reject) => {
      stream.addEventListener('message', e => {
        let got = Buffer.concat([rest, e.data.subarray()])
        for (; got.length >= MESSAGE_BYTES; got = got.subarray(MESSAGE_BYTES)) {
          if (back === next || !got.subarray(0, MESSAGE_BYTES).equals(messageOf(back))) {
            return reject(new Error('a message came back changed'))
          }
          const now = performance.now()
          times.push((now - sent[back++ % depth]) * 1000)
          if (now < end) send(now)
        }
        rest = got
        if (back === next) resolve()
      })
      stream.addEventListener('close', () => reject(new Error('the echo ended early')))
      for (let i = 0; i < depth; i++) send(performance.now())
    })
    const took = (performance.now() - start) / 1000
    await stream.close()
    return { times, seconds: took }
  } catch (err) {
    stream.abort(err)
    throw err
  }
}
