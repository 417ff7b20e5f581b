import { generateKeyPair, generateKeyPairFromSeed, privateKeyFromRaw } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { messageId } from './gossip.js'

const AGENT = 'starling-interop-js/1'
const PLENTY = 1_000_000

export async function parseKey (text) {
  if (text === undefined) return generateKeyPair('Ed25519')
  const [type, digits] = text.split(':')
  if (!/^[0-9a-fA-F]{64}$/.test(digits ?? '')) throw new Error('--key needs 64 hex digits after the type')
  const raw = Uint8Array.from(Buffer.from(digits, 'hex'))
  if (type === 'ed25519') return generateKeyPairFromSeed('Ed25519', raw)
  if (type === 'secp256k1') return privateKeyFromRaw(raw)
  throw new Error(`unknown key type ${type}`)
}

/** What every node has, the one of the contract and the ones that only dial. No limit is left on. */
function common (privateKey, listen, sec) {
  return {
    privateKey,
    nodeInfo: { userAgent: AGENT },
    addresses: { listen },
    transports: [tcp({ noDelay: true, backlog: 4096 })],
    connectionEncrypters: [sec === 'tls' ? tls() : noise()],
    streamMuxers: [yamux({
      maxInboundStreams: PLENTY,
      maxOutboundStreams: PLENTY,
      maxEarlyStreams: PLENTY,
      streamOptions: { maxReadBufferLength: 64 << 20 }
    })],
    connectionManager: {
      maxConnections: PLENTY,
      maxIncomingPendingConnections: PLENTY,
      inboundConnectionThreshold: PLENTY,
      maxParallelDials: PLENTY,
      maxDialQueueLength: PLENTY,
      reconnectRetries: 0
    },
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false }
  }
}

/** A node with a key of its own that listens nowhere. */
export async function createDialer (sec) {
  return createLibp2p({
    ...common(await generateKeyPair('Ed25519'), [], sec),
    services: { identify: identify() }
  })
}

export async function createNode (flags) {
  const services = { identify: identify(), identifyPush: identifyPush(), ping: ping({ maxInboundStreams: 64, timeout: 60_000 }) }
  if (flags.kad !== undefined) {
    services.dht = kadDHT({
      protocol: flags.kad,
      clientMode: flags.kadMode === 'client',
      peerInfoMapper: passthroughMapper,
      allowQueryWithZeroPeers: true,
      maxInboundStreams: PLENTY,
      maxOutboundStreams: PLENTY
    })
  }
  if (flags.gossip) {
    services.pubsub = gossipsub({
      globalSignaturePolicy: 'StrictSign',
      msgIdFn: messageId,
      allowPublishToZeroTopicPeers: true,
      emitSelf: false,
      fallbackToFloodsub: false,
      maxInboundStreams: PLENTY,
      maxOutboundStreams: PLENTY,
      scoreParams: { IPColocationFactorWeight: 0 }
    })
  }
  return createLibp2p({ ...common(await parseKey(flags.key), flags.listen, flags.sec), services })
}
