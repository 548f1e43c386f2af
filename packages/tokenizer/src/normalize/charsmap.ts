// SentencePiece's precompiled character map: a double-array trie of replacements (NFKC and the like) and its texts.

import { badFile } from '../errors.js'
import { sizeOf, textOf, utf8 } from '../utf8.js'
import { fromBase64, type MakeCharsMap } from './sentencepiece.js'

/** A parsed `precompiled_charsmap`. */
export class CharsMap {
  readonly #units: Uint32Array
  readonly #texts: Uint8Array

  constructor(blob: Uint8Array, op: string) {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
    const size = blob.length >= 4 ? view.getUint32(0, true) : 0
    if (blob.length < 4 || size % 4 !== 0 || size === 0 || size > blob.length - 4) {
      throw badFile(op, `a character map of ${blob.length} bytes with a trie of ${size}`, 'a trie inside the map')
    }
    this.#units = new Uint32Array(size / 4)
    for (let i = 0; i < this.#units.length; i++) this.#units[i] = view.getUint32(4 + 4 * i, true)
    this.#texts = blob.slice(4 + size)
  }

  /**
   * Length and offset of the longest (or shortest) key at `p`, length 0 when there is none, and how many bytes were
   * looked at.
   */
  #match(b: Uint8Array, p: number, shortest: boolean): [length: number, offset: number, seen: number] {
    const units = this.#units
    let node = 0
    let length = 0
    let value = 0
    let unit = units[0]!
    node ^= offsetOf(unit)
    let i = p
    for (; i < b.length; i++) {
      node ^= b[i]!
      unit = units[node] ?? 0
      // Label and the leaf bit must match the byte; out of range reads as 0, which matches no byte but NUL.
      if ((unit & 0x800000ff) >>> 0 !== b[i] || unit === 0) break
      node ^= offsetOf(unit)
      if ((unit >>> 8) & 1) {
        length = i + 1 - p
        value = (units[node] ?? 0) & 0x7fffffff
        if (shortest) break
      }
    }
    return [length, value, i - p + 1]
  }

  /**
   * What stands for the shortest key that `text` begins with, if there is one; text of more than `most` bytes is not
   * looked up. That the shortest counts, and for the whole text, is how Hugging Face's `spm_precompiled` does it.
   */
  shortest(text: string, most: number): string | undefined {
    const b = utf8(text)
    if (b.length > most) return undefined
    const [length, value] = this.#match(b, 0, true)
    return length === 0 ? undefined : this.#textAt(value)
  }

  /** Whether {@link apply} takes the bytes before `at` for themselves, whatever follows. */
  stopsAt(b: Uint8Array, at: number): boolean {
    let p = 0
    while (p < at) {
      const [length, , seen] = this.#match(b, p, false)
      if (p + seen > b.length) return false
      p += length === 0 ? sizeOf(b[p]!) : length
    }
    return p === at
  }

  #textAt(value: number): string {
    let stop = value
    while (stop < this.#texts.length && this.#texts[stop] !== 0) stop++
    return textOf(this.#texts, Math.min(value, stop), stop)
  }

  /** `text` with every longest match replaced. */
  apply(text: string): string {
    const b = utf8(text)
    let out = ''
    let from = 0
    for (let p = 0; p < b.length; ) {
      const [length, value] = this.#match(b, p, false)
      if (length === 0) {
        p += sizeOf(b[p]!)
        continue
      }
      out += textOf(b, from, p) + this.#textAt(value)
      p += length
      from = p
    }
    return from === 0 ? text : out + textOf(b, from, b.length)
  }
}

/** The map of these bytes in base64. */
export const charsMapOf: MakeCharsMap = (base64, op) => new CharsMap(fromBase64(base64, op), op)

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6)
}
