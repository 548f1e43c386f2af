/**
 * The sampler chain that the options of a command ask for. A preset sets order and defaults; what it has no place for
 * is added: rules over tokens before its stages, cuts and other temperatures after them, and a sampler that draws by
 * itself (mirostat, adaptive-p) instead of its draw.
 */
import {
  adaptiveP,
  allow,
  badWords,
  ban,
  banAtStart,
  type Chain,
  chain,
  DRY_BREAKERS,
  dry,
  dynamicTemperature,
  epsilonCutoff,
  etaCutoff,
  exponentialLengthPenalty,
  forcedTokens,
  guidance,
  logitBias,
  minLength,
  minTokens,
  mirostat,
  mirostatV2,
  noRepeatNgram,
  noRepeatPromptNgram,
  ParameterError,
  penalties,
  promptRepetition,
  type Sampler,
  type SamplingContext,
  sequenceBias,
  thinkingBudget,
  topH,
  topNSigma,
  typicalP,
  watermark,
  xtc,
} from '@cria/sampling'
import { hf, LLAMACPP_ORDER, type LlamacppSampler, llamacpp, vllm } from '@cria/sampling/presets'
import type { Tokenizer } from '@cria/tokenizer'
import { checkEffects, flagOf } from './effects.js'
import { UsageError } from './errors.js'
import type { PresetName } from './sampling-flags.js'
import { readStructure, type StructureOptions } from './structure.js'
import { anyWords, biasedText, biasedToken, placedToken, type Words, wordsOf } from './token-arguments.js'

export interface SamplingOptions extends StructureOptions {
  readonly maxTokens?: number
  readonly context?: number
  readonly preset?: PresetName
  readonly seed?: number
  readonly temperature?: number
  readonly dynatempRange?: number
  readonly dynatempExponent?: number
  readonly samplers?: string
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly typicalP?: number
  readonly topNSigma?: number
  readonly topH?: number
  readonly epsilonCutoff?: number
  readonly etaCutoff?: number
  readonly xtcProbability?: number
  readonly xtcThreshold?: number
  readonly minKeep?: number
  readonly repeatPenalty?: number
  readonly repetitionPenalty?: number
  readonly repeatLastN?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly dryMultiplier?: number
  readonly dryBase?: number
  readonly dryAllowedLength?: number
  readonly dryPenaltyLastN?: number
  readonly drySequenceBreaker?: readonly string[]
  readonly noRepeatNgramSize?: number
  readonly encoderNoRepeatNgramSize?: number
  readonly encoderRepetitionPenalty?: number
  readonly mirostat?: number
  readonly mirostatTau?: number
  readonly mirostatEta?: number
  readonly adaptiveTarget?: number
  readonly adaptiveDecay?: number
  readonly logitBias?: readonly string[]
  readonly ban?: readonly string[]
  readonly allow?: readonly number[]
  readonly forceToken?: readonly string[]
  readonly beginSuppressTokens?: readonly number[]
  readonly badWords?: readonly string[]
  readonly sequenceBias?: readonly string[]
  readonly ignoreEos?: boolean
  readonly minTokens?: number
  readonly minLength?: number
  readonly exponentialDecayLengthPenalty?: readonly [start: number, factor: number]
  readonly thinkingBudget?: number
  readonly guidanceScale?: number
  readonly watermark?: boolean
  readonly watermarkBias?: number
  readonly watermarkRatio?: number
  readonly watermarkKey?: number
}

/** Chains for one model. */
export interface Samplers {
  /** The seed in use, given or drawn. */
  readonly seed: number
  /** A new chain; the i-th has its own draws. */
  chain(i?: number): Chain
  /** What shapes the scores of beams: rules and structure, no temperature, cuts or draw (as in Hugging Face). */
  beamChain(): Chain
}

export interface SamplersContext {
  /** Logits of the run that guidance steers away from. */
  readonly unconditional?: (context: SamplingContext) => Float32Array
}

