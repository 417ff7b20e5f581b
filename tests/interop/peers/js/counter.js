/** Takes sorted numbers; an empty list gives 0. */
export function quantile (sorted, q) {
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
}

/** Counts messages while it is on; latencies come from the time in the first 8 bytes. */
export class Tally {
  #on = false
  #count = 0
  #bytes = 0
  #distinct = new Set()
  #latencies = []
  #first = 0
  #last = 0

  /** Says whether the message was counted, so that no event is to be written. */
  take (id, data) {
    if (!this.#on) return false
    const now = performance.timeOrigin + performance.now()
    if (this.#count === 0) this.#first = Math.floor(now)
    this.#last = Math.floor(now)
    this.#count++
    this.#bytes += data.length
    this.#distinct.add(id)
    if (data.length >= 8) {
      this.#latencies.push(now - new DataView(data.buffer, data.byteOffset, data.length).getFloat64(0))
    }
    return true
  }

  start () {
    this.#on = true
    this.#count = this.#bytes = this.#first = this.#last = 0
    this.#distinct = new Set()
    this.#latencies = []
  }

  stop () {
    this.#on = false
    const sorted = this.#latencies.sort((a, b) => a - b)
    return {
      count: this.#count,
      distinct: this.#distinct.size,
      bytes: this.#bytes,
      firstMs: this.#first,
      lastMs: this.#last,
      p50ms: quantile(sorted, 0.5),
      p99ms: quantile(sorted, 0.99)
    }
  }
}
