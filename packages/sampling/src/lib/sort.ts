/**
 * Descending order of float keys: insertion sort for a few, radix sort for many. Both are stable, so equal logits keep
 * the order of their token ids. Scratch is shared and grows to the largest call.
 */
const RADIX = 2048
const counts: Uint32Array = /* @__PURE__ */ new Uint32Array(RADIX * 3)
let keysA = new Uint32Array(0)
let keysB = new Uint32Array(0)
let orderA = new Uint32Array(0)
let orderB = new Uint32Array(0)

/** The indices 0…n-1 in descending order of `keys`. The result is scratch: read it before the next call. */
export function orderDescending(keys: Float32Array, n: number): Uint32Array {
  if (orderA.length < n) {
    keysA = new Uint32Array(n)
    keysB = new Uint32Array(n)
    orderA = new Uint32Array(n)
    orderB = new Uint32Array(n)
  }
  return n <= 48 ? insertion(keys, n) : radix(keys, n)
}

function insertion(keys: Float32Array, n: number): Uint32Array {
  const order = orderA
  for (let i = 0; i < n; i++) {
    const key = keys[i]!
    let j = i - 1
    while (j >= 0 && keys[order[j]!]! < key) {
      order[j + 1] = order[j]!
      j--
    }
    order[j + 1] = i
  }
  return order
}

function radix(keys: Float32Array, n: number): Uint32Array {
  const bits = new Uint32Array(keys.buffer, keys.byteOffset, n)
  const histogram = counts.fill(0)
  for (let i = 0; i < n; i++) {
    const b = bits[i]!
    // order-preserving unsigned key, inverted for descending order; -0 is 0
    const key = b & 0x80000000 && b !== 0x80000000 ? b : ~b & 0x7fffffff
    keysA[i] = key
    histogram[key & 2047]!++
    histogram[2048 + ((key >>> 11) & 2047)]!++
    histogram[4096 + (key >>> 22)]!++
  }
  let from = keysA
  let to = keysB
  let fromOrder = orderA
  let toOrder = orderB
  for (let i = 0; i < n; i++) fromOrder[i] = i
  for (let pass = 0; pass < 3; pass++) {
    const base = pass * RADIX
    const shift = pass * 11
    let sum = 0
    let single = false
    for (let i = 0; i < RADIX; i++) {
      const c = histogram[base + i]!
      if (c === n) single = true
      histogram[base + i] = sum
      sum += c
    }
    if (single) continue
    for (let i = 0; i < n; i++) {
      const key = from[i]!
      const at = histogram[base + ((key >>> shift) & 2047)]!++
      to[at] = key
      toOrder[at] = fromOrder[i]!
    }
    ;[from, to] = [to, from]
    ;[fromOrder, toOrder] = [toOrder, fromOrder]
  }
  return fromOrder
}
