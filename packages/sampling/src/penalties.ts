/** Repetition, frequency and presence penalties. */
import type { SamplingContext } from './context.js'
import { ParameterError } from './errors.js'
import { integer, number } from './lib/check.js'
import type { Sampler } from './sampler.js'

export interface PenaltyOptions {
  /** Divides a positive logit of a seen token, multiplies a negative one (CTRL, Keskar et al. 2019). 1: off. */
  repeat?: number
  /** Subtracted per occurrence (OpenAI). 0: off. */
  frequency?: number
  /** Subtracted once from a token that occurred (OpenAI). 0: off. */
  presence?: number
  /** How many last tokens count; -1 all, 0 none. llama.cpp 64; HF and vLLM count all. */
  lastN?: number
  /**
   * Whose tokens `frequency` and `presence` count: the prompt's too ('all', llama.cpp) or only what was generated
   * ('generated', OpenAI and vLLM). `repeat` counts all.
   */
  count?: 'all' | 'generated'
}

/**
 * Makes tokens that occurred less likely.
 *
 * @example
 * const pick = chain(penalties({ repeat: 1.1, lastN: 64 }), topK(40), categorical({ seed: 1 }))
 * pick.prompt([1, 15043])
 */
export function penalties(options: PenaltyOptions): Sampler {
  const { repeat = 1, frequency = 0, presence = 0, lastN = 64, count = 'all' } = options
  const largest = Number.MAX_VALUE
  number('penalties', 'repeat', repeat, Number.MIN_VALUE, largest, 'Below 1 repetition is favoured.')
  number('penalties', 'frequency', frequency, -largest, largest)
  number('penalties', 'presence', presence, -largest, largest)
  integer('penalties', 'lastN', lastN, -1)
  if (count !== 'all' && count !== 'generated') {
    throw new ParameterError('penalties', 'count', count, "'all' or 'generated'")
  }
  const off = lastN === 0 || (repeat === 1 && frequency === 0 && presence === 0)
  return off ? { name: 'penalties', apply() {} } : new Penalties(repeat, frequency, presence, lastN, count)
}

class Penalties implements Sampler {
  readonly name = 'penalties'
  /** Occurrences within the window. */
  #seen = new Map<number, number>()
  /** Occurrences that `frequency` and `presence` count: the same map, or generated tokens only. */
  #counted: Map<number, number>

  constructor(
    readonly repeat: number,
    readonly frequency: number,
    readonly presence: number,
    readonly lastN: number,
    readonly count: 'all' | 'generated',
  ) {
    this.#counted = count === 'all' ? this.#seen : new Map()
  }

  accept(token: number, context: SamplingContext): void {
    const separate = this.#counted !== this.#seen
    add(this.#seen, token, 1)
    if (separate && context.length > context.promptLength) add(this.#counted, token, 1)
    const left = this.lastN < 0 ? -1 : context.length - 1 - this.lastN
    const old = left < 0 ? undefined : context.at(left)
    if (old === undefined) return
    add(this.#seen, old, -1)
    if (separate && left >= context.promptLength) add(this.#counted, old, -1)
  }

  apply(candidates: Parameters<Sampler['apply']>[0]): void {
    const seen = this.#seen
    if (seen.size === 0) return
    const { logits, ids, size } = candidates
    if (candidates.dense && seen.size <= 512) {
      for (const token of seen.keys()) {
        if (token < size) candidates.setLogit(token, this.#penalised(logits[token]!, token))
      }
      return
    }
    if (candidates.dense) {
      for (const token of seen.keys()) if (token < size) logits[token] = this.#penalised(logits[token]!, token)
    } else {
      for (let i = 0; i < size; i++) if (seen.has(ids[i]!)) logits[i] = this.#penalised(logits[i]!, ids[i]!)
    }
    candidates.changed(this.name)
  }

  #penalised(logit: number, token: number): number {
    const scaled = logit <= 0 ? logit * this.repeat : logit / this.repeat
    const n = this.#counted.get(token) ?? 0
    return n > 0 ? scaled - n * this.frequency - this.presence : scaled
  }

  reset(): void {
    this.#seen.clear()
    this.#counted.clear()
  }

  clone(): Sampler {
    const copy = new Penalties(this.repeat, this.frequency, this.presence, this.lastN, this.count)
    copy.#seen = new Map(this.#seen)
    copy.#counted = this.count === 'all' ? copy.#seen : new Map(this.#counted)
    return copy
  }
}

function add(map: Map<number, number>, token: number, by: number): void {
  const n = (map.get(token) ?? 0) + by
  if (n > 0) map.set(token, n)
  else map.delete(token)
}
