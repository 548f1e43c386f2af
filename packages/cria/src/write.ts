/** How `cria run` writes: token by token, by speculation, the best of several texts, or by beams. */
import { type Llama, loadLlama } from '@cria/llama'
import {
  type BeamResult,
  beamSearch,
  bestOf,
  type ContrastiveModel,
  contrastiveSearch,
  type DraftSource,
  draftModel,
  type Generated,
  generate,
  type ModelState,
  promptLookup,
  repetitionDetection,
  speculate,
} from '@cria/sampling/search'
import type { Device } from '@cria/tensor'
import type { Tokenizer } from '@cria/tokenizer'
import { openModelAt } from '@cria/weights/node'
import { InputError, UsageError } from './errors.js'
import type { LogprobRecorder } from './logprobs.js'
import { States } from './model-state.js'
import type { Samplers } from './sampler.js'
import { tokenizerOf } from './tokenizer.js'

export interface SearchOptions {
  readonly beams?: number
  readonly beamGroups?: number
  readonly diversityPenalty?: number
  readonly lengthPenalty?: number
  readonly earlyStopping?: boolean | 'never'
  readonly bestOf?: number
  readonly contrastive?: readonly [alpha: number, k: number]
  readonly draft?: string
  readonly promptLookup?: boolean
  readonly draftTokens?: number
  readonly stopRepetition?: number
}

/** Guesses per pass: with these a check takes about half as long again as one token. */
export const guesses = (options: SearchOptions): number => options.draftTokens ?? 3

export interface Task {
  readonly options: SearchOptions
  readonly model: ModelState
  readonly prompt: readonly number[]
  readonly samplers: Samplers
  readonly maxTokens: number
  readonly eos: readonly number[]
  readonly signal: AbortSignal
  readonly recorder: LogprobRecorder | undefined
  readonly draft: DraftSource | undefined
  /** Told of each token where tokens are final as they come. */
  readonly onToken: (token: number) => Promise<void>
}

export interface Written extends Generated {
  /** What the search has to say about itself. */
  readonly search?: Readonly<Record<string, unknown>>
}

/** One way at a time; the others are refused by name. */
export function checkSearch(o: SearchOptions): void {
  const asked = [
    o.beams !== undefined && '--beams',
    o.bestOf !== undefined && '--best-of',
    o.contrastive !== undefined && '--contrastive',
    o.draft !== undefined && '--draft',
    o.promptLookup && '--prompt-lookup',
  ].filter(Boolean)
  if (asked.length > 1) throw new UsageError(`got ${asked.join(' and ')}, expected one of them`)
  const beamsOnly = [
    o.beamGroups !== undefined && '--beam-groups',
    o.diversityPenalty !== undefined && '--diversity-penalty',
    o.lengthPenalty !== undefined && '--length-penalty',
    o.earlyStopping && '--early-stopping',
  ].find(Boolean)
  if (beamsOnly && o.beams === undefined) throw new UsageError(`${beamsOnly}: got no --beams, expected a beam search`)
  if (o.beams !== undefined && o.beams % (o.beamGroups ?? 1) !== 0)
    throw new UsageError(`--beam-groups: got ${o.beamGroups}, expected a divisor of --beams ${o.beams}`)
  const [alpha = 0, k = 1] = o.contrastive ?? []
  if (!(alpha >= 0 && alpha <= 1 && Number.isSafeInteger(k) && k >= 1))
    throw new UsageError(
      `--contrastive: got ${alpha},${k}, expected a number from 0 to 1 and how many candidates: 0.6,4`,
    )
  if (o.stopRepetition !== undefined && [o.beams, o.bestOf, o.contrastive].some(each => each !== undefined))
    throw new UsageError(
      '--stop-repetition: got a search that weighs whole texts, expected one that writes token by token',
    )
  if (o.draftTokens !== undefined && o.draft === undefined && !o.promptLookup)
    throw new UsageError('--draft-tokens: got no --draft or --prompt-lookup, expected something that guesses')
}

