/** What a search needs of a model: to go on from where it is, to fork, and to go back. */
import { integer } from '../lib/check.js'

export interface ModelState {
  /** Number of tokens taken in so far. */
  readonly length: number
  /**
   * Takes in tokens and returns logits (f32, one per token of the vocabulary): after each of them with `all`, else
   * after the last alone.
   */
  extend(tokens: readonly number[], all?: boolean): Float32Array[] | Promise<Float32Array[]>
  /** An independent copy. */
  fork(): ModelState | Promise<ModelState>
  /** Forgets all but the first `length` tokens. */
  truncate(length: number): void
  dispose?(): void
}

/**
 * A model from a plain function of the whole text: for tests, and for engines without state.
 *
 * @example
 * const model = modelOf(tokens => logitsAfter(tokens))
 */
export function modelOf(logits: (tokens: readonly number[]) => Float32Array | Promise<Float32Array>): ModelState {
  return from(logits, [])
}

function from(
  logits: (tokens: readonly number[]) => Float32Array | Promise<Float32Array>,
  tokens: number[],
): ModelState {
  return {
    get length() {
      return tokens.length
    },
    async extend(more, all = false) {
      const rows: Float32Array[] = []
      for (const [i, token] of more.entries()) {
        tokens.push(token)
        if (all || i === more.length - 1) rows.push(await logits(tokens))
      }
      return rows
    },
    fork: () => from(logits, [...tokens]),
    truncate(length) {
      tokens.length = integer('truncate', 'length', length, 0, tokens.length)
    },
  }
}

/** The end tokens as a set. */
export function endSet(op: string, eos: number | Iterable<number> = []): ReadonlySet<number> {
  return new Set(Array.from(typeof eos === 'number' ? [eos] : eos, token => integer(op, 'eos', token, 0)))
}

export async function lastRow(model: ModelState, tokens: readonly number[]): Promise<Float32Array> {
  const rows = await model.extend(tokens)
  return rows[rows.length - 1]!
}
