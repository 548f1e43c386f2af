/** Beam search, and diverse beam search (Vijayakumar et al. 2016) with groups that avoid each other's tokens. */

import { Candidates } from '../candidates.js'
import type { Chain } from '../chain.js'
import { ParameterError } from '../errors.js'
import { integer, number } from '../lib/check.js'
import { exp, log, pow } from '../lib/numeric.js'
import { start } from './generate.js'
import { endSet, lastRow, type ModelState } from './model.js'

export interface BeamOptions {
  /** Texts carried along. HF `num_beams`. */
  beams: number
  maxTokens: number
  eos?: number | Iterable<number>
  /** Scores are divided by length^this: above 0 long texts gain. HF `length_penalty` 1. */
  lengthPenalty?: number
  /**
   * When to stop once as many texts have ended as there are beams: true at once; false (default) when the best open one
   * is no better at its present length; 'never' when no open one can become better at any length. HF `early_stopping`.
   */
  earlyStopping?: boolean | 'never'
  /** Groups of beams that search one after another. HF `num_beam_groups` 1. Must divide `beams`. */
  groups?: number
  /** Subtracted from a token's score per earlier group that took it at this step. HF `diversity_penalty` 0. */
  diversityPenalty?: number
  /** How many results. HF `num_return_sequences` 1. */
  results?: number
  /**
   * Shapes the log-probabilities that beams compete by, as HF's logits processors do: what it rules out is out, and
   * the rest is not normalised again. Each beam has its own clone, so stages with state (penalties, a grammar) see the
   * beam's own text. It needs no stage that picks.
   */
  chain?: Chain
  signal?: AbortSignal
}

export interface BeamResult {
  readonly tokens: readonly number[]
  /** Sum of log-probabilities divided by length^lengthPenalty. */
  readonly score: number
  readonly ended: boolean
}

interface Beam {
  readonly tokens: readonly number[]
  readonly logprob: number
  readonly model: ModelState
  readonly row: Float32Array
  readonly chain: Chain | undefined
}

interface Step {
  readonly from: Beam
  readonly token: number
  readonly logprob: number
  /** With the penalty of diversity: by this they compete. */
  readonly rank: number
}

/**
 * The likeliest texts, best first. The model is left where the prompt ends or beyond: fork it to keep it.
 *
 * @example
 * const [best] = await beamSearch(model, [1, 15043], { beams: 4, maxTokens: 32, eos: 2 })
 */
