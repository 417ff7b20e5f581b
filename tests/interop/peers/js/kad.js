import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'

const LOOKUP_BUDGET_MS = 60_000
const RAW_CODEC = 0x55

/**
 * Gives every namespace that has no validator or selector one that takes anything. Both tables are
 * plain objects looked up by name, and the library copies what it is given, so this comes afterwards.
 */
export function acceptEveryRecord (dht) {
  Object.setPrototypeOf(dht.validators, new Proxy({}, { get: () => async () => {} }))
  Object.setPrototypeOf(dht.selectors, new Proxy({}, { get: () => () => 0 }))
}

/** Counts the DHT messages of others from now on, and gives the function that tells how many there were. */
export function countServed (dht) {
  let served = 0
  const handle = dht.rpc.handleMessage.bind(dht.rpc)
  dht.rpc.handleMessage = (peerId, message) => {
    served++
    return handle(peerId, message)
  }
  return () => served
}

function recordKey (r) {
  if (r.keyhex !== undefined) return Uint8Array.from(Buffer.from(r.keyhex, 'hex'))
  if (r.key === undefined) throw new Error('key or keyhex is needed')
  return Uint8Array.from(Buffer.from(r.key))
}

/** `keyhex` of a provider command is taken as it stands, be it a multihash or not; `key` is hashed first. */
async function providerKey (r) {
  const raw = recordKey(r)
  const asIs = { code: 0, size: raw.length, digest: raw, bytes: raw }
  const multihash = r.keyhex === undefined ? await sha256.digest(raw) : asIs
  return CID.createV1(RAW_CODEC, multihash)
}

export function kadCommands (node) {
  const dht = node.services.dht
  const options = () => ({ signal: AbortSignal.timeout(LOOKUP_BUDGET_MS) })

  /** Runs one lookup; `visit` sees every event and ends it by returning true. */
  async function walk (lookup, visit) {
    if (dht === undefined) throw new Error('started without --kad')
    const start = performance.now()
    for await (const event of lookup()) {
      if (visit(event)) break
    }
    return performance.now() - start
  }

  async function provide (r) {
    const key = await providerKey(r)
    const ms = await walk(() => dht.provide(key, options()), () => false)
    return { providers: [node.peerId.toString()], ms }
  }

  async function findProviders (r) {
    const key = await providerKey(r)
    const found = new Set()
    const ms = await walk(() => dht.findProviders(key, options()), event => {
      if (event.name === 'PROVIDER') event.providers.forEach(p => found.add(p.id.toString()))
      return false
    })
    return { providers: [...found], ms }
  }

  async function put (r) {
    const value = Uint8Array.from(Buffer.from(r.value ?? '', 'hex'))
    return { ms: await walk(() => dht.put(recordKey(r), value, options()), () => false) }
  }

  async function get (r) {
    let value
    const ms = await walk(() => dht.get(recordKey(r), options()), event => {
      if (event.name === 'VALUE') value = event.value
      return false
    })
    if (value === undefined) throw new Error('no record found')
    return { value: Buffer.from(value).toString('hex'), ms }
  }

  async function findPeer (r) {
    const id = peerIdFromString(r.peerId)
    let addrs
    const ms = await walk(() => dht.findPeer(id, options()), event => {
      if (event.name !== 'FINAL_PEER') return false
      addrs = event.peer.multiaddrs.map(a => a.toString())
      return true
    })
    if (addrs === undefined) throw new Error('peer not found')
    return { addrs, ms }
  }

  async function table () {
    if (dht === undefined) throw new Error('started without --kad')
    return { size: dht.routingTable.size }
  }

  return { provide, findproviders: findProviders, put, get, findpeer: findPeer, table }
}