/**
 * Checks the options, and reads the files that they name, before any model is opened; what the result then refuses is
 * a token that the model's vocabulary does not have.
 */
export async function readSamplers(
  options: SamplingOptions,
): Promise<(tokenizer: Tokenizer, context?: SamplersContext) => Samplers> {
  checkEffects(options)
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
  const structureFor = await readStructure(options)
  const checked = (make: (i: number) => Chain): ((i?: number) => Chain) => {
    try {
      make(0)
    } catch (error) {
      throw error instanceof ParameterError ? wrongFlag(error, options) : error
    }
    return (i = 0) => make(i)
  }
  const maker =
    (parts: Parts, structure?: () => Sampler) =>
    (i: number): Chain => {
      // the largest seed has none above it
      const { before, own, after, draw } = parts.all(Number.isSafeInteger(seed + i) || i === 0 ? seed + i : seed - i)
      const stages = [...(structure ? [structure()] : []), ...before, ...own.slice(0, -1), ...after]
      return chain(...stages, draw ?? own[own.length - 1]!)
    }
  checked(maker(new Parts(options, anyWords, () => new Float32Array(0))))
  return (tokenizer, { unconditional } = {}) => {
    const structure = structureFor?.(tokenizer)
    const words = wordsOf(tokenizer)
    return {
      seed,
      chain: checked(maker(new Parts(options, words, unconditional), structure)),
      beamChain() {
        const { before, own } = new Parts({ ...options, preset: 'hf', temperature: 0 }, words, unconditional).all(seed)
        return chain(...(structure ? [structure()] : []), ...before, ...own.slice(0, -1))
      },
    }
  }
}

/** The flag that a sampler refused: of those with the value, the one of its name, or of a name like it. */
function wrongFlag(
  { message, op, parameter = op, got, expected }: ParameterError,
  options: SamplingOptions,
): UsageError {
  const keys = Object.entries(options).flatMap(([key, value]) => (value === got ? [key] : []))
  const like = (name: string): ((key: string) => boolean) => {
    const plain = name.toLowerCase().replace(/[^a-z]/g, '')
    return key => key.toLowerCase().includes(plain)
  }
  const key = keys.find(each => each === op || each === parameter) ?? keys.find(like(parameter)) ?? keys.find(like(op))
  if (key === undefined) return new UsageError(message)
  return new UsageError(`${flagOf(key)}: got ${String(got)}, expected ${String(expected)}`)
}

/** The option values without those that are not given. */
type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
}

/** A stage where it is asked for and the preset has none of its own. */
interface Part {
  readonly on: unknown
  readonly own: readonly PresetName[]
  readonly make: () => Sampler
}

class Parts {
  readonly #options: SamplingOptions
  readonly #words: Words
  readonly #unconditional: SamplersContext['unconditional']
  readonly #preset: PresetName
  readonly #eos: readonly number[]
  #breakers: number[][] | undefined

  constructor(options: SamplingOptions, words: Words, unconditional: SamplersContext['unconditional']) {
    this.#options = options
    this.#words = words
    this.#unconditional = unconditional
    this.#preset = options.preset ?? 'llamacpp'
    this.#eos = words.eosIds
  }

