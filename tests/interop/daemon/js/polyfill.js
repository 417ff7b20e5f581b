// The pinned libraries use Promise.withResolvers, which Node 20 does not have yet.
if (Promise.withResolvers === undefined) {
  Promise.withResolvers = function withResolvers () {
    let resolve, reject
    const promise = new Promise((...both) => { [resolve, reject] = both })
    return { promise, resolve, reject }
  }
}
