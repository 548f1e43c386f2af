// The normalizers that few models use, SentencePiece's character map as Hugging Face applies it among them.

import { badFile, show } from '../errors.js'
import { isObject, stringOf } from '../json-value.js'
import { translate } from '../scan/regex.js'
import { CharsMap } from './charsmap.js'
import type { OtherNormalizer } from './normalizer.js'
import { fromBase64 } from './sentencepiece.js'

export const fullNormalizer: OtherNormalizer = (section, op) => {
  switch (section.type) {
    case 'Lowercase':
      return text => text.toLowerCase()
    case 'Strip': {
      const left = section.strip_left === true
      const right = section.strip_right === true
      return text => {
        const t = left ? text.replace(/^\p{White_Space}+/u, '') : text
        return right ? t.replace(/\p{White_Space}+$/u, '') : t
      }
    }
    case 'StripAccents':
      return text => text.replace(/\p{Mn}/gu, '')
    case 'Replace': {
      const content = stringOf(section.content, 'Replace content', op)
      const pattern = section.pattern
      if (!isObject(pattern) || typeof pattern.Regex !== 'string')
        throw badFile(op, `Replace pattern ${show(pattern)}`, '{ Regex } or { String }')
      const regex = translate(pattern.Regex, op)
      return text => text.replace(regex, () => content)
    }
    case 'Precompiled': {
      const map = stringOf(section.precompiled_charsmap, 'precompiled_charsmap', op)
      return precompiled(new CharsMap(fromBase64(map, op), op))
    }
    default:
      return undefined
  }
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
