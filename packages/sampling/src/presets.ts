/**
 * Chains with the parameter names, defaults and order of llama.cpp, Hugging Face and vLLM. What a preset does not
 * name is not applied; for anything else compose a chain.
 */
import { adaptiveP } from './adaptive-p.js'
import { allow, type Biases, ban, logitBias } from './bias.js'
import { type Chain, chain } from './chain.js'
import { dry } from './dry.js'
import { ParameterError } from './errors.js'
import { guidance } from './guidance.js'
import { mirostat, mirostatV2 } from './mirostat.js'
import { penalties } from './penalties.js'
import { categorical, greedy } from './pick.js'
import type { Seed } from './random.js'
import type { Processor, Sampler } from './sampler.js'
import {
  badWords,
  banAtStart,
  exponentialLengthPenalty,
  minLength,
  minTokens,
  noRepeatNgram,
  noRepeatPromptNgram,
  prefixConstraint,
  promptRepetition,
  sequenceBias,
} from './sequences.js'
import { dynamicTemperature, temperature } from './temperature.js'
import { epsilonCutoff, etaCutoff, minP, topH, topK, topNSigma, topP, typicalP } from './truncation.js'
import { type WatermarkOptions, watermark } from './watermark.js'
import { xtc } from './xtc.js'

type Stage = Sampler | Processor

/** llama.cpp's names of stages, in `samplers`. */
export type LlamacppSampler =
  | 'penalties'
  | 'dry'
  | 'top_n_sigma'
  | 'top_k'
  | 'typ_p'
  | 'top_p'
  | 'min_p'
  | 'xtc'
  | 'temperature'
  | 'adaptive_p'

/** Order and stages of llama.cpp by default (its short form is `edskypmxt`). */
export const LLAMACPP_ORDER: readonly LlamacppSampler[] = [
  'penalties',
  'dry',
  'top_n_sigma',
  'top_k',
  'typ_p',
  'top_p',
  'min_p',
  'xtc',
  'temperature',
]

/** Names and defaults of llama.cpp's requests. */
export interface LlamacppOptions {
  /** 0.8; 0 is greedy. */
  temperature?: number
  dynatemp_range?: number
  dynatemp_exponent?: number
  /** 40; 0 keeps all. */
  top_k?: number
  /** 0.95. */
  top_p?: number
  /** 0.05. */
  min_p?: number
  /** 1. */
  typical_p?: number
  /** -1: off. */
  top_n_sigma?: number
  xtc_probability?: number
  xtc_threshold?: number
  repeat_penalty?: number
  repeat_last_n?: number
  frequency_penalty?: number
  presence_penalty?: number
  dry_multiplier?: number
  dry_base?: number
  dry_allowed_length?: number
  dry_penalty_last_n?: number
  /** As token sequences: see `sequenceBreakers` to make them from texts. */
  dry_sequence_breakers?: Iterable<readonly number[]>
  /** 1 or 2 replace every stage but the temperature. */
  mirostat?: 0 | 1 | 2
  mirostat_tau?: number
  mirostat_eta?: number
  adaptive_target?: number
  adaptive_decay?: number
  logit_bias?: Biases
  min_keep?: number
  samplers?: readonly LlamacppSampler[]
  seed?: Seed
  /** Stages of yours, before all others: a grammar, for example. */
  processors?: readonly Stage[]
}

/**
 * llama.cpp's chain.
 *
 * @example
 * const pick = llamacpp({ temperature: 0.7, repeat_penalty: 1.1, seed: 42 })
 */
