/**
 * exp, log and pow in plain IEEE arithmetic. ECMAScript leaves the last bits of `Math.exp` and `Math.log` to the
 * engine, and one bit can move a draw to another token; only + - * / and Math.sqrt are exact everywhere. These are
 * within 2 units in the last place and, inlined, faster than the built-ins.
 */
/** ln 2 / 256 in two parts: the first has 32 significant bits, so its product with a 19-bit integer is exact. */
const STEP_HIGH = 0.00270760617331689
const STEP_LOW = 7.453964567463233e-13
const INVERSE_STEP = 256 / Math.LN2

/** 2^(j/256), by square roots and products: both exact operations, so the table is the same everywhere. */
const ROOTS: Float64Array = /* @__PURE__ */ (() => {
  const table = new Float64Array(256).fill(1)
  for (let bit = 128, root = Math.sqrt(2); bit >= 1; bit >>= 1, root = Math.sqrt(root)) {
    for (let j = 0; j < 256; j++) if (j & bit) table[j]! *= root
  }
  return table
})()

/** 2^(i - 1080) for whole exponents; entries below the subnormal range are zero. */
const POWERS: Float64Array = /* @__PURE__ */ (() => {
  const table = new Float64Array(2112)
  for (let i = 1080, p = 1; i < 2112; i++, p *= 2) table[i] = p
  for (let i = 1079, p = 0.5; i >= 0; i--, p /= 2) table[i] = p
  return table
})()

/** e^x. */
export function exp(x: number): number {
  if (!(x > -745.2)) return Number.isNaN(x) ? x : 0
  if (x > 709.79) return Number.POSITIVE_INFINITY
  const n = Math.floor(x * INVERSE_STEP + 0.5)
  const r = x - n * STEP_HIGH - n * STEP_LOW
  const p = 1 + r * (1 + r * (0.5 + r * (1 / 6 + r * (1 / 24))))
  return p * ROOTS[n & 255]! * POWERS[(n >> 8) + 1080]!
}

/** Natural logarithm; log(0) is -Infinity and the logarithm of a negative number is NaN. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN
  if (x === Number.POSITIVE_INFINITY) return x
  let exponent = 0
  let m = x
  if (m < 2.2250738585072014e-308) {
    m *= 18014398509481984 // 2^54: out of the subnormals
    exponent = -54
  }
  view.setFloat64(0, m)
  const high = view.getUint32(0)
  exponent += (high >>> 20) - 1023
  view.setUint32(0, (high & 0xfffff) | 0x3ff00000)
  m = view.getFloat64(0)
  if (m > Math.SQRT2) {
    m /= 2
    exponent++
  }
  // atanh series: log m = 2 (s + s³/3 + s⁵/5 …), |s| < 0.172
  const s = (m - 1) / (m + 1)
  const q = s * s
  let sum = 0
  for (let i = 23; i >= 3; i -= 2) sum = q * (sum + 1 / i)
  return exponent * Math.LN2 + 2 * s * (1 + sum)
}

/** base^exponent for a positive base. */
export function pow(base: number, exponent: number): number {
  if (exponent === 0) return 1
  if (base === 0) return exponent > 0 ? 0 : Number.POSITIVE_INFINITY
  return exp(exponent * log(base))
}

const view: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8))