  all(seed: number): { before: Sampler[]; own: readonly Sampler[]; after: Sampler[]; draw: Sampler | undefined } {
    const missing = (parts: Part[]): Sampler[] =>
      parts.filter(({ on, own }) => on && !own.includes(this.#preset)).map(({ make }) => make())
    return {
      before: missing(this.#rules()),
      own: { llamacpp: () => this.#llamacpp(seed), hf: () => this.#hf(seed), vllm: () => this.#vllm(seed) }[
        this.#preset
      ]().stages,
      after: missing(this.#cuts(seed)),
      draw: this.#preset === 'llamacpp' ? undefined : this.#draw(seed),
    }
  }

  get #repeat(): number | undefined {
    return this.#options.repetitionPenalty ?? this.#options.repeatPenalty
  }

  /** A window over the penalties is llama.cpp's alone: elsewhere it makes them a stage of ours. */
  get #windowed(): boolean {
    return this.#preset !== 'llamacpp' && this.#options.repeatLastN !== undefined
  }

  #llamacpp(seed: number): Chain {
    const o = this.#options
    const named = o.samplers === undefined ? [...LLAMACPP_ORDER] : orderOf(o.samplers)
    if (o.adaptiveTarget !== undefined && !named.includes('adaptive_p')) named.push('adaptive_p')
    return llamacpp({
      ...given({
        temperature: o.temperature,
        dynatemp_range: o.dynatempRange,
        dynatemp_exponent: o.dynatempExponent,
        top_k: o.topK,
        top_p: o.topP,
        min_p: o.minP,
        typical_p: o.typicalP,
        top_n_sigma: o.topNSigma,
        xtc_probability: o.xtcProbability,
        xtc_threshold: o.xtcThreshold,
        repeat_penalty: this.#repeat,
        repeat_last_n: o.repeatLastN,
        frequency_penalty: o.frequencyPenalty,
        presence_penalty: o.presencePenalty,
        dry_multiplier: o.dryMultiplier,
        dry_base: o.dryBase,
        dry_allowed_length: o.dryAllowedLength,
        dry_penalty_last_n: o.dryPenaltyLastN,
        dry_sequence_breakers: o.dryMultiplier ? this.#breakersOf() : undefined,
        mirostat: o.mirostat as 0 | 1 | 2 | undefined,
        mirostat_tau: o.mirostatTau,
        mirostat_eta: o.mirostatEta,
        adaptive_target: o.adaptiveTarget,
        adaptive_decay: o.adaptiveDecay,
        logit_bias: this.#biases(),
        min_keep: o.minKeep,
      }),
      samplers: named,
      seed,
    })
  }

  /** As with `do_sample`; temperature 0 is without. */
  #hf(seed: number): Chain {
    const o = this.#options
    return hf({
      ...given({
        temperature: o.temperature === 0 || o.dynatempRange ? undefined : o.temperature,
        top_k: o.topK,
        top_p: o.topP,
        min_p: o.minP,
        min_tokens_to_keep: o.minKeep,
        top_h: o.topH,
        typical_p: o.typicalP,
        epsilon_cutoff: o.epsilonCutoff,
        eta_cutoff: o.etaCutoff,
        repetition_penalty: this.#windowed ? undefined : this.#repeat,
        encoder_repetition_penalty: o.encoderRepetitionPenalty,
        no_repeat_ngram_size: o.noRepeatNgramSize,
        encoder_no_repeat_ngram_size: o.encoderNoRepeatNgramSize,
        bad_words_ids: o.badWords && this.#badWords(),
        sequence_bias: o.sequenceBias && this.#sequences(),
        min_length: o.minLength,
        min_new_tokens: o.minTokens,
        exponential_decay_length_penalty: o.exponentialDecayLengthPenalty,
        begin_suppress_tokens: this.#listed('--begin-suppress-tokens', o.beginSuppressTokens),
        guidance_scale: o.guidanceScale,
        unconditional: this.#unconditional,
        watermarking_config: o.watermark ? this.#watermark() : undefined,
      }),
      eos_token_id: this.#eos,
      do_sample: o.temperature !== 0,
      seed,
    })
  }