export function llamacpp(options: LlamacppOptions = {}): Chain {
  const o = options
  const minKeep = o.min_keep ?? 0
  const seed = o.seed
  const stages: Stage[] = [...(o.processors ?? [])]
  if (o.logit_bias) stages.push(logitBias(o.logit_bias))
  if (o.mirostat) {
    const version = { 1: mirostat, 2: mirostatV2 }[o.mirostat]
    if (!version) throw new ParameterError('llamacpp', 'mirostat', o.mirostat, '0, 1 or 2')
    return chain(
      ...stages,
      temperature(o.temperature ?? 0.8),
      version({ tau: o.mirostat_tau ?? 5, eta: o.mirostat_eta ?? 0.1, seed }),
    )
  }
  const make: Record<LlamacppSampler, () => Stage | undefined> = {
    penalties: () =>
      penalties({
        repeat: o.repeat_penalty ?? 1,
        frequency: o.frequency_penalty ?? 0,
        presence: o.presence_penalty ?? 0,
        lastN: o.repeat_last_n ?? 64,
      }),
    dry: () =>
      dry({
        multiplier: o.dry_multiplier ?? 0,
        base: o.dry_base ?? 1.75,
        allowedLength: o.dry_allowed_length ?? 2,
        lastN: o.dry_penalty_last_n ?? 64,
        breakers: o.dry_sequence_breakers ?? [],
      }),
    top_n_sigma: () => topNSigma(o.top_n_sigma ?? -1),
    top_k: () => topK(o.top_k ?? 40, { minKeep }),
    typ_p: () => typicalP(o.typical_p ?? 1, { minKeep }),
    top_p: () => topP(o.top_p ?? 0.95, { minKeep }),
    min_p: () => minP(o.min_p ?? 0.05, { minKeep }),
    xtc: () => xtc({ probability: o.xtc_probability ?? 0, threshold: o.xtc_threshold ?? 0.1, minKeep, seed }),
    temperature: () =>
      dynamicTemperature(o.temperature ?? 0.8, { range: o.dynatemp_range ?? 0, exponent: o.dynatemp_exponent ?? 1 }),
    adaptive_p: () => undefined,
  }
  const order = o.samplers ?? LLAMACPP_ORDER
  for (const name of order) {
    if (!make[name]) throw new ParameterError('llamacpp', 'samplers', name, Object.keys(make).join(', '))
    const stage = make[name]()
    if (stage) stages.push(stage)
  }
  const adaptive = order.includes('adaptive_p')
  stages.push(
    adaptive
      ? adaptiveP({ target: o.adaptive_target ?? -1, decay: o.adaptive_decay ?? 0.9, seed })
      : categorical({ seed }),
  )
  return chain(...stages)
}

/** Names and defaults of Hugging Face's `GenerationConfig`. */
export interface HfOptions {
  /** false: greedy, and the warpers (temperature to eta_cutoff) are not applied. */
  do_sample?: boolean
  /** 1. */
  temperature?: number
  /** 50; 0 keeps all. */
  top_k?: number
  /** 1. */
  top_p?: number
  min_p?: number
  top_h?: number
  typical_p?: number
  epsilon_cutoff?: number
  eta_cutoff?: number
  /** Of every cut but top_h; 1. */
  min_tokens_to_keep?: number
  repetition_penalty?: number
  encoder_repetition_penalty?: number
  no_repeat_ngram_size?: number
  encoder_no_repeat_ngram_size?: number
  bad_words_ids?: Iterable<readonly number[]>
  sequence_bias?: Iterable<readonly [readonly number[], number]>
  min_length?: number
  min_new_tokens?: number
  eos_token_id?: number | readonly number[]
  exponential_decay_length_penalty?: readonly [start: number, factor: number]
  suppress_tokens?: Iterable<number>
  begin_suppress_tokens?: Iterable<number>
  guidance_scale?: number
  /** The logits of the run without, or with a negative, prompt: needed by `guidance_scale`. */
  unconditional?: Parameters<typeof guidance>[1]
  prefix_allowed_tokens_fn?: Parameters<typeof prefixConstraint>[0]
  watermarking_config?: WatermarkOptions
  seed?: Seed
  /** Stages of yours, where HF puts `logits_processor`: before the warpers. */
  processors?: readonly Stage[]
}

/**
 * Hugging Face's order.
 *
 * @example
 * const pick = hf({ do_sample: true, temperature: 0.7, top_p: 0.9, seed: 42 })
 */
