/** The chain: stages applied in the order written, ending in one that picks. It is itself a stage. */
import { Candidates } from './candidates.js'
import { SamplingContext } from './context.js'
import { ParameterError, StateError } from './errors.js'
import { integer } from './lib/check.js'
import { processor } from './processor.js'
import type { Processor, Sampler } from './sampler.js'

export interface Chain extends Sampler {
  readonly stages: readonly Sampler[]
  /** What has been accepted so far. */
  readonly context: SamplingContext
  /** The candidates of the last `sample`: what was left, with which probabilities, and what was picked. */
  readonly candidates: Candidates
  /**
   * Picks the next token from logits (f32, one per token of the vocabulary; not changed). Pure but for the random
   * draws: call `accept` with the token that is really used.
   *
   * @throws LogitsError for NaN, +Infinity or when every token is ruled out; StateError when no stage picks.
   */
  sample(logits: Float32Array): number
  /** Tells every stage that this token was generated. */
  accept(token: number, context?: SamplingContext): void
  /** Tells every stage of the tokens that the text starts with. */
  prompt(tokens: Iterable<number>): void
  reset(): void
  clone(): Chain
}

/**
 * Composes stages and plain functions.
 *
 * @example
 * const pick = chain(penalties({ repeat: 1.1 }), topK(40), minP(0.05), temperature(0.8), categorical({ seed: 42 }))
 * const token = pick.sample(new Float32Array([0.1, 2.5, -1]))
 * pick.accept(token)
 */
export function chain(...stages: (Sampler | Processor)[]): Chain {
  return compose(
    stages.map((stage, i) => {
      if (typeof stage === 'function') return processor(stage.name || `processor ${i}`, stage)
      if (stage && typeof stage.apply === 'function') return stage
      throw new ParameterError('chain', `stage ${i}`, stage, 'a sampler or a function (logits, context) => void')
    }),
    new SamplingContext(),
  )
}

function compose(stages: readonly Sampler[], context: SamplingContext): Chain {
  const candidates = new Candidates()
  const accept = (token: number, around: SamplingContext): void => {
    for (const stage of stages) stage.accept?.(token, around)
  }
  return {
    name: 'chain',
    stages,
    context,
    candidates,
    apply(outer, around) {
      for (const stage of stages) stage.apply(outer, around)
    },
    sample(logits) {
      candidates.load(logits)
      context.vocabSize = logits.length
      for (const stage of stages) stage.apply(candidates, context)
      const token = candidates.token
      if (token === undefined) {
        const names = stages.map(stage => stage.name).join(' → ') || 'no stages'
        throw new StateError(
          'chain',
          names,
          'a stage that picks a token',
          'End the chain with categorical() or greedy().',
        )
      }
      return token
    },
    accept(token, around) {
      integer('chain.accept', 'token', token, 0)
      if (!around) context.push(token)
      accept(token, around ?? context)
    },
    prompt(tokens) {
      for (const token of tokens) {
        integer('chain.prompt', 'token', token, 0)
        context.push(token, true)
        accept(token, context)
      }
    },
    reset() {
      context.clear()
      for (const stage of stages) stage.reset?.()
    },
    clone() {
      return compose(stages.map(cloneStage), context.clone())
    },
  }
}

function cloneStage(stage: Sampler): Sampler {
  if (stage.clone) return stage.clone()
  if (stage.accept || stage.reset) {
    throw new StateError('chain.clone', `${stage.name}, which has state but no clone()`, 'clone() on it', 'Add one.')
  }
  return stage
}
