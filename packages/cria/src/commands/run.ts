/** `cria run`: the prompt and its continuation, streamed. */
import type { SamplingContext } from '@cria/sampling'
import type { ModelState } from '@cria/sampling/search'
import type { Tokenizer } from '@cria/tokenizer'
import { InputError, UsageError } from '../errors.js'
import { guided } from '../guided.js'
import { LogprobRecorder } from '../logprobs.js'
import { type DeviceOptions, describe, type Loaded, needTokenizer, noteLength, type Opened, open } from '../model.js'
import { States } from '../model-state.js'
import { note, print, printJson } from '../output.js'
import { bundledModel, opening, resolveModel } from '../resolve.js'
import { readSamplers, type Samplers, type SamplingOptions } from '../sampler.js'
import {
  checkSearch,
  type Drafter,
  guesses,
  lookup,
  openDraft,
  type SearchOptions,
  type Written,
  write,
} from '../write.js'

export interface RunOptions extends SamplingOptions, SearchOptions, DeviceOptions {
  /** Default: the opening of the model in the box; another needs one. */
  readonly prompt?: string
  readonly specials?: boolean
  readonly negativePrompt?: string
  readonly logprobs?: number
  readonly echo?: boolean
  readonly json?: boolean
}

type Prompted = RunOptions & { readonly prompt: string }

export async function run(name: string, given: RunOptions): Promise<void> {
  check(given)
  const options = { ...given, prompt: given.prompt ?? promptFor(name) }
  const samplersFor = await readSamplers(options)
  const guesser = options.draft === undefined ? undefined : await resolveModel(options.draft)
  const stopper = new AbortController()
  const interrupt = (): void => stopper.abort()
  const cleanup: (() => void | Promise<void>)[] = []
  try {
    const file = await open(name, options)
    cleanup.push(() => file.dispose())
    const prepared = await prepare(file, options, samplersFor)
    const drafter = guesser === undefined ? undefined : await openDraft(guesser, file.device, prepared.tokenizer)
    if (drafter) cleanup.push(() => drafter.dispose())
    const loaded = await file.load()
    process.once('SIGINT', interrupt)
    await runLoaded(loaded, options, prepared, drafter, stopper.signal, cleanup)
  } finally {
    process.off('SIGINT', interrupt)
    for (const dispose of cleanup.reverse()) await dispose()
  }
}

function check(options: RunOptions): void {
  checkSearch(options)
  const { logprobs, json, guidanceScale: scale = 1 } = options
  if (logprobs !== undefined && !json) throw new UsageError('--logprobs: got no --json, expected it: they are data')
  if (options.negativePrompt !== undefined && options.guidanceScale === undefined)
    throw new UsageError('--negative-prompt: got no --guidance-scale, expected how strongly to steer away from it')
  const whole =
    options.beams !== undefined ? '--beams' : options.contrastive !== undefined ? '--contrastive' : undefined
  if (scale !== 1 && whole !== undefined)
    throw new UsageError(`--guidance-scale: got ${whole}, expected a search that draws one text at a time`)
}

/** The model in the box has an opening of its own. Others are not looked for, or fetched, before there is a prompt. */
function promptFor(name: string): string {
  if (name === bundledModel) return opening
  throw new UsageError(
    `--prompt: got none, expected the text to continue: --prompt "${opening}". Only ${bundledModel}, the model in the box, begins by itself`,
  )
}

/** What follows from the options and the tokenizer. */
interface Prepared {
  readonly tokenizer: Tokenizer
  readonly prompt: readonly number[]
  /** The run that guidance steers away from begins so. */
  readonly negative: readonly number[]
  readonly limit: number
  readonly capacity: number
  readonly samplers: Samplers
  /** The logits of that other run, once there is one. */
  readonly guide: { unconditional?: (context: SamplingContext) => Float32Array }
}

async function prepare(
  file: Opened,
  options: Prompted,
  samplersFor: Awaited<ReturnType<typeof readSamplers>>,
): Promise<Prepared> {
  const tokenizer = await needTokenizer(file)
  const encode = (text: string): number[] => {
    const ids = [...tokenizer.encode(text, { allowSpecial: options.specials ? 'all' : 'none' })]
    return ids.length > 0 ? ids : [tokenizer.bosId ?? tokenizer.eosId ?? 0]
  }
  const prompt = encode(options.prompt)
  const guide: Prepared['guide'] = {}
  const samplers = samplersFor(tokenizer, { unconditional: context => guide.unconditional!(context) })
  // without a negative prompt the other run begins at the last token, as in Hugging Face
  const negative = options.negativePrompt === undefined ? prompt.slice(-1) : encode(options.negativePrompt)
  return { tokenizer, prompt, negative, ...lengths(file, options, prompt.length), samplers, guide }
}

