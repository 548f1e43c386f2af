// From a vocabulary with a list of merges (Hugging Face's `tokenizer.json`, GGUF `gpt2`) to its merges.

import type { Merges } from '../bpe/merger.js'
import { PairTable } from '../bpe/pair-table.js'
import type { VocabIndex } from '../bpe/vocab-index.js'
import { badFile, show } from '../errors.js'
import {
  addPlain,
  NORMAL,
  type TokenTable,
  type TokenTableBuilder,
  UNUSED,
  USER_DEFINED,
  unitToByteTable,
} from '../token-table.js'

/** Heap keys in the merger hold 21 bits of priority. */
export const MAX_MERGES: number = 1 << 21

/** Merges as `"left right"` or `[left, right]`. */
export type MergeList = readonly (string | readonly [string, string])[]

/**
 * Adds one token whose text is in GPT-2's byte alphabet. Text outside the alphabet is taken as it is, which is how
 * added tokens stand in some files; no text becomes such a token by merging, so it is none of the normal kind.
 */
export function addByteLevel(builder: TokenTableBuilder, text: string, kind: number, unitToByte: Int16Array): void {
  const room = builder.room(text.length)
  const at = builder.at
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const byte = unit < unitToByte.length ? unitToByte[unit]! : -1
    if (byte < 0) {
      addPlain(builder, text, kind === NORMAL ? USER_DEFINED : kind)
      return
    }
    room[at + i] = byte
  }
  builder.commit(text.length, kind)
}

/**
 * The merge table of a list of merges. Byte-level vocabularies are looked up by bytes (`index` and `alphabet`), which
 * is several times faster than by string; `idOf` knows the tokens by the text that the list uses.
 */
export function listedMerges(
  list: MergeList,
  idOf: (text: string) => number | undefined,
  op: string,
  bytes?: { readonly index: VocabIndex; readonly alphabet: Int16Array },
): Merges {
  if (list.length >= MAX_MERGES) throw badFile(op, `${list.length} merges`, `fewer than ${MAX_MERGES}`)
  const pairs = new PairTable(list.length)
  const result = new Int32Array(list.length)
  const scratch = new Uint8Array(512)
  /** The token of `text[from, to)`, without what stands at `divider`. */
  const find = (text: string, from: number, to: number, divider = -1): number => {
    let n = 0
    if (bytes !== undefined && to - from < scratch.length) {
      for (let i = from; i < to && n >= 0; i++) {
        if (i === divider) continue
        const byte = bytes.alphabet[text.charCodeAt(i)] ?? -1
        scratch[n] = byte
        n = byte < 0 ? -1 : n + 1
      }
      const id = n < 0 ? -1 : bytes.index.get(scratch, 0, n)
      if (id >= 0) return id
    }
    return idOf(text.slice(from, divider < 0 ? to : divider) + (divider < 0 ? '' : text.slice(divider + 1, to))) ?? -1
  }
  for (let rank = 0; rank < list.length; rank++) {
    const merge: unknown = list[rank]
    const sides = Array.isArray(merge) && merge.length === 2 && typeof merge[0] === 'string' ? merge : undefined
    const text = typeof merge === 'string' ? merge : (sides?.join(' ') ?? '')
    // A token may begin with a space in no list of strings, so the first space that is not at the start divides.
    const divider = sides === undefined ? text.indexOf(' ', 1) : (sides[0] as string).length
    const left = divider < 0 ? -1 : find(text, 0, divider)
    const right = left < 0 ? -1 : find(text, divider + 1, text.length)
    const made = right < 0 ? -1 : find(text, 0, text.length, divider)
    if (made < 0) throw badFile(op, `merge ${rank} ${show(merge)}`, 'two tokens of the vocabulary that join to a third')
    result[rank] = made
    pairs.add(left, right, rank)
  }
  return { pairs, result }
}

/** Token ids of single bytes, from normal tokens; -1 where there is none. */
export function byteIdsOf(table: TokenTable): Int32Array {
  const ids = new Int32Array(256).fill(-1)
  const { blob, offsets, kinds, size } = table
  for (let id = size - 1; id >= 0; id--) {
    const start = offsets[id]!
    if (offsets[id + 1] === start + 1 && (kinds[id] === NORMAL || kinds[id] === UNUSED)) ids[blob[start]!] = id
  }
  return ids
}

/** A fresh inverse of GPT-2's byte alphabet. */
export const byteAlphabet: () => Int16Array = unitToByteTable