  #vllm(seed: number): Chain {
    const o = this.#options
    return vllm({
      ...given({
        temperature: o.dynatempRange ? undefined : o.temperature,
        top_k: o.topK,
        top_p: o.topP,
        min_p: o.minP,
        repetition_penalty: this.#windowed ? undefined : this.#repeat,
        frequency_penalty: this.#windowed ? undefined : o.frequencyPenalty,
        presence_penalty: this.#windowed ? undefined : o.presencePenalty,
        logit_bias: this.#biases(),
        bad_words: o.badWords && this.#badWords(),
        allowed_token_ids: this.#listed('--allow', o.allow),
        min_tokens: o.minTokens,
      }),
      stop_token_ids: this.#eos,
      seed,
    })
  }

  #rules(): Part[] {
    const o = this.#options
    const eos = this.#eos
    const counted = o.frequencyPenalty || o.presencePenalty
    const [start = 0, factor = 1] = o.exponentialDecayLengthPenalty ?? []
    const scale = o.guidanceScale ?? 1
    return [
      { on: scale !== 1, own: ['hf'], make: () => guidance(scale, this.#unconditional!) },
      { on: o.allow, own: ['vllm'], make: () => allow(this.#listed('--allow', o.allow)!) },
      { on: o.ban || o.ignoreEos, own: [], make: () => ban(this.#banned()) },
      { on: o.logitBias, own: ['llamacpp', 'vllm'], make: () => logitBias(this.#biases()!) },
      { on: o.sequenceBias, own: ['hf'], make: () => sequenceBias(this.#sequences()) },
      { on: o.badWords, own: ['hf', 'vllm'], make: () => badWords(this.#badWords()) },
      {
        on: o.beginSuppressTokens,
        own: ['hf'],
        make: () => banAtStart(this.#listed('--begin-suppress-tokens', o.beginSuppressTokens)!),
      },
      { on: o.forceToken, own: [], make: () => forcedTokens(this.#forced()) },
      { on: o.minTokens, own: ['hf', 'vllm'], make: () => minTokens(o.minTokens!, eos) },
      { on: o.minLength, own: ['hf'], make: () => minLength(o.minLength!, eos) },
      {
        on: o.exponentialDecayLengthPenalty,
        own: ['hf'],
        make: () => exponentialLengthPenalty(start, factor, eos),
      },
      { on: o.thinkingBudget !== undefined, own: [], make: () => this.#thinking() },
      {
        on: o.encoderRepetitionPenalty,
        own: ['hf'],
        make: () => promptRepetition(o.encoderRepetitionPenalty!),
      },
      {
        on: this.#windowed || counted,
        own: this.#windowed ? [] : ['llamacpp', 'vllm'],
        make: () =>
          penalties({
            repeat: this.#windowed ? (this.#repeat ?? 1) : 1,
            frequency: o.frequencyPenalty ?? 0,
            presence: o.presencePenalty ?? 0,
            lastN: o.repeatLastN ?? -1,
            count: this.#preset === 'vllm' ? 'generated' : 'all',
          }),
      },
      { on: o.noRepeatNgramSize, own: ['hf'], make: () => noRepeatNgram(o.noRepeatNgramSize!) },
      {
        on: o.encoderNoRepeatNgramSize,
        own: ['hf'],
        make: () => noRepeatPromptNgram(o.encoderNoRepeatNgramSize!),
      },
      {
        on: o.dryMultiplier,
        own: ['llamacpp'],
        make: () =>
          dry({
            multiplier: o.dryMultiplier!,
            ...given({ base: o.dryBase, allowedLength: o.dryAllowedLength, lastN: o.dryPenaltyLastN }),
            breakers: this.#breakersOf(),
          }),
      },
    ]
  }

  #cuts(seed: number): Part[] {
    const o = this.#options
    const least = given({ minKeep: o.minKeep })
    const range = o.dynatempRange ?? 0
    return [
      { on: o.topNSigma !== undefined, own: ['llamacpp'], make: () => topNSigma(o.topNSigma!) },
      { on: o.topH !== undefined, own: ['hf'], make: () => topH(o.topH!) },
      { on: o.typicalP !== undefined, own: ['llamacpp', 'hf'], make: () => typicalP(o.typicalP!, least) },
      { on: o.epsilonCutoff !== undefined, own: ['hf'], make: () => epsilonCutoff(o.epsilonCutoff!, least) },
      { on: o.etaCutoff !== undefined, own: ['hf'], make: () => etaCutoff(o.etaCutoff!, least) },
      {
        on: o.xtcProbability,
        own: ['llamacpp'],
        make: () => xtc({ probability: o.xtcProbability!, ...given({ threshold: o.xtcThreshold }), ...least, seed }),
      },
      {
        on: range > 0,
        own: ['llamacpp'],
        make: () => dynamicTemperature(o.temperature ?? 1, { range, ...given({ exponent: o.dynatempExponent }) }),
      },
      { on: o.watermark, own: ['hf'], make: () => watermark(this.#watermark()) },
    ]
  }

  #draw(seed: number): Sampler | undefined {
    const o = this.#options
    const goal = given({ tau: o.mirostatTau, eta: o.mirostatEta })
    if (o.mirostat === 1) return mirostat({ ...goal, seed })
    if (o.mirostat === 2) return mirostatV2({ ...goal, seed })
    if (o.mirostat) throw new UsageError(`--mirostat: got ${o.mirostat}, expected 1 or 2`)
    if (o.adaptiveTarget === undefined) return undefined
    return adaptiveP({ target: o.adaptiveTarget, ...given({ decay: o.adaptiveDecay }), seed })
  }

  #watermark(): Parameters<typeof watermark>[0] & object {
    const o = this.#options
    return given({ bias: o.watermarkBias, ratio: o.watermarkRatio, key: o.watermarkKey })
  }

  /** Ids that the vocabulary must have. */
  #listed(flag: string, ids: readonly number[] | undefined): number[] | undefined {
    return ids?.map(id => this.#words.token(flag, String(id)))
  }

  #biases(): [number, number][] | undefined {
    return this.#options.logitBias?.map(each => biasedToken(this.#words, each))
  }

  #sequences(): [number[], number][] {
    return (this.#options.sequenceBias ?? []).flatMap(each => biasedText(this.#words, each))
  }

  #forced(): [number, number][] {
    return (this.#options.forceToken ?? []).map(each => placedToken(this.#words, each))
  }

  #badWords(): number[][] {
    return (this.#options.badWords ?? []).flatMap(word => this.#words.texts(word))
  }

  #banned(): number[] {
    const o = this.#options
    return [...(o.ban ?? []).map(each => this.#words.token('--ban', each)), ...(o.ignoreEos ? this.#eos : [])]
  }

  #breakersOf(): number[][] {
    this.#breakers ??= this.#words.breakers(this.#options.drySequenceBreaker ?? DRY_BREAKERS)
    return this.#breakers
  }

  #thinking(): Sampler {
    const [start, end] = this.#words.thinking()
    return thinkingBudget(this.#options.thinkingBudget!, { start: [start], end: [end] })
  }
}

const LETTERS: Readonly<Record<string, LlamacppSampler>> = {
  e: 'penalties',
  d: 'dry',
  s: 'top_n_sigma',
  k: 'top_k',
  y: 'typ_p',
  p: 'top_p',
  m: 'min_p',
  x: 'xtc',
  t: 'temperature',
  a: 'adaptive_p',
}

/** llama.cpp's two ways to write an order. */
function orderOf(text: string): LlamacppSampler[] {
  const names: readonly string[] = Object.values(LETTERS)
  const parts = /^[a-z]+$/.test(text) && !names.includes(text) ? [...text] : text.split(/[;,]/)
  return parts.map(part => {
    const name = LETTERS[part] ?? part.trim().replaceAll('-', '_').replace('typical_p', 'typ_p')
    if (names.includes(name)) return name as LlamacppSampler
    throw new UsageError(
      `--samplers: got ${part}, expected ${names.join(', ')}, or their letters ${Object.keys(LETTERS).join('')}`,
    )
  })
}
