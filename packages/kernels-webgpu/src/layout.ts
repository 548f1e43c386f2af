/**
 * How tensors lie in GPU buffers. Dense dtypes keep the canonical layout (halves two to a word, bytes four), padded to
 * whole words. q8_0 and q4_0 are split: all quants first, in whole words, then their f16 scales, two to a word, each row of the last
 * axis padded to a word. Other block formats keep their canonical bytes. A matrix larger than one binding is cut into
 * shards of whole rows.
 */
import { blockFormats, byteLength, isBlock, type Spec, sizeOf } from '@cria/tensor'

/** A run of rows of the last axis in one GPU buffer. */
export interface Shard {
  /** Rows before this shard, and in it. For tensors in one piece: 0 and all. */
  readonly start: number
  readonly rows: number
  /** Canonical bytes, and bytes of the buffer. */
  readonly canonical: number
  readonly bytes: number
}

export interface BlockLayout {
  readonly blocksPerRow: number
  /** Words of quants in a block. */
  readonly quantWords: number
  /** The word where the scales begin. */
  readonly scalesAt: number
  /** Words of the whole. */
  readonly words: number
}

/** Split formats; everything else is stored as it is. */
export const isSplit = ({ dtype }: Spec): boolean => dtype === 'q8_0' || dtype === 'q4_0'

/** The split layout of `rows` rows (default: all) of a q8_0 or q4_0 tensor. */
export function blockLayout(s: Spec, rows: number = rowsOf(s)): BlockLayout {
  const blocksPerRow = s.shape.at(-1)! / 32
  const quantWords = s.dtype === 'q8_0' ? 8 : 4
  const scalesAt = rows * blocksPerRow * quantWords
  return { blocksPerRow, quantWords, scalesAt, words: scalesAt + rows * Math.ceil(blocksPerRow / 2) }
}

/** Rows of the last axis; a scalar is one row. */
export const rowsOf = (s: Spec): number => sizeOf(s.shape.slice(0, -1))

const words = (bytes: number): number => Math.max(16, Math.ceil(bytes / 4) * 4)

function bufferBytes(s: Spec, rows: number): number {
  if (isSplit(s)) return words(blockLayout(s, rows).words * 4)
  return words(rows === rowsOf(s) ? byteLength(s) : (byteLength(s) / rowsOf(s)) * rows)
}

/**
 * The buffers of a tensor. Only matrices are cut, and only where a row is whole words: weights are.
 *
 * @param limit bytes of the largest binding
 */
export function shardsOf(s: Spec, limit: number): readonly Shard[] {
  const all = rowsOf(s)
  const whole = bufferBytes(s, all)
  if (whole <= limit || s.shape.length !== 2) return [{ start: 0, rows: all, canonical: byteLength(s), bytes: whole }]
  const canonicalRow = byteLength(s) / all
  // Rows of a shard, a multiple of 4 so that every shard of packed dtypes starts on a word.
  const perRow = bufferBytes(s, 64) / 64
  const rows = Math.floor(limit / perRow / 4) * 4
  if (rows === 0) return [{ start: 0, rows: all, canonical: byteLength(s), bytes: whole }]
  const shards: Shard[] = []
  for (let start = 0; start < all; start += rows) {
    const n = Math.min(rows, all - start)
    shards.push({ start, rows: n, canonical: n * canonicalRow, bytes: bufferBytes(s, n) })
  }
  return shards
}

/** Splits canonical blocks of whole rows into quants and scales. */
export function split(s: Spec, bytes: Uint8Array): { quants: Uint8Array; scales: Uint8Array } {
  const { block, bytes: size } = formatOf(s)
  const perRow = s.shape.at(-1)! / block
  const count = bytes.byteLength / size
  const padded = 4 * Math.ceil(perRow / 2)
  const quants = new Uint8Array(count * (size - 2))
  const scales = new Uint8Array((count / perRow) * padded)
  for (let b = 0; b < count; b++) {
    const at = Math.floor(b / perRow) * padded + 2 * (b % perRow)
    scales[at] = bytes[b * size]!
    scales[at + 1] = bytes[b * size + 1]!
    quants.set(bytes.subarray(b * size + 2, (b + 1) * size), b * (size - 2))
  }
  return { quants, scales }
}

/** The canonical blocks again. */
export function unsplit(s: Spec, quants: Uint8Array, scales: Uint8Array): Uint8Array {
  const { block, bytes: size } = formatOf(s)
  const perRow = s.shape.at(-1)! / block
  const count = quants.byteLength / (size - 2)
  const padded = 4 * Math.ceil(perRow / 2)
  const out = new Uint8Array(count * size)
  for (let b = 0; b < count; b++) {
    const at = Math.floor(b / perRow) * padded + 2 * (b % perRow)
    out[b * size] = scales[at]!
    out[b * size + 1] = scales[at + 1]!
    out.set(quants.subarray(b * (size - 2), (b + 1) * (size - 2)), b * size + 2)
  }
  return out
}

function formatOf({ dtype }: Spec): { block: number; bytes: number } {
  if (!isBlock(dtype)) throw new TypeError(`layout: got ${dtype}, expected a block format`)
  return blockFormats[dtype]
}
