/** `cria run`: the prompt and its continuation, streamed. */
import { generate, Session } from '@cria/llama'
import { type DeviceOptions, describe, load, needTokenizer } from '../model.js'
import { note, print, printJson } from '../output.js'
import { type SamplingOptions, samplerOf } from '../sampler.js'

export interface RunOptions extends SamplingOptions, DeviceOptions {
  readonly prompt: string
  readonly echo?: boolean
  readonly json?: boolean
}

export async function run(name: string, options: RunOptions): Promise<void> {
  const loaded = await load(name, options)
  const { model, opened } = loaded
  const tokenizer = needTokenizer(loaded)
  if (!options.json) describe(loaded)
  const prompt = tokenizer.encode(options.prompt)
  const start = prompt.length > 0 ? prompt : Uint32Array.of(tokenizer.bosId ?? tokenizer.eosId ?? 0)
  // What was asked for fits; without a limit the model's own context is it.
  const capacity =
    options.context ?? (options.maxTokens === undefined ? opened.config.context : start.length + options.maxTokens)
  if (capacity > opened.config.context && !options.json)
    note(`${capacity} tokens are more than the ${opened.config.context} this model was made for: quality may fall`)
  const session = new Session(model, { capacity })
  const stopper = new AbortController()
  const interrupt = (): void => stopper.abort()
  process.once('SIGINT', interrupt)
  const sampler = samplerOf(options)
  sampler.prompt(start)
  const decoder = tokenizer.decoder({ continuation: true })
  const tokens: number[] = []
  let text = ''
  const emit = async (piece: string): Promise<void> => {
    text += piece
    if (!options.json) await print(piece)
  }
  try {
    // Without text before it, the first token's leading space is the tokenizer's own.
    const fresh = options.prompt === ''
    const first = fresh ? tokenizer.decoder() : decoder
    if (!options.json && options.echo !== false) await print(options.prompt)
    const events = generate(session, {
      prompt: start,
      sampler,
      stop: tokenizer.eosIds,
      signal: stopper.signal,
      ...(options.maxTokens !== undefined && { maxTokens: options.maxTokens }),
    })
    let promptSeconds = 0
    for await (const event of events) {
      if (event.type === 'prompt') promptSeconds = event.seconds
      else if (event.type === 'token') {
        tokens.push(event.token)
        await emit(first.push(event.token))
      } else {
        await emit(first.end())
        const speeds = {
          prompt: start.length / promptSeconds,
          generation: Math.max(0, event.tokens - 1) / event.seconds,
        }
        if (options.json)
          await printJson({
            prompt: options.prompt,
            text,
            tokens,
            promptTokens: [...start],
            reason: event.reason,
            backend: loaded.device.name,
            tokensPerSecond: speeds,
          })
        else {
          await print('\n')
          note(
            `prompt ${start.length} tokens, ${speeds.prompt.toFixed(1)} tokens/s · generated ${event.tokens} tokens, ${speeds.generation.toFixed(1)} tokens/s · ${event.reason}`,
          )
        }
      }
    }
  } finally {
    process.off('SIGINT', interrupt)
    session.dispose()
    await loaded.dispose()
  }
}
