/** Rows cut from one long stream of tokens, as GPT and LLaMA are pretrained: no padding, documents run into each other. */
import { DataError } from '../errors.js'
import { ignored, type Position, type Row, type Rows } from './rows.js'
import { checkSeed, mix, permute } from './shuffle.js'
import type { Tokens } from './tokens.js'

export interface WindowOptions {
  /** Tokens in a row. */
  readonly length: number
  /** Default 0. */
  readonly seed?: number
  /** Another order of the windows in each epoch. Default true. */
  readonly shuffle?: boolean
}

/**
 * Windows of `length` tokens side by side; each token but the first is a target once an epoch. A tail shorter than a
 * window is left out.
 *
 * @example
 * windows(await tokenFile('train.bin'), { length: 256, seed: 1 })
 */
export function windows(tokens: Tokens, { length, seed = 0, shuffle = true }: WindowOptions): Rows {
  const n = Math.floor((tokens.length - 1) / length)
  if (!Number.isInteger(length) || length < 1 || n < 1)
    throw new DataError(
      `windows: got ${tokens.length} tokens for rows of ${length}, expected at least ${length + 1}. Use shorter rows or more text`,
      { got: tokens.length, expected: length + 1 },
    )
  checkSeed('windows', seed)
  let taken = 0
  return {
    length,
    packed: false,
    async next() {
      const epoch = Math.floor(taken / n)
      const i = taken++ % n
      const at = (shuffle ? permute(i, n, mix(seed, epoch)) : i) * length
      return rowOf(tokens, at, length)
    },
    position: () => taken,
    check: whole,
    seek: position => {
      taken = whole(position)
    },
    close: async () => tokens.close?.(),
  }
}

async function rowOf(tokens: Tokens, at: number, length: number): Promise<Row> {
  const ids = await tokens.read(at, length + 1)
  const targets = ids.slice(1)
  const mask = await tokens.counted?.(at + 1, length)
  let count = length
  mask?.forEach((counts, i) => {
    if (counts) return
    targets[i] = ignored
    count--
  })
  return { tokens: ids.slice(0, length), targets, count }
}

/** A position that is a count of rows. */
export function whole(position: Position): number {
  if (typeof position === 'number' && Number.isSafeInteger(position) && position >= 0) return position
  throw new DataError(`data: got position ${JSON.stringify(position)}, expected the one that this source gave`, {
    got: position,
  })
}
