// Normalisation in parts: for each step, how it treats text that goes on from text before it, and whether two texts may
// be treated one after the other.

import type { AddedToken } from '../added-tokens.js'
import { every } from '../family/every.js'
import { isObject, type JsonObject } from '../json-value.js'
import type { SentencePieceRules } from '../model.js'
import { CharsMap } from '../normalize/charsmap.js'
import { readNormalizer } from '../normalize/normalizer.js'
import { fromBase64, sentencePieceNormalizer, userDefined } from '../normalize/sentencepiece.js'
import { spaced } from '../normalize/spaces.js'
import { translate } from '../scan/regex.js'
import { readPreTokenizer } from '../source/pre-tokenizer.js'
import type { TokenizerParts } from '../tokenizer.js'
import { utf8 } from '../utf8.js'
import { PatternPairs } from './pattern-pairs.js'

const OP = 'StreamEncoder'
type Change = (text: string) => string

/** One step of normalisation. */
export interface NormalStep {
  /** For text that begins a stretch. */
  readonly begin: Change
  /** For text that goes on from text before it. */
  readonly goOn: Change
  /**
   * Whether `begin(a + b)` is `begin(a) + goOn(b)`, whatever follows `b`, and the same with `goOn`. When in doubt, no.
   * `b` begins what follows; it ends early only where the text does.
   */
  readonly divides: (a: string, b: string) => boolean
}

/** The steps of a tokenizer's normalisation. */
export function normalSteps({ recipe, added }: Pick<TokenizerParts, 'recipe' | 'added'>): NormalStep[] {
  if (recipe.sentencePiece !== undefined) return sentencePieceSteps(recipe.sentencePiece, added)
  const { steps, simple } = readNormalizer(recipe.normalizer, OP, every.normalizer)
  // The model reads spaces and `▁` alike, so only the prefix is left.
  const { outer } = readPreTokenizer(recipe.preTokenizer, OP, every.preTokenizer)
  if (recipe.metaspace === true && outer.length === 0 && simple !== undefined)
    return steps.length === 0 ? [] : [{ begin: simple, goOn: spaced, divides: () => true }]
  return leaves(recipe.normalizer).map(step)
}

function leaves(section: unknown): JsonObject[] {
  if (!isObject(section)) return []
  return section.type === 'Sequence' ? (section.normalizers as unknown[]).flatMap(leaves) : [section]
}

const prefixed = (prefix: string): NormalStep => ({
  begin: text => (text === '' ? text : prefix + text),
  goOn: text => text,
  divides: () => true,
})

function step(section: JsonObject): NormalStep {
  const change = readNormalizer(section, OP, every.normalizer).steps[0]!
  const made = (divides: NormalStep['divides'], goOn = change): NormalStep => ({ begin: change, goOn, divides })
  switch (section.type) {
    case 'Prepend':
      return prefixed(String(section.prepend))
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      // The character after the cut stays by itself: it joins none before it, and the next does not join it.
      return made((_a, b) => beginsAnew(b, 0) && beginsAnew(b, sizeAt(b, 0)))
    case 'Strip':
      return made(
        a => !/\p{White_Space}$/u.test(a),
        section.strip_right === true ? text => text.replace(/\p{White_Space}+$/u, '') : text => text,
      )
    case 'Lowercase':
    case 'StripAccents':
      return made(() => true)
    case 'Replace': {
      const pattern = section.pattern as JsonObject
      const text = pattern.String
      if (typeof text === 'string') return made((a, b) => b.length >= text.length && !reaches(text, a, b))
      const pairs = new PatternPairs(translate(String(pattern.Regex), OP))
      return made((a, b) => !pairs.crosses(lastOf(a), firstOf(b)))
    }
    case 'Precompiled':
      // A space is always a user-perceived character of its own, but for marks.
      return made((a, b) => /[!-~]$/.test(a) && /^[ -~]{2}/.test(b))
    default:
      return made(() => false)
  }
}

/** No composition and no reordering reaches back over the character at `at`. */
function beginsAnew(text: string, at: number): boolean {
  if (at >= text.length) return true
  const ch = text.slice(at, at + sizeAt(text, at))
  // Marks, and the vowels and finals of Hangul syllables, join what is before.
  return ![ch, ch.normalize('NFD'), ch.normalize('NFKD')].some(form => /^[\p{M}\u1160-\u11ff]/u.test(form))
}

function sentencePieceSteps(rules: SentencePieceRules, added: readonly AddedToken[]): NormalStep[] {
  const { dummyPrefix, removeExtra, charsmap } = rules
  const map = charsmap === undefined ? undefined : new CharsMap(fromBase64(charsmap, OP), OP)
  const change = (removing: boolean, goesOn = false): Change | undefined =>
    sentencePieceNormalizer({ charsmap, removeExtra: removing, dummyPrefix: false }, added, OP, () => map!, goesOn)
  const steps: NormalStep[] = []
  const begin = change(removeExtra)
  const goOn = change(removeExtra, true)
  if (begin !== undefined && goOn !== undefined) {
    const mapped = change(false) ?? (text => text)
    const symbols = userDefined(added)
    const divides = (a: string, b: string): boolean => {
      const rest = utf8(symbols === undefined ? a : a.split(symbols).at(-1)!)
      if (map?.stopsAt(Uint8Array.from([...rest, ...utf8(b)]), rest.length) === false) return false
      return !removeExtra || (/[^ \u2581]$/.test(mapped(a)) && /[^ \u2581]/.test(mapped(b)))
    }
    steps.push({ begin, goOn, divides })
  }
  // Without removal of extra space, a stretch that the map empties still has its prefix.
  if (dummyPrefix) {
    const prefix = prefixed(' ')
    steps.push(removeExtra ? prefix : { ...prefix, begin: text => ` ${text}` })
  }
  return steps
}

/** Whether `what` stands across the end of `a` and the beginning of `b`. */
export function reaches(what: string, a: string, b: string): boolean {
  const most = what.length - 1
  return most > 0 && (a.slice(-most) + b.slice(0, most)).includes(what)
}

const sizeAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)

/** The first character, empty where there is none. */
export const firstOf = (text: string): string => text.slice(0, sizeAt(text, 0))

/** The last character. */
export const lastOf = (text: string): string => /[\ud800-\udbff][\udc00-\udfff]$|[\s\S]?$/.exec(text.slice(-2))![0]
