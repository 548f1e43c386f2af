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
  const scratch = new Uint8Array(256)
  for (let rank = 0; rank < list.length; rank++) {
    const merge: unknown = list[rank]
    let l: number | undefined
    let r: number | undefined
    let made: number | undefined
    if (bytes !== undefined && typeof merge === 'string' && merge.length <= 256) {
      const { index, alphabet } = bytes
      let n = 0
      let middle = 0
      for (let i = 0; i < merge.length; i++) {
        const unit = merge.charCodeAt(i)
        const byte = unit < alphabet.length ? alphabet[unit]! : -1
        if (byte >= 0) scratch[n++] = byte
        else if (unit === 0x20 && middle === 0) middle = n
        else n = middle = 1 << 30
      }
      if (middle > 0 && middle < n && n <= 256) {
        l = index.get(scratch, 0, middle)
        r = index.get(scratch, middle, n)
        made = index.get(scratch, 0, n)
      }
    }
    if (l === undefined || l < 0 || r! < 0 || made! < 0) {
      const [left, right] = sidesOf(merge)
      l = left === undefined ? undefined : idOf(left)
      r = right === undefined ? undefined : idOf(right)
      made = l === undefined || r === undefined ? undefined : idOf(left! + right!)
      if (made === undefined) {
        throw badFile(op, `merge ${rank} ${show(merge)}`, 'two tokens of the vocabulary that join to a third')
      }
    }
    result[rank] = made!
    pairs.add(l!, r!, rank)
  }
  return { pairs, result }
}

/** The two texts of a merge, `"left right"` or `[left, right]`. */
function sidesOf(merge: unknown): [string?, string?] {
  if (typeof merge === 'string') {
    // A token may begin with a space in no such list, so the first space that is not at the start divides.
    const space = merge.indexOf(' ', 1)
    return space < 0 ? [] : [merge.slice(0, space), merge.slice(space + 1)]
  }
  if (!Array.isArray(merge) || merge.length !== 2) return []
  const [left, right] = merge as unknown[]
  return typeof left === 'string' && typeof right === 'string' ? [left, right] : []
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
