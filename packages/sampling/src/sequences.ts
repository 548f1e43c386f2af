/** Rules over token sequences: n-grams that must not return, biased and banned sequences, lengths, prefixes. */
import type { SamplingContext } from './context.js'
import { ParameterError } from './errors.js'
import { integer, number, tokenId } from './lib/check.js'
import { pow } from './lib/numeric.js'
import type { Sampler } from './sampler.js'

/**
 * No n-gram occurs twice in prompt and text. HF `no_repeat_ngram_size`.
 *
 * @example
 * chain(noRepeatNgram(3), greedy())
 */
export function noRepeatNgram(n: number): Sampler {
  integer('noRepeatNgram', 'n', n, 1)
  return {
    name: 'no-repeat-ngram',
    apply(candidates, { tokens }) {
      candidates.ruleOut(completions(tokens, tokens, n))
    },
  }
}

/** No n-gram of the prompt occurs in the text. HF `encoder_no_repeat_ngram_size`. */
export function noRepeatPromptNgram(n: number): Sampler {
  integer('noRepeatPromptNgram', 'n', n, 1)
  return {
    name: 'no-repeat-prompt-ngram',
    apply(candidates, { tokens, promptLength }) {
      candidates.ruleOut(completions(tokens.subarray(0, promptLength), tokens, n))
    },
  }
}

/** Tokens that would complete, after the end of `tokens`, an n-gram found in `source`. */
function completions(source: Int32Array, tokens: Int32Array, n: number): Set<number> {
  const found = new Set<number>()
  const end = tokens.length
  if (end < n - 1) return found
  for (let start = 0; start + n <= source.length; start++) {
    let i = 0
    while (i < n - 1 && source[start + i] === tokens[end - n + 1 + i]) i++
    if (i === n - 1) found.add(source[start + n - 1]!)
  }
  return found
}

/**
 * Adds a bias to the token that would complete a sequence. HF `sequence_bias`; sequences of one token always apply.
 *
 * @example
 * chain(sequenceBias([[[15043, 3186], -5]]), greedy())
 */
export function sequenceBias(biases: Iterable<readonly [sequence: readonly number[], bias: number]>): Sampler {
  const list = Array.from(biases, ([sequence, bias]) => {
    if (sequence.length === 0) throw new ParameterError('sequenceBias', 'sequence', [], 'at least one token')
    for (const token of sequence) tokenId('sequenceBias', 'token', token)
    if (!(bias < Number.POSITIVE_INFINITY))
      throw new ParameterError('sequenceBias', 'bias', bias, 'a number or -Infinity')
    return { prefix: sequence.slice(0, -1), last: sequence[sequence.length - 1]!, bias }
  })
  return {
    name: 'sequence-bias',
    apply(candidates, context) {
      for (const { prefix, last, bias } of list) {
        if (!endsWith(context, prefix)) continue
        const i = candidates.indexOf(last)
        if (i >= 0) candidates.setLogit(i, candidates.logits[i]! + bias)
      }
    },
  }
}

/** Bans token sequences. HF `bad_words_ids`, vLLM `bad_words`. */
export function badWords(sequences: Iterable<readonly number[]>): Sampler {
  const biased = sequenceBias(Array.from(sequences, sequence => [sequence, Number.NEGATIVE_INFINITY] as const))
  return { ...biased, name: 'bad-words' }
}

/** Whether the text without its last `skip` tokens ends so. */
function endsWith(context: SamplingContext, suffix: readonly number[], skip: number = 0): boolean {
  const from = context.length - skip - suffix.length
  return from >= 0 && suffix.every((token, i) => token === context.at(from + i))
}

function idSet(op: string, tokens: number | Iterable<number>): number[] {
  return Array.from(typeof tokens === 'number' ? [tokens] : tokens, token => tokenId(op, 'eos', token))
}

/** Bans the end tokens until `n` tokens were generated. HF `min_new_tokens`, vLLM `min_tokens`. */
export function minTokens(n: number, eos: number | Iterable<number>): Sampler {
  integer('minTokens', 'n', n, 0)
  const ends = idSet('minTokens', eos)
  return {
    name: 'min-tokens',
    apply(candidates, context) {
      if (context.generated < n) candidates.ruleOut(ends)
    },
  }
}

/** Bans the end tokens until prompt and text together have `n` tokens. HF `min_length`. */
export function minLength(n: number, eos: number | Iterable<number>): Sampler {
  integer('minLength', 'n', n, 0)
  const ends = idSet('minLength', eos)
  return {
    name: 'min-length',
    apply(candidates, context) {
      if (context.length < n) candidates.ruleOut(ends)
    },
  }
}