export async function beamSearch(
  model: ModelState,
  prompt: readonly number[],
  options: BeamOptions,
): Promise<BeamResult[]> {
  const {
    beams,
    maxTokens,
    lengthPenalty = 1,
    earlyStopping = false,
    groups = 1,
    diversityPenalty = 0,
    results = 1,
  } = options
  start('beamSearch', prompt, maxTokens)
  integer('beamSearch', 'beams', beams, 1)
  integer('beamSearch', 'groups', groups, 1, beams)
  if (beams % groups !== 0) throw new ParameterError('beamSearch', 'groups', groups, `a divisor of beams = ${beams}`)
  integer('beamSearch', 'results', results, 1, beams)
  number('beamSearch', 'diversityPenalty', diversityPenalty, 0, Number.MAX_VALUE)
  number('beamSearch', 'lengthPenalty', lengthPenalty, -Number.MAX_VALUE, Number.MAX_VALUE)
  if (earlyStopping !== 'never' && typeof earlyStopping !== 'boolean')
    throw new ParameterError('beamSearch', 'earlyStopping', earlyStopping, "true, false or 'never'")
  const ends = endSet('beamSearch', options.eos)
  const width = beams / groups
  const rules = options.chain?.clone()
  rules?.prompt(prompt)
  const root: Beam = { tokens: [], logprob: 0, model, row: await lastRow(model, prompt), chain: rules }
  const candidates = new Candidates()
  const open: Beam[][] = Array.from({ length: groups }, () => [root])
  const ended: BeamResult[][] = Array.from({ length: groups }, () => [])
  const scoreOf = (logprob: number, length: number): number => logprob / pow(length, lengthPenalty)

  for (let length = 1; length <= maxTokens && open.some(group => group.length); length++) {
    options.signal?.throwIfAborted()
    const taken = new Map<number, number>()
    const next: Step[][] = []
    for (let g = 0; g < groups; g++) {
      const steps = expand(open[g]!, candidates, width, ends.size, taken, diversityPenalty)
      const kept: Step[] = []
      for (const [place, step] of steps.entries()) {
        if (ends.has(step.token)) {
          // an end counts only among the first `width`, as in HF
          if (place < width)
            ended[g]!.push({
              tokens: [...step.from.tokens, step.token],
              score: scoreOf(step.logprob, length),
              ended: true,
            })
        } else if (kept.length < width && (place < width || length < maxTokens)) kept.push(step)
      }
      ended[g]!.sort((a, b) => b.score - a.score)
      ended[g]!.length = Math.min(ended[g]!.length, width)
      if (ended[g]!.length === width && kept.length) {
        const longest = earlyStopping === 'never' && lengthPenalty > 0 ? maxTokens : length
        const possible = scoreOf(kept[0]!.logprob, longest)
        if (earlyStopping === true || possible <= ended[g]![width - 1]!.score) kept.length = 0
      }
      for (const step of kept) taken.set(step.token, (taken.get(step.token) ?? 0) + 1)
      next.push(kept)
    }
    const chosen = next.flat()
    if (length === maxTokens) {
      next.forEach((steps, g) => {
        for (const s of steps) {
          ended[g]!.push({ tokens: [...s.from.tokens, s.token], score: scoreOf(s.logprob, length), ended: false })
        }
      })
      break
    }
    const uses = new Map<Beam, number>()
    for (const step of chosen) uses.set(step.from, (uses.get(step.from) ?? 0) + 1)
    const before = new Set(open.flat())
    for (let g = 0; g < groups; g++) {
      const moved: Beam[] = []
      for (const { from, token, logprob } of next[g]!) {
        // the last to go on from a beam takes its state over
        const left = uses.get(from)! - 1
        uses.set(from, left)
        const state = left > 0 || from === root ? await from.model.fork() : from.model
        const own = left > 0 ? from.chain?.clone() : from.chain
        own?.accept(token)
        moved.push({
          tokens: [...from.tokens, token],
          logprob,
          model: state,
          row: await lastRow(state, [token]),
          chain: own,
        })
      }
      open[g] = moved
    }
    const live = new Set(open.flat().map(beam => beam.model))
    for (const beam of before) if (beam !== root && !live.has(beam.model)) beam.model.dispose?.()
  }
  for (const beam of open.flat()) if (beam !== root) beam.model.dispose?.()
  return ended
    .flat()
    .sort((a, b) => b.score - a.score)
    .slice(0, results)
}

/** The best continuations of a group, best first: enough that `width` remain when all ends are taken out. */
function expand(
  group: readonly Beam[],
  candidates: Candidates,
  width: number,
  endCount: number,
  taken: ReadonlyMap<number, number>,
  penalty: number,
): Step[] {
  const wanted = width * Math.max(2, 1 + endCount)
  const steps: Step[] = []
  for (const from of group) {
    score(from, candidates)
    const { ids, logits, size } = candidates
    let floor = steps.length >= wanted ? steps[steps.length - 1]!.rank : Number.NEGATIVE_INFINITY
    for (let i = 0; i < size; i++) {
      const token = ids[i]!
      const logprob = from.logprob + logits[i]!
      const rank = logprob - (taken.size ? penalty * (taken.get(token) ?? 0) : 0)
      if (!(rank > floor)) continue
      let at = steps.length
      while (at > 0 && steps[at - 1]!.rank < rank) at--
      steps.splice(at, 0, { from, token, logprob, rank })
      if (steps.length > wanted) steps.pop()
      if (steps.length === wanted) floor = steps[wanted - 1]!.rank
    }
  }
  return steps
}

/** The log-probabilities of what may follow a beam, as its chain leaves them. */
function score({ row, chain }: Beam, candidates: Candidates): void {
  candidates.load(row)
  const { logits, size } = candidates
  const max = candidates.max()
  let sum = 0
  for (let i = 0; i < size; i++) sum += exp(logits[i]! - max)
  const base = max + log(sum)
  for (let i = 0; i < size; i++) logits[i] = logits[i]! - base
  candidates.changed('beamSearch')
  if (!chain) return
  chain.context.vocabSize = size
  chain.apply(candidates, chain.context)
}
