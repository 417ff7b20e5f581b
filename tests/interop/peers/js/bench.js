import { multiaddr } from '@multiformats/multiaddr'
import { quantile } from './counter.js'
import { fanout } from './fanout.js'
import { createDialer } from './node.js'
import { askMessages, askPerf, askRR } from './streams.js'

const HOLDERS_AT_ONCE = 16

/** Runs `work(i)` count times side by side. */
const together = (count, work) => Promise.all(Array.from({ length: count }, (_, i) => work(i)))

/** Dials and waits until the remote is identified. */
async function dialIdentified (dialer, addr) {
  const identified = new Promise(resolve => dialer.addEventListener('peer:identify', resolve, { once: true }))
  await dialer.dial(multiaddr(addr))
  await identified
}

export function benchCommands (flags, target) {
  let held = []

  /** Counts connections that are secured and muxed; identify runs but is not waited for. */
  async function handshake (r) {
    const dialers = await together(r.dialers ?? 1, () => createDialer(flags.sec))
    let count = 0
    const start = performance.now()
    const end = start + r.seconds * 1000
    try {
      await together(dialers.length, async i => {
        while (performance.now() < end) {
          const connection = await dialers[i].dial(multiaddr(r.addr))
          await connection.close()
          count++
        }
      })
      return { count, perSec: count / ((performance.now() - start) / 1000) }
    } finally {
      await together(dialers.length, i => dialers[i].stop())
    }
  }

  async function perf (r) {
    const connection = await target(r)
    const up = r.up ?? 0
    const down = r.down ?? 0
    const start = performance.now()
    await askPerf(connection, up, down)
    const seconds = (performance.now() - start) / 1000
    return { seconds, gbps: (up + down) * 8 / 1e9 / seconds }
  }

  async function rr (r) {
    const connection = await target(r)
    await askRR(connection)
    const times = []
    const start = performance.now()
    const end = start + r.seconds * 1000
    await together(r.depth ?? 1, async () => {
      for (let began = performance.now(); began < end; began = performance.now()) {
        await askRR(connection)
        times.push((performance.now() - began) * 1000)
      }
    })
    const seconds = (performance.now() - start) / 1000
    times.sort((a, b) => a - b)
    return { perSec: times.length / seconds, p50us: quantile(times, 0.5), p99us: quantile(times, 0.99) }
  }

  async function stream (r) {
    const { times, seconds } = await askMessages(await target(r), Math.max(r.depth ?? 1, 1), r.seconds)
    times.sort((a, b) => a - b)
    return { perSec: times.length / seconds, p50us: quantile(times, 0.5), p99us: quantile(times, 0.99) }
  }

  /** Needs a node for each connection: one node keeps one connection to a peer. */
  async function hold (r) {
    let left = r.n
    let opened = 0
    await together(HOLDERS_AT_ONCE, async () => {
      while (left-- > 0) {
        const dialer = await createDialer(flags.sec)
        held.push(dialer)
        await dialIdentified(dialer, r.addr)
        opened++
      }
    })
    return { n: opened }
  }

  async function release () {
    const all = held
    held = []
    await Promise.all(all.map(dialer => dialer.stop()))
    return { n: all.length }
  }

  return {
    'bench-handshake': handshake,
    'bench-perf': perf,
    'bench-rr': rr,
    'bench-stream': stream,
    'bench-hold': hold,
    'bench-fanout': r => fanout(flags.sec, r),
    release
  }
}
