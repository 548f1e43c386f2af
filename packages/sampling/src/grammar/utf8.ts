/** Code points and ranges of them as UTF-8 byte sequences. Surrogates have none. */
import type { Ranges } from './expr.js'

/** A sequence of byte ranges, one per byte. */
export type ByteSequence = readonly (readonly [low: number, high: number])[]

const LIMITS: readonly [number, number][] = [
  [0, 0x7f],
  [0x80, 0x7ff],
  [0x800, 0xd7ff],
  [0xe000, 0xffff],
  [0x10000, 0x10ffff],
]

export function byteSequences(ranges: Ranges): ByteSequence[] {
  const out: ByteSequence[] = []
  for (const [a, b] of ranges) {
    for (const [low, high] of LIMITS) {
      if (Math.max(a, low) <= Math.min(b, high)) split(Math.max(a, low), Math.min(b, high), out)
    }
  }
  return out
}

/** Splits a range of equally long code points where a continuation byte does not run through all its values. */
function split(low: number, high: number, out: ByteSequence[]): void {
  const length = low < 0x80 ? 1 : low < 0x800 ? 2 : low < 0x10000 ? 3 : 4
  for (let i = 1; i < length; i++) {
    const mask = (1 << (6 * i)) - 1
    if ((low & ~mask) === (high & ~mask)) continue
    if ((low & mask) !== 0) {
      split(low, low | mask, out)
      split((low | mask) + 1, high, out)
      return
    }
    if ((high & mask) !== mask) {
      split(low, (high & ~mask) - 1, out)
      split(high & ~mask, high, out)
      return
    }
  }
  const from = encode(low, length)
  const to = encode(high, length)
  out.push(from.map((byte, i) => [byte, to[i]!] as const))
}

function encode(code: number, length: number): number[] {
  if (length === 1) return [code]
  const bytes: number[] = []
  let rest = code
  for (let i = 1; i < length; i++, rest >>= 6) bytes.unshift(0x80 | (rest & 0x3f))
  bytes.unshift([0, 0, 0xc0, 0xe0, 0xf0][length]! | rest)
  return bytes
}
