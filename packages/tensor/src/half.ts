/**
 * Half-precision numbers as bit patterns: IEEE binary16 and bfloat16, to and from float32.
 * Narrowing rounds to nearest, ties to even; NaN stays NaN (quiet), overflow becomes infinity. Not a tensor op.
 */

const word = new Uint32Array(1)
const real = new Float32Array(word.buffer)

/** The number an IEEE binary16 bit pattern stands for. */
export function f16ToF32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  word[0] = ((bits & 0x8000) << 16) | ((exponent + 112) << 23) | (fraction << 13)
  return real[0]!
}

/** The binary16 bit pattern nearest to `x` (first rounded to float32, as a store to a `Float32Array` does). */
export function f32ToF16(x: number): number {
  real[0] = x
  const bits = word[0]!
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 lines the fraction up with 2^-24 and lets the addition itself round to even.
    real[0] = Math.fround(Math.abs(real[0]!) + 0.5)
    return sign | (word[0]! - 0x3f000000)
  }
  return sign | ((magnitude + 0xc8000fff + ((magnitude >>> 13) & 1)) >>> 13)
}

/** The number a bfloat16 bit pattern stands for. */
export function bf16ToF32(bits: number): number {
  word[0] = bits << 16
  return real[0]!
}

/** The bfloat16 bit pattern nearest to `x`. */
export function f32ToBf16(x: number): number {
  real[0] = x
  return narrowToBf16(word[0]!)
}

const narrowToBf16 = (bits: number): number =>
  (bits & 0x7fffffff) > 0x7f800000 ? (bits >>> 16) | 64 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16

let table: Float32Array | undefined

/** Every binary16 value by its bits: 256 KiB, made at the first call. Treat it as read-only. */
export function f16Table(): Float32Array {
  return (table ??= Float32Array.from({ length: 65536 }, (_, bits) => f16ToF32(bits)))
}

/** Widens binary16 bits; `out` may be given to avoid the allocation. */
export function f16ArrayToF32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  const values = f16Table()
  for (let i = 0; i < bits.length; i++) out[i] = values[bits[i]!]!
  return out
}

/** Narrows to binary16 bits. */
export function f32ArrayToF16(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  for (let i = 0; i < values.length; i++) out[i] = f32ToF16(values[i]!)
  return out
}

/** Widens bfloat16 bits. */
export function bf16ArrayToF32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  const words = new Uint32Array(out.buffer, out.byteOffset, bits.length)
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16
  return out
}

/** Narrows to bfloat16 bits. */
export function f32ArrayToBf16(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < values.length; i++) out[i] = narrowToBf16(words[i]!)
  return out
}
