/** The stages that end a chain: they choose one of the candidates left. */
import type { Candidates } from './candidates.js'
import { LogitsError } from './errors.js'
import { Random, type Seed } from './random.js'
import type { Sampler } from './sampler.js'

/** Picks the likeliest token, the lowest id among equals. */
export function greedy(): Sampler {
  return {
    name: 'greedy',
    apply(candidates) {
      candidates.selected = candidates.argmax()
      if (candidates.selected < 0) nothingLeft('greedy')
    },
  }
}

export interface SeedOptions {
  /** Same seed, same draws, on every platform. Left out: a random one, readable as `.seed`. */
  seed?: Seed | undefined
}

export interface SeededSampler extends Sampler {
  readonly seed: Seed
  clone(): SeededSampler
}

/**
 * Draws one token from the softmax of what is left (multinomial sampling). Leaves the distribution in `probs`.
 *
 * @example
 * chain(topK(40), temperature(0.8), categorical({ seed: 42 }))
 */
export function categorical({ seed }: SeedOptions = {}): SeededSampler {
  return categoricalOf(new Random(seed))
}

function categoricalOf(random: Random): SeededSampler {
  return {
    name: 'categorical',
    seed: random.seed,
    apply(candidates) {
      candidates.softmax()
      candidates.selected = draw(candidates, random)
    },
    reset() {
      random.index = 0
    },
    clone: () => categoricalOf(random.clone()),
  }
}

/** An index drawn in proportion to `probs`. Always one draw; an entry of probability 0 is never chosen. */
export function draw(candidates: Candidates, random: Random, op: string = 'categorical'): number {
  const { probs, size } = candidates
  let total = 0
  for (let i = 0; i < size; i++) total += probs[i]!
  if (!(total > 0)) nothingLeft(op)
  const target = random.next() * total
  let sum = 0
  let last = 0
  for (let i = 0; i < size; i++) {
    const p = probs[i]!
    if (p === 0) continue
    sum += p
    last = i
    if (sum > target) return i
  }
  return last
}

function nothingLeft(op: string): never {
  throw new LogitsError(
    op,
    'every token ruled out',
    'a token with a finite logit',
    'Loosen a ban, a grammar or a processor.',
  )
}
