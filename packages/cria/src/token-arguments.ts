/** Tokens and texts as they stand in options. */
import { sequenceBreakers } from '@cria/sampling'
import type { Tokenizer } from '@cria/tokenizer'
import { InputError, UsageError } from './errors.js'

/** What options say about tokens, as ids. */
export interface Words {
  readonly eosIds: readonly number[]
  /** A token by its id, or by the text (or special token) that is exactly one. */
  token(flag: string, text: string): number
  /** The tokens of a text at the beginning and, where they differ, after a space. */
  texts(text: string): number[][]
  /** What ends a repetition, for DRY. */
  breakers(texts: readonly string[]): number[][]
  /** The tokens that thinking stands between. */
  thinking(): readonly [start: number, end: number]
}

/** Every token is there: so the rest of the options is checked before a model is opened. */
export const anyWords: Words = {
  eosIds: [0],
  token: () => 0,
  texts: () => [[0]],
  breakers: () => [[0]],
  thinking: () => [0, 1],
}

export function wordsOf(tokenizer: Tokenizer): Words {
  const encode = (text: string): number[] => [...tokenizer.encode(text, { bos: false, eos: false })]
  const only = (text: string): number | undefined => {
    const ids = encode(text)
    return ids.length === 1 ? ids[0] : undefined
  }
  return {
    eosIds: tokenizer.eosIds,
    token(flag, text) {
      const id = /^\d+$/.test(text) ? Number(text) : (tokenizer.idOf(text) ?? only(text))
      if (id !== undefined && id < tokenizer.vocabSize) return id
      throw new UsageError(`${flag}: got ${text}, expected the id of a token, or the text of exactly one`)
    },
    texts(text) {
      const found = new Map<string, number[]>()
      for (const form of [text, ` ${text}`]) {
        const ids = encode(form)
        if (ids.length > 0) found.set(ids.join(), ids)
      }
      return [...found.values()]
    },
    breakers: texts =>
      sequenceBreakers(texts, {
        vocabSize: tokenizer.vocabSize,
        decode: id => tokenizer.decode([id], { skipSpecial: false, continuation: true }),
        encode,
      }),
    thinking() {
      const [start, end] = ['<think>', '</think>'].map(piece => tokenizer.idOf(piece))
      if (start === undefined || end === undefined)
        throw new InputError(
          '--thinking-budget: got a tokenizer without <think> and </think>, expected a model that thinks between them',
        )
      return [start, end]
    },
  }
}

/** `token:bias`. */
export function biasedToken(words: Words, text: string): [token: number, bias: number] {
  const [token, bias] = split('--logit-bias', text)
  return [words.token('--logit-bias', token), bias]
}

/** `position:token`. */
export function placedToken(words: Words, text: string): [position: number, token: number] {
  const [, place, token] = /^(\d+):(.+)$/s.exec(text) ?? []
  if (place === undefined || token === undefined)
    throw new UsageError(`--force-token: got ${text}, expected POSITION:TOKEN such as 0:42 or 0:hello`)
  return [Number(place), words.token('--force-token', token)]
}

/** `text:bias` for each way the text is written. */
export function biasedText(words: Words, text: string): [tokens: number[], bias: number][] {
  const [phrase, bias] = split('--sequence-bias', text)
  return words.texts(phrase).map(tokens => [tokens, bias])
}

function split(flag: string, text: string): [text: string, bias: number] {
  const at = text.lastIndexOf(':')
  const given = text.slice(at + 1)
  const bias = /^-inf(inity)?$|^false$/i.test(given) ? Number.NEGATIVE_INFINITY : Number(given)
  if (at < 1 || given.trim() === '' || Number.isNaN(bias))
    throw new UsageError(`${flag}: got ${text}, expected TOKEN:BIAS such as 42:-1.5 or hello:-inf`)
  return [text.slice(0, at), bias]
}