export async function write(task: Task): Promise<Written> {
  const { options, model, prompt, samplers, maxTokens, eos, signal, recorder, draft, onToken } = task
  const common = { maxTokens, eos, signal }
  if (options.beams !== undefined) return beams(task)
  if (options.contrastive !== undefined) {
    const [alpha, k] = options.contrastive
    const rules = samplers.beamChain()
    const made = await contrastiveSearch(model as ContrastiveModel, prompt, { alpha, k, chain: rules, ...common })
    await rescore(task, made.tokens)
    return made
  }
  if (options.bestOf !== undefined) {
    const texts = await bestOf(model, prompt, { n: options.bestOf, chain: samplers.chain, ...common })
    const best = texts[0]!
    await rescore(task, best.tokens)
    return { ...best, search: { bestOf: texts } }
  }
  const chain = recorder ? recorder.watch(samplers.chain()) : samplers.chain()
  const stopWhen =
    options.stopRepetition === undefined ? undefined : repetitionDetection({ maxPattern: options.stopRepetition })
  const watched = { chain, onToken, ...(stopWhen && { stopWhen }), ...common }
  if (!draft) return generate(model, prompt, watched)
  const { drafted, accepted, passes, ...text } = await speculate(model, prompt, {
    draft,
    draftTokens: guesses(options),
    ...watched,
  })
  return { ...text, search: { speculation: { drafted, accepted, passes } } }
}

async function beams(task: Task): Promise<Written> {
  const { options: o, model, prompt, samplers, maxTokens, eos, signal } = task
  const results = await beamSearch(model, prompt, {
    beams: o.beams!,
    groups: o.beamGroups ?? 1,
    diversityPenalty: o.diversityPenalty ?? 0,
    lengthPenalty: o.lengthPenalty ?? 1,
    earlyStopping: o.earlyStopping ?? false,
    results: o.beams!,
    chain: samplers.beamChain(),
    maxTokens,
    eos,
    signal,
  })
  const best: BeamResult | undefined = results[0]
  if (!best) throw new InputError('--beams: got no text that the rules allow, expected one. Loosen the rules')
  await rescore(task, best.tokens)
  return { ...best, search: { beams: results } }
}

/** Log-probabilities of a text that was chosen as a whole, in one pass over it. */
async function rescore({ model, prompt, recorder }: Task, tokens: readonly number[]): Promise<void> {
  if (!recorder) return
  model.truncate(prompt.length - 1)
  const rows = await model.extend([prompt[prompt.length - 1]!, ...tokens.slice(0, -1)], true)
  rows.forEach((row, i) => void recorder.generated.push(recorder.position(row, tokens[i]!)))
}

/** A model that guesses. */
export interface Drafter {
  load(capacity: number): Promise<DraftSource>
  dispose(): Promise<void>
}

/** On the same device, of the same vocabulary; its weights are read by `load()`. */
export async function openDraft(path: string, device: Device, tokenizer: Tokenizer): Promise<Drafter> {
  const opened = await openModelAt(path)
  const theirs = await tokenizerOf(opened)
  const differs = theirs && firstDifference(tokenizer, theirs)
  if (!theirs || differs !== undefined) {
    await opened.close()
    throw new InputError(
      `--draft: got ${theirs ? `token ${differs} with another text` : 'no tokenizer'} in ${path}, expected the vocabulary of the model itself`,
    )
  }
  const cleanup: (() => void | Promise<void>)[] = [() => opened.close()]
  return {
    async load(capacity) {
      const model: Llama = await loadLlama(device, opened)
      cleanup.push(() => model.dispose())
      const states = new States(model, { capacity })
      cleanup.push(() => states.dispose())
      return draftModel(states.open())
    },
    async dispose() {
      for (const each of cleanup.reverse()) await each()
    },
  }
}

function firstDifference(a: Tokenizer, b: Tokenizer): number | undefined {
  const size = Math.min(a.vocabSize, b.vocabSize)
  for (let id = 0; id < size; id++) if (a.piece(id) !== b.piece(id)) return id
  return a.vocabSize === b.vocabSize ? undefined : size
}

/** Guesses from the text itself; one equal word says too little. */
export const lookup = (): DraftSource => promptLookup({ maxNgram: 4, minNgram: 2 })
