// The normalizers of models that write a space as `▁`: a prefix, and replacements of text.

import { badFile } from '../errors.js'
import { isObject, stringOf } from '../json-value.js'
import { addStep, type ReadNormalizer } from './normalizer.js'

/** Reads Prepend and Replace. */
export const spaces: ReadNormalizer = (section, out, op) => {
  const { simple } = out
  if (section.type === 'Prepend') {
    const prefix = stringOf(section.prepend, 'Prepend', op)
    const step = (text: string): string => (text === '' ? text : prefix + text)
    addStep(out, step)
    out.simple = simple && (text => spaced(step(simple(text))))
    return true
  }
  const { pattern } = section
  if (section.type !== 'Replace' || !isObject(pattern) || typeof pattern.String !== 'string') return false
  const content = stringOf(section.content, 'Replace content', op)
  const from = pattern.String
  if (from === '') throw badFile(op, 'an empty Replace pattern', 'a pattern')
  const safe = content.replaceAll('$', '$$$$')
  addStep(out, text => text.replaceAll(from, safe))
  if (from === ' ' && content === '\u2581') {
    out.metaspace = true
    out.simple = simple && (text => spaced(simple(text)))
  }
  return true
}

/** Writes every `▁` as the space that it stands for inside. */
export const spaced = (text: string): string => (text.includes('\u2581') ? text.replaceAll('\u2581', ' ') : text)
