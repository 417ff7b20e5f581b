// The assertions that the suites of @libp2p/interop use.
import chai from 'chai'
import chaiAsPromised from 'chai-as-promised'
import chaiBytes from 'chai-bites'
import chaiParentheses from 'chai-parentheses'

// In the order of the real one: each wraps what those before it have added.
for (const plugin of [chaiAsPromised, chaiParentheses, chaiBytes]) chai.use(plugin)

export const expect = chai.expect
export const assert = chai.assert