export function hf(options: HfOptions = {}): Chain {
  const o = options
  const eos = o.eos_token_id
  const stages: Stage[] = []
  const add = (wanted: unknown, stage: () => Stage): void => {
    if (wanted) stages.push(stage())
  }
  const needsEos = (name: string): number | readonly number[] => {
    if (eos === undefined) throw new ParameterError('hf', 'eos_token_id', eos, 'the end tokens', `${name} needs them.`)
    return eos
  }
  add((o.guidance_scale ?? 1) !== 1, () => guidance(o.guidance_scale!, o.unconditional!))
  add(o.sequence_bias, () => sequenceBias(o.sequence_bias!))
  add((o.encoder_repetition_penalty ?? 1) !== 1, () => promptRepetition(o.encoder_repetition_penalty!))
  add((o.repetition_penalty ?? 1) !== 1, () => penalties({ repeat: o.repetition_penalty!, lastN: -1 }))
  add(o.no_repeat_ngram_size, () => noRepeatNgram(o.no_repeat_ngram_size!))
  add(o.encoder_no_repeat_ngram_size, () => noRepeatPromptNgram(o.encoder_no_repeat_ngram_size!))
  add(o.bad_words_ids, () => badWords(withoutEos(o.bad_words_ids!, eos)))
  add(o.min_length, () => minLength(o.min_length!, needsEos('min_length')))
  add(o.min_new_tokens, () => minTokens(o.min_new_tokens!, needsEos('min_new_tokens')))
  add(o.prefix_allowed_tokens_fn, () => prefixConstraint(o.prefix_allowed_tokens_fn!))
  add(o.exponential_decay_length_penalty, () =>
    exponentialLengthPenalty(...o.exponential_decay_length_penalty!, needsEos('exponential_decay_length_penalty')),
  )
  add(o.suppress_tokens, () => ban(o.suppress_tokens!))
  add(o.begin_suppress_tokens, () => banAtStart(o.begin_suppress_tokens!))
  stages.push(...(o.processors ?? []))
  const least = { minKeep: o.min_tokens_to_keep ?? 1 }
  if (o.do_sample) {
    add((o.temperature ?? 1) !== 1, () => temperature(o.temperature!))
    add(o.top_h, () => topH(o.top_h!))
    add((o.top_k ?? 50) !== 0, () => topK(o.top_k ?? 50, least))
    add((o.top_p ?? 1) < 1, () => topP(o.top_p!, least))
    add(o.min_p, () => minP(o.min_p!, least))
    add((o.typical_p ?? 1) < 1, () => typicalP(o.typical_p!, least))
    add(o.epsilon_cutoff, () => epsilonCutoff(o.epsilon_cutoff!, least))
    add(o.eta_cutoff, () => etaCutoff(o.eta_cutoff!, least))
  }
  add(o.watermarking_config, () => watermark(o.watermarking_config!))
  stages.push(o.do_sample ? categorical({ seed: o.seed }) : greedy())
  return chain(...stages)
}

/** HF takes single end tokens out of the bad words. */
function withoutEos(
  words: Iterable<readonly number[]>,
  eos: number | readonly number[] | undefined,
): (readonly number[])[] {
  const ends = new Set([eos ?? []].flat())
  return [...words].filter(word => !(word.length === 1 && ends.has(word[0]!)))
}

/** Names and defaults of vLLM's `SamplingParams`. */
export interface VllmOptions {
  /** 1; 0 is greedy. */
  temperature?: number
  /** 0 or -1: all. */
  top_k?: number
  /** 1. */
  top_p?: number
  /** 0. */
  min_p?: number
  /** Over prompt and text. */
  repetition_penalty?: number
  /** Over the text alone. */
  frequency_penalty?: number
  presence_penalty?: number
  logit_bias?: Biases
  /** As token sequences. */
  bad_words?: Iterable<readonly number[]>
  allowed_token_ids?: Iterable<number>
  min_tokens?: number
  stop_token_ids?: number | readonly number[]
  seed?: Seed
  /** Stages of yours, before the penalties. */
  processors?: readonly Stage[]
}

/**
 * vLLM's order.
 *
 * @example
 * const pick = vllm({ temperature: 0.8, top_p: 0.95, seed: 42 })
 */
export function vllm(options: VllmOptions = {}): Chain {
  const o = options
  const stages: Stage[] = []
  if (o.allowed_token_ids) stages.push(allow(o.allowed_token_ids))
  if (o.bad_words) stages.push(badWords(o.bad_words))
  if (o.min_tokens) {
    if (o.stop_token_ids === undefined) {
      throw new ParameterError('vllm', 'stop_token_ids', undefined, 'the end tokens', 'min_tokens needs them.')
    }
    stages.push(minTokens(o.min_tokens, o.stop_token_ids))
  }
  if (o.logit_bias) stages.push(logitBias(o.logit_bias))
  stages.push(...(o.processors ?? []))
  stages.push(
    penalties({
      repeat: o.repetition_penalty ?? 1,
      frequency: o.frequency_penalty ?? 0,
      presence: o.presence_penalty ?? 0,
      lastN: -1,
      count: 'generated',
    }),
  )
  // below 1e-5 vLLM is greedy
  if ((o.temperature ?? 1) < 1e-5) return chain(...stages, temperature(o.temperature ?? 1), greedy())
  stages.push(temperature(o.temperature ?? 1))
  if (o.min_p) stages.push(minP(o.min_p))
  return chain(...stages, topK(o.top_k ?? 0), topP(o.top_p ?? 1), categorical({ seed: o.seed }))
}
