// Tokens that are found in text as they are, before the model sees it: special tokens where the caller allows them, and
// the added tokens that are plain text (Gemma's runs of newlines, Qwen's tool tags). Follows Hugging Face's rules:
// leftmost, then longest.

import { badArgument, show } from './errors.js'
import { escapePattern } from './escape-pattern.js'
import { LATER } from './scan/later.js'

/** One added token. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Special tokens steer the model (BOS, role headers, end of turn); text may only make them when asked. */
  readonly special: boolean
  /** Look for it in the normalised text instead of the text as given. Default false. */
  readonly normalized?: boolean
  /** What is looked for there, nothing where it is empty. Default: what normalisation makes of `content`. */
  readonly form?: string
  /** Swallow the whitespace before it. Default false. */
  readonly lstrip?: boolean
  /** Swallow the whitespace after it. Default false. */
  readonly rstrip?: boolean
  /** Only where no word character stands on either side. Default false. */
  readonly singleWord?: boolean
}

/**
 * Which special tokens text may contain as special tokens: none (they stay text), all, or those listed by content.
 * Added tokens that are not special are always found, as in Hugging Face and llama.cpp.
 */
export type AllowSpecial = 'none' | 'all' | readonly string[]

/** Which added tokens are found as such. */
export type AcceptToken = (token: AddedToken) => boolean

/** The rule for an {@link AllowSpecial} policy; undefined for `'none'`. */
export function acceptOf(allow: AllowSpecial): AcceptToken | undefined {
  if (allow === 'none') return undefined
  if (allow === 'all') return () => true
  return token => !token.special || allow.includes(token.content)
}

/**
 * A stretch of text (`id` is -1) or an added token, `[start, end)` in UTF-16 units. One may begin before the end of the
 * one before it, in space that this swallowed.
 */
export interface Segment {
  readonly id: number
  readonly start: number
  readonly end: number
}

/** Finds added tokens in text. */
export class AddedTokenMatcher {
  readonly #byContent: Map<string, AddedToken> = new Map()
  readonly #pattern: RegExp | undefined
  readonly #always: boolean

  /** `contentOf` gives the text that is looked for, for tokens that are looked for in normalised text. */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string = t => t.content) {
    for (const token of tokens) {
      const content = contentOf(token)
      if (content !== '' && !this.#byContent.has(content)) this.#byContent.set(content, token)
    }
    this.#always = tokens.some(t => !t.special)
    const alternatives = [...this.#byContent.keys()].sort((a, b) => b.length - a.length).map(escapePattern)
    this.#pattern = alternatives.length === 0 ? undefined : new RegExp(alternatives.join('|'), 'gu')
  }

  /** The segments of `text`, or undefined when it is all text. `accept` undefined: only tokens that are not special. */
  split(text: string, accept: AcceptToken | undefined): Segment[] | undefined {
    if (this.#pattern === undefined || (accept === undefined && !this.#always)) return undefined
    const segments: Segment[] = []
    let from = 0
    const pattern = this.#pattern
    pattern.lastIndex = 0
    for (let m = pattern.exec(text); m !== null; m = pattern.exec(text)) {
      const token = this.#byContent.get(m[0])!
      if (accept === undefined ? token.special : !accept(token)) continue
      let start = m.index
      let end = start + m[0].length
      if (
        token.singleWord === true &&
        (isWord(text.slice(Math.max(0, start - 2), start), /.$/su) || isWord(text.slice(end, end + 2), /^./su))
      )
        continue
      if (token.lstrip === true) start = Math.max(from, spaceStart(text, start))
      if (token.rstrip === true) end = spaceEnd(text, end)
      // A token in the space that the one before it has swallowed is found all the same, and what is behind it again.
      if (start > from) segments.push({ id: -1, start: from, end: start })
      segments.push({ id: token.id, start, end })
      from = end
    }
    if (from === 0 && segments.length === 0) return undefined
    if (from < text.length) segments.push({ id: -1, start: from, end: text.length })
    return segments
  }
}

/** Throws for names in `allow` that are not special tokens of this tokenizer. */
export function checkAllow(allow: AllowSpecial, tokens: readonly AddedToken[], op: string): void {
  if (allow === 'none' || allow === 'all') return
  if (!Array.isArray(allow)) {
    throw badArgument(op, `allowSpecial ${show(allow)}`, `'none', 'all' or a list of special tokens`)
  }
  for (const name of allow as readonly string[]) {
    if (!tokens.some(t => t.content === name)) {
      throw badArgument(op, `allowSpecial ${show(name)}`, 'a special token', 'See tokenizer.addedTokens.')
    }
  }
}

/** Whether the character that `where` finds is one of a word, in Unicode 16. */
function isWord(text: string, where: RegExp): boolean {
  const character = where.exec(text)?.[0] ?? ''
  return /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u.test(character) && !LATER.test(character)
}

function spaceStart(text: string, at: number): number {
  let p = at
  while (p > 0 && /\p{White_Space}/u.test(text[p - 1]!)) p--
  return p
}

function spaceEnd(text: string, at: number): number {
  let p = at
  while (p < text.length && /\p{White_Space}/u.test(text[p]!)) p++
  return p
}
