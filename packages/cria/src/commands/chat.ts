/** `cria chat`: a conversation through the model's own template. */
import { createInterface } from 'node:readline/promises'
import { generate, Session } from '@cria/llama'
import type { Tokenizer } from '@cria/tokenizer'
import { type ChatMessage, renderChat } from '@cria/tokenizer/chat'
import { InputError } from '../errors.js'
import { type DeviceOptions, describe, type Loaded, needTokenizer, open } from '../model.js'
import { note, print, report } from '../output.js'
import { readSamplers, type Samplers, type SamplingOptions } from '../sampler.js'

export interface ChatOptions extends SamplingOptions, DeviceOptions {
  readonly system?: string
}

const help = `/help   this list
/clear  forget the conversation
/undo   forget the last exchange
/exit   leave (also Ctrl-D)
Ctrl-C stops an answer.`

export async function chat(name: string, options: ChatOptions): Promise<void> {
  const samplersFor = await readSamplers(options)
  const file = await open(name, options)
  try {
    const tokenizer = await needTokenizer(file)
    if (tokenizer.chatTemplate === undefined)
      throw new InputError(
        `chat: got ${name} without a chat template, expected a chat model. Use cria run for plain continuation`,
      )
    const samplers = samplersFor(tokenizer)
    await converse(await file.load(), tokenizer, samplers, options)
  } finally {
    await file.dispose()
  }
}

async function converse(loaded: Loaded, tokenizer: Tokenizer, samplers: Samplers, options: ChatOptions): Promise<void> {
  describe(loaded)
  const session = new Session(loaded.model, {
    capacity: options.context ?? Math.min(loaded.opened.config.context, 4096),
  })
  const history: ChatMessage[] = []
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    prompt: '> ',
    terminal: process.stdin.isTTY ?? false,
  })
  let stopper: AbortController | undefined
  lines.on('SIGINT', () => {
    if (stopper) stopper.abort()
    else lines.close()
  })
  if (process.stdin.isTTY) note('/help lists commands')

  /** The conversation as tokens. What is oldest is forgotten until a quarter of the context is free for the answer. */
  const fit = (text: string): Uint32Array => {
    const { capacity } = session.cache
    const system: ChatMessage[] = options.system === undefined ? [] : [{ role: 'system', content: options.system }]
    for (let forgotten = 0; ; forgotten++) {
      const messages = [...system, ...history, { role: 'user', content: text }]
      const { ids } = renderChat(tokenizer, messages, { addGenerationPrompt: true })
      if (ids.length <= capacity * (history.length > 0 ? 0.75 : 1)) {
        if (forgotten > 0) note(`the context of ${capacity} tokens is full: forgot the oldest ${forgotten} exchanges`)
        return ids
      }
      if (history.length === 0)
        throw new InputError(
          `chat: got ${ids.length} tokens, expected at most ${capacity}. Say it shorter, or start with --context ${ids.length * 2}`,
        )
      history.splice(0, 2)
    }
  }

  const answer = async (text: string): Promise<void> => {
    const ids = fit(text)
    // What the session already holds of this conversation is not evaluated again; one token at least has to be.
    let shared = 0
    while (shared < session.length && shared < ids.length - 1 && session.tokens[shared] === ids[shared]) shared++
    session.truncate(shared)
    const sampler = samplers.chain()
    sampler.prompt(ids)
    const decoder = tokenizer.decoder({ continuation: true })
    let reply = ''
    const emit = (piece: string): Promise<void> => {
      const begun = reply.trimStart() !== ''
      reply += piece
      // A space before the first word is of the template, not of the answer's look.
      return print(begun ? piece : reply.trimStart())
    }
    stopper = new AbortController()
    try {
      for await (const event of generate(session, {
        prompt: ids.subarray(shared),
        sampler,
        stop: tokenizer.eosIds,
        signal: stopper.signal,
        ...(options.maxTokens !== undefined && { maxTokens: options.maxTokens }),
      })) {
        if (event.type === 'token') await emit(decoder.push(event.token))
        else if (event.type === 'done') {
          await emit(decoder.end())
          await print('\n')
          note(
            `${event.tokens} tokens, ${(Math.max(0, event.tokens - 1) / event.seconds).toFixed(1)} tokens/s${event.reason === 'stop' ? '' : ` · ${event.reason}`}`,
          )
        }
      }
    } finally {
      stopper = undefined
    }
    history.push({ role: 'user', content: text }, { role: 'assistant', content: reply })
  }

  try {
    lines.prompt()
    for await (const line of lines) {
      const text = line.trim()
      if (text === '/exit') break
      if (text === '/help') note(help)
      else if (text === '/clear') history.length = 0
      else if (text === '/undo') history.splice(-2)
      else if (text.startsWith('/')) note(`got ${text}, expected one of:\n${help}`)
      else if (text !== '') await answer(text).catch(error => report(error, false))
      lines.prompt()
    }
  } finally {
    lines.close()
    session.dispose()
  }
}
