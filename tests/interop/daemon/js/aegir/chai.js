// The assertions that the suites of @libp2p/interop use.
import chai from 'chai'
import chaiAsPromised from 'chai-as-promised'
import chaiBytes from 'chai-bites'
import chaiParentheses from 'chai-parentheses'

// Plugins see what those before them have added, so that of promises comes last but for the parentheses.
for (const plugin of [chaiBytes, chaiParentheses, chaiAsPromised]) chai.use(plugin)

export const expect = chai.expect
export const assert = chai.assert
