// SentencePiece's normalisation: the character map, extra whitespace, the dummy prefix. Spaces stay spaces; what other
// tools call escaping is the model's business here.

import type { AddedToken } from '../added-tokens.js'
import { badFile, FULL, unsupported } from '../errors.js'
import type { SentencePieceRules } from '../model.js'

/** Reads a precompiled character map from base64. */
export type MakeCharsMap = (base64: string, op: string) => { apply(text: string): string }

/** Refuses: LLaMA's models have none. */
export const noCharsMap: MakeCharsMap = (_map, op) => {
  throw unsupported(op, 'a character map', 'a model without one', FULL)
}

/** The normalisation as a function; added tokens that are text pass through the map untouched. */
export function sentencePieceNormalizer(
  rules: SentencePieceRules,
  added: readonly AddedToken[],
  op: string,
  charsMap: MakeCharsMap,
): ((text: string) => string) | undefined {
  const { dummyPrefix, removeExtra } = rules
  const map = rules.charsmap === undefined ? undefined : charsMap(rules.charsmap, op)
  const pattern = map && untouched(added)
  if (map === undefined && !removeExtra) return dummyPrefix ? text => ` ${text}` : undefined
  return text => {
    let out = text
    if (map !== undefined) {
      const parts = pattern === undefined ? [text] : text.split(pattern)
      out = parts.map((part, i) => (i % 2 === 1 ? part : map.apply(part))).join('')
    }
    // A `▁` of the text itself is no extra space, except at the end, where it can no longer be told from one.
    if (removeExtra) out = out.replace(/ +/g, ' ').replace(/^ |[ \u2581]+$/g, '')
    return dummyPrefix && (out !== '' || (text !== '' && !removeExtra)) ? ` ${out}` : out
  }
}

/** Finds, with `split`, the added tokens that the map leaves as they are. */
export function untouched(added: readonly AddedToken[]): RegExp | undefined {
  const fixed = added.filter(t => !t.special).map(t => t.content)
  if (fixed.length === 0) return undefined
  fixed.sort((a, b) => b.length - a.length)
  return new RegExp(`(${fixed.map(s => s.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})`, 'u')
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
