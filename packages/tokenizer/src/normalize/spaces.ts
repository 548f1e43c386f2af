// The normalizers of models that write a space as `▁`: a prefix, and replacements of text.

import { badFile } from '../errors.js'
import { isObject, stringOf } from '../json-value.js'
import { addStep, type ReadNormalizer } from './normalizer.js'

/** Reads Prepend and Replace. */
export const spaces: ReadNormalizer = (section, out, op) => {
  if (section.type === 'Prepend') {
    const prefix = stringOf(section.prepend, 'Prepend', op)
    const simple = out.simplePrefix
    addStep(out, text => (text === '' ? text : prefix + text))
    if (simple !== undefined) out.simplePrefix = prefix + simple
    return true
  }
  const { pattern } = section
  if (section.type !== 'Replace' || !isObject(pattern) || typeof pattern.String !== 'string') return false
  const content = stringOf(section.content, 'Replace content', op)
  const from = pattern.String
  if (from === '') throw badFile(op, 'an empty Replace pattern', 'a pattern')
  const simple = out.simplePrefix
  const safe = content.replaceAll('$', '$$$$')
  addStep(out, text => text.replaceAll(from, safe))
  if (from === ' ' && content === '\u2581') {
    out.metaspace = true
    out.simplePrefix = simple
  }
  return true
}
