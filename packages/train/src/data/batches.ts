/** Rows put together as the inputs of a step, the next batch being read while this one is trained on. */
import { i32, type Spec } from '@cria/tensor'
import { DataError } from '../errors.js'
import type { Batch } from '../step.js'
import type { Position, Row, Rows } from './rows.js'

/** Specs of a batch: tokens and targets [B, T]; positions [T], or with `start` and `rows` [B, T] where rows are packed. */
export interface TokenBatchSpecs extends Readonly<Record<string, Spec>> {
  readonly tokens: Spec
  readonly targets: Spec
  readonly positions: Spec
}

export interface Batches {
  /** For `trainStep({ batch: data.specs })`. */
  readonly specs: TokenBatchSpecs
  readonly rows: number
  readonly length: number
  next(): Promise<Batch<TokenBatchSpecs>>
  /** Several, for accumulation. */
  take(count: number): Promise<Batch<TokenBatchSpecs>[]>
  /** Where the next batch begins: plain JSON for a checkpoint. */
  position(): Position
  /** @throws DataError for a position of another kind of rows; nothing has moved then. */
  seek(position: Position): void
  /** Closes the files below. */
  close(): Promise<void>
}

export interface BatchesOptions {
  /** Rows of a batch. */
  readonly size: number
  /**
   * Size of the model's vocabulary: data with other ids, which a model would read as some token or other, is refused.
   * Default: not checked.
   */
  readonly vocabSize?: number
}

/**
 * Batches of `size` rows.
 *
 * @example
 * const data = batches(windows(tokens, { length: 256 }), { size: 16 })
 * data.specs // { tokens: [16,256] i32, targets: [16,256] i32, positions: [256] i32 }
 */
export function batches(rows: Rows, { size, vocabSize }: BatchesOptions): Batches {
  if (!Number.isInteger(size) || size < 1)
    throw new DataError(`batches: got size ${size}, expected a whole number ≥ 1`, { got: size })
  const { length, packed } = rows
  const all = i32([size, length])
  const order = Int32Array.from({ length }, (_, i) => i)
  const specs: TokenBatchSpecs = packed
    ? { tokens: all, targets: all, positions: all, rows: i32([length]), start: all }
    : { tokens: all, targets: all, positions: i32([length]) }
  let here = rows.position()
  let seeks = 0
  let sought: { readonly position: Position } | undefined
  let ahead: Promise<{ batch: Batch<TokenBatchSpecs>; after: Position }> | undefined
  const gather = async (): Promise<{ batch: Batch<TokenBatchSpecs>; after: Position }> => {
    const list: Row[] = []
    for (let i = 0; i < size; i++) list.push(await rows.next())
    if (vocabSize !== undefined) for (const row of list) checkIds(row, vocabSize)
    const stack = (key: 'tokens' | 'targets' | 'positions' | 'start'): Int32Array => {
      const out = new Int32Array(size * length)
      list.forEach((row, i) => out.set(row[key]!, i * length))
      return out
    }
    const inputs = {
      tokens: stack('tokens'),
      targets: stack('targets'),
      ...(packed ? { positions: stack('positions'), rows: order, start: stack('start') } : { positions: order }),
    }
    return { batch: { inputs, count: list.reduce((a, r) => a + r.count, 0) }, after: rows.position() }
  }
  const advance = async (seen: number): Promise<Batch<TokenBatchSpecs>> => {
    if (sought) {
      // Rows that were being read ahead must have come to rest before the source may move.
      await ahead?.catch(() => {})
      rows.seek(sought.position)
      ahead = sought = undefined
    }
    const { batch, after } = await (ahead ?? gather())
    if (seen === seeks) here = after
    ahead = gather()
    // Its error, if any, is met by the next call; until then it must not count as unhandled.
    ahead.catch(() => {})
    return batch
  }
  // One behind the other: two at once would both take the batch that was read ahead.
  let last: Promise<unknown> = Promise.resolve()
  let closed = false
  const next = async (): Promise<Batch<TokenBatchSpecs>> => {
    if (closed)
      throw new DataError('batches: got next() after close(), expected it before. Make batches again to go on')
    const seen = seeks
    const batch = last.then(() => advance(seen))
    last = batch.catch(() => {})
    return batch
  }
  return {
    specs,
    rows: size,
    length,
    next,
    async take(count) {
      const out: Batch<TokenBatchSpecs>[] = []
      for (let i = 0; i < count; i++) out.push(await next())
      return out
    },
    position: () => here,
    seek(position) {
      // Before anything moves: rows that are being read ahead are sought later.
      rows.check?.(position)
      here = position
      seeks++
      last = last.then(() => {
        sought = { position }
      })
    },
    async close() {
      closed = true
      await last
      await ahead?.catch(() => {})
      await rows.close?.()
    },
  }
}

function checkIds({ tokens, targets }: Row, vocabSize: number): void {
  const bad = tokens.find(id => id < 0 || id >= vocabSize) ?? targets.find(id => id >= vocabSize)
  if (bad !== undefined)
    throw new DataError(
      `batches: got token ${bad}, expected ids below ${vocabSize}, the model's vocabulary. Was the data made with another tokenizer, or read as the wrong dtype?`,
      { got: bad, expected: vocabSize },
    )
}
