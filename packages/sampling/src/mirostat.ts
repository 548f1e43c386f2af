/** Mirostat 1 and 2 (Basu et al. 2020): hold the surprise of the text near a target. Both pick. */
import type { Candidates } from './candidates.js'
import { integer, number } from './lib/check.js'
import { log, pow } from './lib/numeric.js'
import { draw, type SeededSampler, type SeedOptions } from './pick.js'
import { Random } from './random.js'

export interface MirostatOptions extends SeedOptions {
  /** Target surprise in bits. llama.cpp `mirostat_tau` 5. */
  tau?: number
  /** Learning rate. llama.cpp `mirostat_eta` 0.1. */
  eta?: number
  /** How many likeliest tokens the first version estimates Zipf's exponent from. llama.cpp 100. */
  m?: number
}

const log2 = (x: number): number => log(x) / Math.LN2

/** Mirostat: estimates Zipf's exponent, keeps the k tokens that give the target surprise, and draws. */
export function mirostat({ tau = 5, eta = 0.1, m = 100, seed }: MirostatOptions = {}): SeededSampler {
  integer('mirostat', 'm', m, 2)
  return controlled('mirostat', tau, eta, new Random(seed), fresh(2 * tau), (candidates, mu) => {
    candidates.softmax()
    candidates.sort()
    const k = estimateK(candidates, mu, m)
    candidates.truncate(k)
  })
}

/** Mirostat 2: drops tokens more surprising than a moving bound, and draws. */
export function mirostatV2({ tau = 5, eta = 0.1, seed }: Omit<MirostatOptions, 'm'> = {}): SeededSampler {
  return controlled('mirostat-v2', tau, eta, new Random(seed), fresh(2 * tau), (candidates, mu) => {
    candidates.softmax()
    candidates.sort()
    const { probs, size } = candidates
    let n = 0
    while (n < size && -log2(probs[n]!) <= mu) n++
    candidates.truncate(Math.max(1, n))
  })
}

/** The bound, and what was drawn but not yet accepted. */
interface State {
  mu: number
  pending: number
  surprise: number
}
const fresh = (mu: number): State => ({ mu, pending: -1, surprise: 0 })

function controlled(
  name: string,
  tau: number,
  eta: number,
  random: Random,
  begin: State,
  truncate: (candidates: Candidates, mu: number) => void,
): SeededSampler {
  number(name, 'tau', tau, 0, Number.MAX_VALUE)
  number(name, 'eta', eta, 0, Number.MAX_VALUE)
  let state = { ...begin }
  return {
    name,
    seed: random.seed,
    apply(candidates) {
      truncate(candidates, state.mu)
      candidates.softmax()
      candidates.selected = draw(candidates, random, name)
      state.pending = candidates.token!
      state.surprise = -log2(candidates.probs[candidates.selected]!)
    },
    accept(token) {
      // only the token that was drawn teaches the bound: prompts and forced tokens have no surprise here
      if (token === state.pending) state.mu -= eta * (state.surprise - tau)
      state.pending = -1
    },
    reset() {
      state = fresh(2 * tau)
      random.index = 0
    },
    clone: () => controlled(name, tau, eta, random.clone(), state, truncate),
  }
}

/** Number of tokens to keep: Zipf's exponent s of the m likeliest, then k for a surprise of mu bits. */
function estimateK(candidates: Candidates, mu: number, m: number): number {
  const { probs, size, vocabSize } = candidates
  let products = 0
  let squares = 0
  for (let i = 0; i < m - 1 && i < size - 1 && probs[i + 1]! > 0; i++) {
    const t = log((i + 2) / (i + 1))
    products += t * log(probs[i]! / probs[i + 1]!)
    squares += t * t
  }
  if (squares === 0) return 1
  const s = products / squares
  const epsilon = s - 1
  const k = pow((epsilon * pow(2, mu)) / (1 - pow(vocabSize, -epsilon)), 1 / s)
  // a flat distribution (s near 0 or 1) makes the formula degenerate: then nothing is cut
  return Number.isFinite(k) ? Math.max(1, Math.floor(k)) : size
}
