/** Several sources of rows in given proportions, as pretraining mixes its corpora. */
import { DataError } from '../errors.js'
import type { Position, Rows } from './rows.js'
import { checkSeed, random } from './shuffle.js'
import { whole } from './windows.js'

export interface MixturePart {
  readonly rows: Rows
  /** Share of the rows; weights need not add up to anything. */
  readonly weight: number
}

/** LLaMA's pretraining data in per cent of the tokens (LLaMA, Table 1). */
export const llamaMixture = {
  commonCrawl: 67,
  c4: 15,
  github: 4.5,
  wikipedia: 4.5,
  books: 4.5,
  arxiv: 2.5,
  stackExchange: 2,
} as const

/**
 * Rows drawn from the parts by their weights. Draw n goes to the same part in every run with the same seed.
 *
 * @example
 * mixture({ stories: { rows: a, weight: 80 }, questions: { rows: b, weight: 20 } }, { seed: 1 })
 * @throws DataError for parts of different row lengths or kinds, or weights that cannot be.
 */
export function mixture(
  parts: Readonly<Record<string, MixturePart>>,
  { seed = 0 }: { readonly seed?: number } = {},
): Rows {
  checkSeed('mixture', seed)
  const list = Object.entries(parts)
  const [first] = list
  const total = list.reduce((a, [, { weight }]) => a + weight, 0)
  if (first === undefined || !(total > 0) || list.some(([, { weight }]) => !(weight >= 0 && Number.isFinite(weight))))
    throw new DataError(
      `mixture: got weights ${list.map(([name, { weight }]) => `${name} ${weight}`).join(', ') || 'of no parts'}, expected finite numbers ≥ 0 that are not all 0`,
    )
  const { length, packed } = first[1].rows
  for (const [name, { rows }] of list)
    if (rows.length !== length || rows.packed !== packed)
      throw new DataError(
        `mixture: got ${name} with ${rows.packed ? 'packed' : 'plain'} rows of ${rows.length}, expected ${packed ? 'packed' : 'plain'} rows of ${length} like ${first[0]}`,
      )
  let drawn = 0
  const choose = (n: number): Rows => {
    let left = random(seed, n) * total
    for (const [, { rows, weight }] of list) {
      left -= weight
      if (left < 0 && weight > 0) return rows
    }
    return list.findLast(([, { weight }]) => weight > 0)![1].rows
  }
  const partsOf = (position: Position): readonly (readonly [rows: Rows, place: Position])[] => {
    const p = position as { readonly parts?: Readonly<Record<string, Position>> } | null
    return list.map(([name, { rows }]) => [rows, p?.parts?.[name] ?? null])
  }
  const drawnOf = (position: Position): number =>
    whole((position as { readonly drawn?: Position } | null)?.drawn ?? null)
  const check = (position: Position): void => {
    drawnOf(position)
    for (const [rows, place] of partsOf(position)) rows.check?.(place)
  }
  return {
    length,
    packed,
    next: () => choose(drawn++).next(),
    position: () => ({ drawn, parts: Object.fromEntries(list.map(([name, { rows }]) => [name, rows.position()])) }),
    check,
    seek(position) {
      check(position)
      for (const [rows, place] of partsOf(position)) rows.seek(place)
      drawn = drawnOf(position)
    },
    async close() {
      for (const [, { rows }] of list) await rows.close?.()
    },
  }
}