async function runLoaded(
  loaded: Loaded,
  options: Prompted,
  { tokenizer, prompt, negative, limit, capacity, samplers, guide }: Prepared,
  drafter: Drafter | undefined,
  signal: AbortSignal,
  cleanup: (() => void | Promise<void>)[],
): Promise<void> {
  const { json = false } = options
  const recorder = options.logprobs === undefined ? undefined : new LogprobRecorder(tokenizer, options.logprobs)

  const speculates = options.draft !== undefined || options.promptLookup
  const states = new States(loaded.model, {
    capacity,
    signal,
    ...(speculates && { checked: guesses(options) + 1 }),
    ...(recorder && {
      onPrompt: (row, at) => {
        if (at + 1 < prompt.length) recorder.prompt.push(recorder.position(row, prompt[at + 1]!))
      },
    }),
  })
  cleanup.push(() => states.dispose())
  let model: ModelState = options.contrastive ? states.openHidden() : states.open()
  if ((options.guidanceScale ?? 1) !== 1) {
    const apart = new States(loaded.model, { capacity: capacity + negative.length, signal })
    cleanup.push(() => apart.dispose())
    const both = guided(model, apart.open(), negative)
    model = both.model
    guide.unconditional = both.unconditional
  }
  const draft = drafter ? await drafter.load(capacity) : options.promptLookup ? lookup() : undefined
  if (!json) describe(loaded)

  // Without text before it, the first token's leading space is the tokenizer's own.
  const decoder = tokenizer.decoder({ continuation: options.prompt !== '' })
  const ends = new Set(tokenizer.eosIds)
  const tokens: number[] = []
  let text = ''
  const emit = async (piece: string): Promise<void> => {
    text += piece
    if (!json) await print(piece)
  }
  const onToken = async (token: number): Promise<void> => {
    if (ends.has(token)) return
    tokens.push(token)
    await emit(decoder.push(token))
  }
  if (!json && options.echo !== false) await print(options.prompt)

  const begin = performance.now()
  const written = await finished(signal, async () => {
    if (limit === 0) await model.extend(prompt)
    else {
      const task = { options, model, prompt, samplers, eos: tokenizer.eosIds, signal, recorder, draft, onToken }
      const result = await write({ ...task, maxTokens: limit })
      if (tokens.length === 0) for (const token of result.tokens) await onToken(token)
      return result
    }
    return { tokens, ended: false }
  })
  const seconds = (performance.now() - begin) / 1000 - states.promptSeconds
  await emit(decoder.end())

  if (!written) process.exitCode = 130
  const reason = reasonOf(written, tokens.length, limit, options)
  const speeds = { prompt: prompt.length / states.promptSeconds, generation: Math.max(0, tokens.length - 1) / seconds }
  if (json)
    await printJson({
      prompt: options.prompt,
      text,
      tokens,
      promptTokens: prompt,
      reason,
      seed: samplers.seed,
      backend: loaded.device.name,
      tokensPerSecond: speeds,
      ...searchJson(written, ids => tokenizer.decode(ids, { continuation: options.prompt !== '' })),
      ...(recorder && {
        logprobs: { prompt: recorder.prompt, generated: recorder.generated.slice(0, tokens.length) },
      }),
    })
  else {
    await print('\n')
    note(
      `prompt ${prompt.length} tokens, ${speeds.prompt.toFixed(1)} tokens/s · generated ${tokens.length} tokens, ${speeds.generation.toFixed(1)} tokens/s · ${reason}${searchNote(written)}`,
    )
  }
}

/** Room for what follows the prompt where nobody says how much: the cache of a context of 131072 can exceed the memory. */
const openEnded = 4096

/** The model's own context is the limit, and `openEnded` more than the prompt; `--context` alone goes beyond. */
function lengths(
  file: Opened,
  { context, maxTokens, json }: RunOptions,
  promptLength: number,
): { limit: number; capacity: number } {
  const own = file.opened.config.context
  const capacity = context ?? Math.min(own, promptLength + (maxTokens ?? openEnded))
  if (promptLength > capacity) {
    const enough = promptLength + (maxTokens ?? promptLength)
    throw new InputError(
      context === undefined
        ? `--prompt: got ${promptLength} tokens, expected at most the ${own} that this model was made for. Shorten it, or --context ${enough} to go beyond them: quality falls`
        : `--context: got a prompt of ${promptLength} tokens, expected at most ${context}. Shorten it, or --context ${enough}`,
    )
  }
  if (!json) noteLength(capacity, file)
  // the last token needs no room: nothing follows it
  return { limit: Math.min(maxTokens ?? Number.POSITIVE_INFINITY, capacity - promptLength + 1), capacity }
}

function reasonOf(written: Written | undefined, made: number, limit: number, { maxTokens }: RunOptions): string {
  if (!written) return 'abort'
  if (written.ended) return 'stop'
  if (made < limit) return 'repetition'
  return made === maxTokens ? 'length' : 'capacity'
}

/** Undefined when it was interrupted. */
async function finished<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

interface Listed {
  readonly tokens: readonly number[]
}

/** Texts of a search carry their text too. */
function searchJson(written: Written | undefined, decode: (ids: readonly number[]) => string): object {
  const told = (value: unknown): unknown =>
    Array.isArray(value) ? value.map((each: Listed) => ({ text: decode(each.tokens), ...each })) : value
  return Object.fromEntries(Object.entries(written?.search ?? {}).map(([name, value]) => [name, told(value)]))
}

function searchNote(written: Written | undefined): string {
  const { speculation, beams, bestOf } = (written?.search ?? {}) as {
    speculation?: { drafted: number; accepted: number; passes: number }
    beams?: readonly { score: number }[]
    bestOf?: readonly { score: number }[]
  }
  if (speculation) {
    const { drafted, accepted, passes } = speculation
    return ` · ${passes} passes, ${accepted} of ${drafted} guesses taken`
  }
  const best = beams?.[0] ?? bestOf?.[0]
  return best ? ` · score ${best.score.toFixed(3)}` : ''
}
