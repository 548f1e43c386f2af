/** Tokens and texts as they stand in options. */
import type { Tokenizer } from '@cria/tokenizer'
import { UsageError } from './errors.js'

/** A token by its id, or by the text (or special token) that is exactly one. */
export function tokenOf(tokenizer: Tokenizer, flag: string, text: string): number {
  const id = /^\d+$/.test(text) ? Number(text) : (tokenizer.idOf(text) ?? only(tokenizer, text))
  if (id !== undefined && id < tokenizer.vocabSize) return id
  throw new UsageError(`${flag}: got ${text}, expected the id of a token, or the text of exactly one`)
}

function only(tokenizer: Tokenizer, text: string): number | undefined {
  const ids = tokenizer.encode(text, { bos: false, eos: false })
  return ids.length === 1 ? ids[0] : undefined
}

/** `token:bias`. */
export function biasedToken(tokenizer: Tokenizer, text: string): [token: number, bias: number] {
  const [token, bias] = split('--logit-bias', text)
  return [tokenOf(tokenizer, '--logit-bias', token), bias]
}

/** `text:bias` for each way the text is written. */
export function biasedText(tokenizer: Tokenizer, text: string): [tokens: number[], bias: number][] {
  const [words, bias] = split('--sequence-bias', text)
  return textTokens(tokenizer, words).map(tokens => [tokens, bias])
}

/** The tokens of a text at the beginning and, where they differ, after a space. */
export function textTokens(tokenizer: Tokenizer, text: string): number[][] {
  const found = new Map<string, number[]>()
  for (const form of [text, ` ${text}`]) {
    const ids = [...tokenizer.encode(form, { bos: false, eos: false })]
    if (ids.length > 0) found.set(ids.join(), ids)
  }
  return [...found.values()]
}

function split(flag: string, text: string): [text: string, bias: number] {
  const at = text.lastIndexOf(':')
  const given = text.slice(at + 1)
  const bias = /^-inf(inity)?$|^false$/i.test(given) ? Number.NEGATIVE_INFINITY : Number(given)
  if (at < 1 || given.trim() === '' || Number.isNaN(bias))
    throw new UsageError(`${flag}: got ${text}, expected TOKEN:BIAS such as 42:-1.5 or hello:-inf`)
  return [text.slice(0, at), bias]
}
