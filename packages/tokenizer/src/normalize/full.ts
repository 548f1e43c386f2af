// The normalizers that few models use, SentencePiece's character map as Hugging Face applies it among them.

import { badFile, FULL, show, unsupported } from '../errors.js'
import { isObject, stringOf } from '../json-value.js'
import { CharsMap } from './charsmap.js'
import { addStep, type ReadNormalizer } from './normalizer.js'
import { fromBase64 } from './sentencepiece.js'
import { spaces } from './spaces.js'
import { LATER_NORMAL } from './unicode9.js'

/** What makes a regular expression of a pattern in Oniguruma's syntax. */
type MakeRegex = (pattern: string, op: string) => RegExp

/** Further marks that Unicode 9 does not know, as those of {@link LATER_NORMAL}; two that it knows became letters. */
const LATER_MARKS =
  /[\u180f\u0afa-\u0aff\u0b55\u0c04\u0cf3-\u0d00\u0d81\u0ece\u1cf7\ua8ff\u{11073}\u{11074}\u{110c2}\u{11145}\u{11146}\u{111c9}\u{111ce}\u{111cf}\u{11241}\u{113d2}-\u{113e2}\u{1182c}-\u{11b67}\u{11d31}-\u{11d41}\u{16f4f}\u{16f7f}-\u{16f87}\u{16fe4}\u{1cf00}-\u{1cf46}]/u

export const fullNormalizer =
  (regexOf: MakeRegex): ReadNormalizer =>
  (section, out, op) => {
    switch (section.type) {
      case 'Lowercase':
        // By character: no sigma knows that it ends a word.
        return addStep(out, text => text.replaceAll('Σ', 'σ').toLowerCase())
      case 'Strip': {
        const left = section.strip_left === true
        const right = section.strip_right === true
        return addStep(out, text => {
          const t = left ? text.replace(/^\p{White_Space}+/u, '') : text
          return right ? t.replace(/\p{White_Space}+$/u, '') : t
        })
      }
      case 'StripAccents': {
        const accents = new RegExp(`(?!${LATER_NORMAL.source}|${LATER_MARKS.source})[\\p{M}\\u1cf2\\u1cf3]`, 'gu')
        return addStep(out, text => text.replace(accents, ''))
      }
      case 'Replace': {
        if (spaces(section, out, op)) return true
        const content = stringOf(section.content, 'Replace content', op)
        const pattern = section.pattern
        if (!isObject(pattern) || typeof pattern.Regex !== 'string')
          throw badFile(op, `Replace pattern ${show(pattern)}`, '{ Regex } or { String }')
        const regex = regexOf(pattern.Regex, op)
        return addStep(out, text => text.replace(regex, () => content))
      }
      case 'Precompiled': {
        const map = stringOf(section.precompiled_charsmap, 'precompiled_charsmap', op)
        return addStep(out, precompiled(new CharsMap(fromBase64(map, op), op)))
      }
      default:
        return spaces(section, out, op)
    }
  }

/** Patterns that mean the same in JavaScript as they stand, but for the ends of the text; others are refused. */
export const plainPattern: MakeRegex = (pattern, op) => {
  const rest = pattern.replace(/\\[Az]/g, '')
  if (!/^(?:\[[^\\^\]-]+\]|[^\\^$.()[\]{}]|\{\d+,?\d*\})+$/.test(rest))
    throw unsupported(op, `the pattern ${show(pattern)}`, 'characters, choices and repetitions', FULL)
  return new RegExp(pattern.replaceAll('\\A', '^').replaceAll('\\z', '$'), 'gu')
}

/** By user-perceived characters: those of up to five bytes are looked up as one, the others by code point. */
function precompiled(map: CharsMap): (text: string) => string {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  return text => {
    let out = ''
    for (const { segment } of segmenter.segment(text)) {
      const whole = segment.length < 6 ? map.shortest(segment, 5) : undefined
      if (whole !== undefined) out += whole
      else for (const ch of segment) out += map.shortest(ch, 4) ?? ch
    }
    return out
  }
}
