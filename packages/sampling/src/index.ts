/** @cria/sampling: a typed chain of samplers over plain logits. */
export { type AdaptivePOptions, adaptiveP } from './adaptive-p.js'
export { allow, type Biases, ban, logitBias } from './bias.js'
export { Candidates } from './candidates.js'
export { type Chain, chain } from './chain.js'
export { SamplingContext } from './context.js'
export { type BreakerVocabulary, DRY_BREAKERS, type DryOptions, dry, sequenceBreakers } from './dry.js'
export { LogitsError, ParameterError, SamplingError, type SamplingErrorDetail, StateError } from './errors.js'
export { guidance } from './guidance.js'
export { type Logprobs, logprobs, type TokenLogprob } from './logprobs.js'
export { type MirostatOptions, mirostat, mirostatV2 } from './mirostat.js'
export { type PenaltyOptions, penalties } from './penalties.js'
export { categorical, greedy, type SeededSampler, type SeedOptions } from './pick.js'
export { processor } from './processor.js'
export { Random, type Seed } from './random.js'
export type { Processor, Sampler } from './sampler.js'
export {
  badWords,
  banAtStart,
  exponentialLengthPenalty,
  forcedTokens,
  minLength,
  minTokens,
  noRepeatNgram,
  noRepeatPromptNgram,
  prefixConstraint,
  promptRepetition,
  sequenceBias,
  thinkingBudget,
} from './sequences.js'
export { type DynamicTemperatureOptions, dynamicTemperature, temperature } from './temperature.js'
export {
  epsilonCutoff,
  etaCutoff,
  minP,
  type TruncationOptions,
  topH,
  topK,
  topNSigma,
  topP,
  typicalP,
} from './truncation.js'
export { type WatermarkOptions, watermark } from './watermark.js'
export { type XtcOptions, xtc } from './xtc.js'
