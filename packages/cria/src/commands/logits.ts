/** `cria logits`: what the model expects next, as log-probabilities. */
import { Session } from '@cria/llama'
import { UsageError } from '../errors.js'
import { type DeviceOptions, load, needTokenizer, noteLength, noteVocabulary } from '../model.js'
import { note, print, printJson } from '../output.js'

export interface LogitsOptions extends DeviceOptions {
  readonly prompt?: string
  readonly tokens?: readonly number[]
  readonly top: number
  readonly all?: boolean
  readonly json?: boolean
}

export async function logits(name: string, options: LogitsOptions): Promise<void> {
  if ((options.prompt === undefined) === (options.tokens === undefined))
    throw new UsageError('logits: got both or neither of --prompt and --tokens, expected one')
  const loaded = await load(name, options)
  const tokens = options.tokens ?? [...(await needTokenizer(loaded)).encode(options.prompt!)]
  if (!options.json) noteLength(tokens.length, loaded)
  const session = new Session(loaded.model, { capacity: Math.max(tokens.length, 1) })
  try {
    const all = await session.logProbs(tokens)
    const order = Array.from(all.keys()).sort((a, b) => all[b]! - all[a]! || a - b)
    const shown = order.slice(0, options.all ? all.length : options.top)
    if (options.json) return await printJson({ tokens, logprobs: shown.map(id => [id, all[id]]) })
    // Ids need no tokenizer: one that cannot be read takes the text away, not the numbers.
    const tokenizer = await loaded.tokenizer().catch((error: Error) => note(`no text of tokens: ${error.message}`))
    if (tokenizer && options.tokens) noteVocabulary(tokenizer, loaded)
    for (const id of shown) {
      const piece = tokenizer && id < tokenizer.vocabSize ? JSON.stringify(tokenizer.piece(id)) : ''
      await print(`${all[id]!.toFixed(4)}  ${String(id).padStart(6)}  ${piece}\n`)
    }
  } finally {
    session.dispose()
    await loaded.dispose()
  }
}
