/** The protocol of a stage. A chain has the same type, so chains nest. */
import type { Candidates } from './candidates.js'
import type { SamplingContext } from './context.js'

export interface Sampler {
  /** The name under which errors and listings speak of it. */
  readonly name: string
  /** Narrows, reshapes or picks from the candidates, in place. */
  apply(candidates: Candidates, context: SamplingContext): void
  /** Told of every token, of the prompt too, after it entered the context. */
  accept?(token: number, context: SamplingContext): void
  /** Back to the state when made; a seeded stage replays the same draws. */
  reset?(): void
  /** A copy with its own state. A stage that keeps state must have it to be usable in a chain that is cloned. */
  clone?(): Sampler
}

/**
 * A user's own stage as a plain function: edits the logits (f32, one per token of the vocabulary) in place.
 * After a truncating stage the removed tokens read -Infinity, and writing to those has no effect.
 */
export type Processor = (logits: Float32Array, context: SamplingContext) => void
