// SentencePiece's normalisation: the character map, extra whitespace, the dummy prefix. Spaces stay spaces; what other
// tools call escaping is the model's business here.

import type { AddedToken } from '../added-tokens.js'
import { badFile, FULL, unsupported } from '../errors.js'
import { escapePattern } from '../escape-pattern.js'
import type { SentencePieceRules } from '../model.js'
import { spaced } from './spaces.js'

/** Reads a precompiled character map from base64. */
export type MakeCharsMap = (base64: string, op: string) => { apply(text: string): string }

/** Refuses: LLaMA's models have none. */
export const noCharsMap: MakeCharsMap = (_map, op) => {
  throw unsupported(op, 'a character map', 'a model without one', FULL)
}

/**
 * The normalisation as a function. User-defined symbols pass through the map untouched, and the spaces in them are no
 * extra spaces. `goesOn`: for text behind other text that does not end in a space.
 */
export function sentencePieceNormalizer(
  rules: SentencePieceRules,
  added: readonly AddedToken[],
  op: string,
  charsMap: MakeCharsMap,
  goesOn = false,
): ((text: string) => string) | undefined {
  const { removeExtra } = rules
  const dummyPrefix = rules.dummyPrefix && !goesOn
  const map = rules.charsmap === undefined ? undefined : charsMap(rules.charsmap, op)
  const symbols = userDefined(added)
  if (map === undefined && !removeExtra && symbols === undefined) return dummyPrefix ? text => ` ${text}` : undefined
  return text => {
    let out = ''
    let afterSpace = removeExtra && !goesOn
    const parts = symbols === undefined ? [text] : text.split(symbols)
    for (let i = 0; i < parts.length; i++) {
      let part = parts[i]!
      if (i % 2 === 0) {
        part = map?.apply(part) ?? part
        if (removeExtra) part = part.replace(/ +/g, ' ')
      }
      if (afterSpace) part = part.replace(/^ +/, '')
      if (part !== '') afterSpace = removeExtra && part.endsWith(' ')
      out += part
    }
    // A `▁` of the text itself is no extra space, except at the end, where it can no longer be told from one.
    if (removeExtra) out = out.replace(/[ \u2581]+$/g, '')
    // Symbols are looked for in what is made here, where the two are the same.
    if (symbols !== undefined) out = spaced(out)
    return dummyPrefix && (out !== '' || (text !== '' && !removeExtra)) ? ` ${out}` : out
  }
}

/** Finds, with `split`, the user-defined symbols of a text as given, where `▁` and a space are two characters. */
export function userDefined(added: readonly AddedToken[]): RegExp | undefined {
  const contents = added.filter(t => t.normalized === true).map(t => t.content)
  if (contents.length === 0) return undefined
  contents.sort((a, b) => b.length - a.length)
  return new RegExp(`(${contents.map(escapePattern).join('|')})`, 'u')
}

/** Bytes as base64, in every runtime. */
export function toBase64(bytes: Uint8Array): string {
  let units = ''
  for (const byte of bytes) units += String.fromCharCode(byte)
  return btoa(units)
}

/** The inverse of {@link toBase64}. */
export function fromBase64(text: string, op: string): Uint8Array {
  let units: string
  try {
    units = atob(text)
  } catch {
    throw badFile(op, 'a character map that is no base64', 'base64')
  }
  return Uint8Array.from(units, c => c.charCodeAt(0))
}
