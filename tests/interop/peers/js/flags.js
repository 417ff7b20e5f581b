import { parseArgs } from 'node:util'

/** The command line of the peer contract. */
export function parseFlags (args) {
  const { values } = parseArgs({
    args,
    options: {
      listen: { type: 'string', multiple: true },
      key: { type: 'string' },
      sec: { type: 'string', default: 'noise' },
      kad: { type: 'string' },
      'kad-mode': { type: 'string', default: 'server' },
      topics: { type: 'string' },
      bootstrap: { type: 'string', multiple: true, default: [] },
      threads: { type: 'string', default: '1' } // Node runs the protocol on one thread whatever is asked
    }
  })
  const listen = values.listen ?? ['/ip4/127.0.0.1/tcp/0']
  if (!['noise', 'tls'].includes(values.sec)) throw new Error(`--sec must be noise or tls, not ${values.sec}`)
  if (!['server', 'client'].includes(values['kad-mode'])) throw new Error('--kad-mode must be server or client')
  return {
    listen: listen.includes('none') ? [] : listen,
    key: values.key,
    sec: values.sec,
    kad: values.kad,
    kadMode: values['kad-mode'],
    gossip: values.topics !== undefined,
    topics: (values.topics ?? '').split(',').filter(t => t !== ''),
    bootstrap: values.bootstrap
  }
}
