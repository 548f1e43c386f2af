/** Stories from a model, one after another in one session: while it is trained, and when it is judged. */
import { generate, type Llama, Session } from '@cria/llama'
import { categorical, chain, temperature } from '@cria/sampling'
import { llamacpp } from '@cria/sampling/presets'
import type { Tokenizer } from '@cria/tokenizer'
import { formatInstruction } from '@cria/world'
import { context } from './sizes.js'

export interface TellOptions {
  readonly seed: number
  /** Temperature. Default 0.8. */
  readonly heat?: number
  /** Also cut off what is unlikely, as llama.cpp and `cria run` do by default: top-k 40, top-p 0.95, min-p 0.05. Default false. */
  readonly cut?: boolean
  /** What the text begins with. Default: nothing but the beginning token, so the model chooses the kind of document too. */
  readonly prompt?: string
}

export class Teller {
  private readonly session: Session

  constructor(
    model: Llama,
    private readonly tokenizer: Tokenizer,
  ) {
    this.session = new Session(model, { capacity: context })
  }

  /** A whole document, with the questions after a story: what the model writes until the end of text. */
  async tell({ seed, heat = 0.8, cut = false, prompt = '' }: TellOptions): Promise<string> {
    const { session, tokenizer } = this
    session.truncate(0)
    const sampler = cut ? llamacpp({ temperature: heat, seed }) : chain(temperature(heat), categorical({ seed }))
    const ids = tokenizer.encode(prompt)
    const written: number[] = [...ids]
    for await (const event of generate(session, { prompt: ids, sampler, stop: [tokenizer.eosId!] }))
      if (event.type === 'token') written.push(event.token)
    return tokenizer.decode(written)
  }

  [Symbol.dispose](): void {
    this.session.dispose()
  }
}

/** What stands between a story and the questions after it. */
export const questionsHeader = '\n\nQuestion:'

const storyHeader = formatInstruction('').slice('Instruction: '.length)

/** The order that a document begins with, in words. */
export function orderOf(document: string): string | undefined {
  const end = document.indexOf(storyHeader)
  return document.startsWith('Instruction: ') && end >= 0 ? document.slice('Instruction: '.length, end) : undefined
}

/** The story of a document: without the instruction before it and the questions after it. */
export function storyOf(document: string): string {
  const at = orderOf(document) === undefined ? 0 : document.indexOf(storyHeader) + storyHeader.length
  const questions = document.indexOf(questionsHeader)
  return document.slice(at, questions < 0 ? undefined : questions).trim()
}
