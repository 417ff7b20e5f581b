// Starts the daemons that the tests use: starling p2pd in the place of go-libp2p-daemon, js-libp2p beside it.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createClient } from '@libp2p/daemon-client'
import { createServer } from '@libp2p/daemon-server'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { floodsub } from '@libp2p/floodsub'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { UnsupportedError } from '@libp2p/interop'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const START_MS = 20_000
const children = new Set()

process.on('exit', () => { for (const child of children) child.kill('SIGKILL') })

/** `starling p2pd` with these flags, once it has said where its control socket is. */
export async function startDaemon (flags) {
  const child = spawn(process.env.STARLING, ['p2pd', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  let out = ''
  let err = ''
  child.stderr.on('data', (data) => { err += data })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const control = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`p2pd did not start: ${out}${err}`)), START_MS)
    exited.then(() => reject(new Error(`p2pd ended: ${out}${err}`)))
    child.stdout.on('data', (data) => {
      out += data
      const found = /^Control socket: (\S+)$/m.exec(out)
      if (found == null || !out.includes('Peer Addrs:')) return
      clearTimeout(timer)
      resolve(found[1])
    })
  })
  return {
    control,
    // js writes a Unix path as one percent-encoded part.
    client: createClient(multiaddr(control.replace(/^\/unix(\/.*)$/, (_, path) => `/unix/${encodeURIComponent(path)}`))),
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      children.delete(child)
    }
  }
}

/** In the slot that the suites name go. */
export async function starlingPeer (options) {
  const flags = ['-listen=/ip4/127.0.0.1/tcp/0', `-muxer=${options.muxer ?? 'yamux'}`]
  if (options.noListen === true) flags.push('-noListenAddrs')
  else if ((options.transport ?? 'tcp') === 'tcp') flags.push('-hostAddrs=/ip4/127.0.0.1/tcp/0')
  else throw new UnsupportedError()
  if (options.encryption != null) flags.push(`-${options.encryption}=true`)
  if (options.dht === true) flags.push('-dhtServer')
  if (options.relay === true) flags.push('-relay')
  if (options.pubsub === true) flags.push('-pubsub')
  if (options.pubsubRouter != null) flags.push(`-pubsubRouter=${options.pubsubRouter}`)
  if (options.key != null) flags.push(`-id=${options.key}`)
  return startDaemon(flags)
}

export async function jsPeer (options) {
  if ((options.transport ?? 'tcp') !== 'tcp') throw new UnsupportedError()
  const services = { identify: identify(), ping: ping() }
  if (options.pubsub === true) services.pubsub = options.pubsubRouter === 'floodsub' ? floodsub() : gossipsub()
  if (options.dht === true) {
    services.dht = kadDHT({ protocol: '/ipfs/kad/1.0.0', peerInfoMapper: passthroughMapper, clientMode: false })
  }
  const node = await createLibp2p({
    privateKey: options.key == null ? undefined : privateKeyFromProtobuf(readFileSync(options.key)),
    addresses: { listen: options.noListen === true ? [] : ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: options.encryption === 'tls' ? [tls()] : [noise()],
    streamMuxers: [yamux()],
    services
  })
  const server = createServer(multiaddr('/ip4/127.0.0.1/tcp/0'), node)
  await server.start()
  return {
    client: createClient(server.getMultiaddr()),
    stop: async () => {
      await server.stop()
      await node.stop()
    }
  }
}
