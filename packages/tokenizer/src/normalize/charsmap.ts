// SentencePiece's precompiled character map: a double-array trie of replacements (NFKC and the like) and its texts.

import { badFile } from '../errors.js'
import { sizeOf, textOf, utf8 } from '../utf8.js'

/** A parsed `precompiled_charsmap`. */
export class CharsMap {
  private readonly units: Uint32Array
  private readonly texts: Uint8Array

  constructor(blob: Uint8Array, op: string) {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
    const size = blob.length >= 4 ? view.getUint32(0, true) : 0
    if (blob.length < 4 || size % 4 !== 0 || size === 0 || size > blob.length - 4) {
      throw badFile(op, `a character map of ${blob.length} bytes with a trie of ${size}`, 'a trie inside the map')
    }
    this.units = new Uint32Array(size / 4)
    for (let i = 0; i < this.units.length; i++) this.units[i] = view.getUint32(4 + 4 * i, true)
    this.texts = blob.slice(4 + size)
  }

  /** `[length, offset]` of the longest key at `p`, length 0 when there is none. */
  private longest(b: Uint8Array, p: number): [number, number] {
    const { units } = this
    let node = 0
    let length = 0
    let value = 0
    let unit = units[0]!
    node ^= offsetOf(unit)
    for (let i = p; i < b.length; i++) {
      node ^= b[i]!
      unit = units[node] ?? 0
      // Label and the leaf bit must match the byte; out of range reads as 0, which matches no byte but NUL.
      if ((unit & 0x800000ff) >>> 0 !== b[i] || unit === 0) break
      node ^= offsetOf(unit)
      if ((unit >>> 8) & 1) {
        length = i + 1 - p
        value = (units[node] ?? 0) & 0x7fffffff
      }
    }
    return [length, value]
  }

  /** `text` with every longest match replaced. */
  apply(text: string): string {
    const b = utf8(text)
    let out = ''
    let from = 0
    for (let p = 0; p < b.length; ) {
      const [length, value] = this.longest(b, p)
      if (length === 0) {
        p += sizeOf(b[p]!)
        continue
      }
      let stop = value
      while (stop < this.texts.length && this.texts[stop] !== 0) stop++
      out += textOf(b, from, p, false) + textOf(this.texts, Math.min(value, stop), stop, false)
      p += length
      from = p
    }
    return from === 0 ? text : out + textOf(b, from, b.length, false)
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6)
}