/**
 * Makes the end tokens likelier from `start` generated tokens on: adds |logit| · (factor^(tokens past start) - 1).
 * HF `exponential_decay_length_penalty`.
 */
export function exponentialLengthPenalty(start: number, factor: number, eos: number | Iterable<number>): Sampler {
  integer('exponentialLengthPenalty', 'start', start, 0)
  number('exponentialLengthPenalty', 'factor', factor, Number.MIN_VALUE, Number.MAX_VALUE)
  const ends = idSet('exponentialLengthPenalty', eos)
  return {
    name: 'exponential-length-penalty',
    apply(candidates, context) {
      const past = context.generated - start
      if (past <= 0) return
      for (const token of ends) {
        const i = candidates.indexOf(token)
        const logit = i < 0 ? Number.NEGATIVE_INFINITY : candidates.logits[i]!
        if (logit === Number.NEGATIVE_INFINITY) continue
        candidates.setLogit(i, Math.min(logit + Math.abs(logit) * (pow(factor, past) - 1), 3.4e38))
      }
    },
  }
}

/** Only the tokens that `allowed` names for the text so far may follow. HF `prefix_allowed_tokens_fn`. */
export function prefixConstraint(allowed: (context: SamplingContext) => Iterable<number>): Sampler {
  return {
    name: 'prefix-constraint',
    apply(candidates, context) {
      const tokens = allowed(context)
      candidates.keepTokens(tokens instanceof Set ? tokens : new Set(tokens))
    },
  }
}

/** Forces a token at the first or at any given generated position. HF `forced_bos_token_id`, `forced_eos_token_id`. */
export function forcedTokens(byPosition: Iterable<readonly [position: number, token: number]>): Sampler {
  const forced = new Map(byPosition)
  for (const [position, token] of forced) {
    integer('forcedTokens', 'position', position, 0)
    tokenId('forcedTokens', 'token', token)
  }
  return {
    name: 'forced-tokens',
    apply(candidates, context) {
      const token = forced.get(context.generated)
      if (token !== undefined) candidates.keepTokens(new Set([token]))
    },
  }
}

/**
 * At most `budget` tokens between two markers, then the end marker is forced. vLLM `thinking_token_budget`, llama.cpp's
 * reasoning budget. 0: the end follows the start at once. The prompt may already hold the start.
 *
 * @example
 * chain(thinkingBudget(256, { start: [1001], end: [1002] }), topK(40), categorical())
 */
export function thinkingBudget(
  budget: number,
  { start, end }: { start: readonly number[]; end: readonly number[] },
): Sampler {
  integer('thinkingBudget', 'budget', budget, 0)
  for (const [name, marker] of Object.entries({ start, end }))
    if (marker.length === 0) throw new ParameterError('thinkingBudget', name, marker, 'at least one token')
  return {
    name: 'thinking-budget',
    apply(candidates, context) {
      const { length } = context
      let i = length
      while (i > 0 && !endsWith(context, start, length - i)) if (endsWith(context, end, length - i--)) return
      if (i === 0 || length - i < budget) return
      // part of the end may stand there already
      let done = Math.min(end.length - 1, length - i - budget)
      while (!endsWith(context, end.slice(0, done))) done--
      candidates.keepTokens(new Set([end[done]!]))
    },
  }
}

/** Bans tokens at the first generated position. HF `begin_suppress_tokens`. */
export function banAtStart(tokens: Iterable<number>): Sampler {
  const banned = idSet('banAtStart', tokens)
  return {
    name: 'ban-at-start',
    apply(candidates, context) {
      if (context.generated === 0) candidates.ruleOut(banned)
    },
  }
}

/** Favours (penalty > 1) or avoids tokens of the prompt. HF `encoder_repetition_penalty`. */
export function promptRepetition(penalty: number): Sampler {
  number('promptRepetition', 'penalty', penalty, Number.MIN_VALUE, Number.MAX_VALUE)
  return {
    name: 'prompt-repetition',
    apply(candidates, { tokens, promptLength }) {
      const { logits } = candidates
      for (const token of new Set(tokens.subarray(0, promptLength))) {
        const i = candidates.indexOf(token)
        if (i >= 0) candidates.setLogit(i, logits[i]! < 0 ? logits[i]! / penalty : logits[i]! * penalty)
      }
    },
  }
}
