// The suites of @libp2p/interop, with starling p2pd in the slot that they name go. One JSON object a line on
// stdout for each test that ran and for each that was left out.
import './polyfill.js'
import Mocha from 'mocha'

const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, reporter: function () {} })
mocha.suite.emit('pre-require', globalThis, null, mocha)
// Switched off upstream until js-libp2p's gossipsub had its new streams, which it has by now.
describe.skip = describe

const { interopTests } = await import('@libp2p/interop')
const { jsPeer, starlingPeer } = await import('./spawn.js')

await interopTests({ spawn: async (options) => options.type === 'go' ? starlingPeer(options) : jsPeer(options) })

/** Why a test is not run; undefined when it is. */
function leftOut (suite, test) {
  const names = `${suite} ${test}`
  if (!/\bgo\b/.test(names)) return 'without Starling'
  if (/over relay/.test(suite)) return 'circuit relay is not offered'
  const transport = /^connection\.(?!tcp$)(\S+)$/.exec(suite)
  if (transport != null) return `${transport[1]} is not offered`
  const matrix = /^(\w+)\/(\w+)\/(\w+) echo$/.exec(suite)
  if (matrix != null) {
    const [, key, encryption] = matrix
    if (key === 'rsa') return 'RSA host keys are not offered'
    if (encryption === 'plaintext') return `${encryption} is not offered`
  }
  if (suite === 'pubsub.floodSub') return 'the floodsub router is not offered'
  if (suite === 'pubsub.hybrid' && test.startsWith('go')) return 'the floodsub router is not offered'
}

const say = (object) => process.stdout.write(JSON.stringify(object) + '\n')
const keep = (suite, titles) => {
  const here = [...titles, suite.title].filter(Boolean)
  suite.tests = suite.tests.filter((test) => {
    const why = leftOut(here.join(' '), test.title)
    if (why !== undefined && why !== 'without Starling') say({ leftOut: [...here, test.title].join(': '), why })
    return why === undefined
  })
  suite.suites.forEach((inner) => keep(inner, here))
}
keep(mocha.suite, [])

const runner = mocha.run((failures) => process.exit(failures > 0 ? 1 : 0))
runner.on('pass', (test) => say({ passed: test.fullTitle(), ms: test.duration }))
runner.on('fail', (test, error) => say({ failed: test.fullTitle(), error: String(error.stack ?? error) }))
runner.on('pending', (test) => say({ leftOut: test.fullTitle(), why: 'skipped by the suite' }))
