// Hugging Face's `normalizer` section as a function on text.

import { badFile, FULL, show, unsupported } from '../errors.js'
import { arrayOf, isObject, type JsonObject, objectOf, stringOf } from '../json-value.js'

/** What a normalizer does; `metaspace`: it turns every space into `▁`. */
export interface Normalizer {
  readonly steps: ((text: string) => string)[]
  metaspace: boolean
  /** What is prepended, when prepending and turning spaces into `▁` is all there is. */
  simplePrefix: string | undefined
}

/** The step of a normalizer that is not known here, or undefined. */
export type OtherNormalizer = (section: JsonObject, op: string) => ((text: string) => string) | undefined

/** Reads the section; null means no normalizer. */
export function readNormalizer(section: unknown, op: string, other: OtherNormalizer): Normalizer {
  const out: Normalizer = { steps: [], metaspace: false, simplePrefix: '' }
  if (section !== null && section !== undefined) add(objectOf(section, 'normalizer', op), out, op, 0, other)
  return out
}

/**
 * The function on text. A model that takes spaces for `▁` anyway (`spaces`) is spared LLaMA's rewriting of every space,
 * which costs more than all the rest.
 */
export function normalizeOf(normalizer: Normalizer, spaces: boolean): ((text: string) => string) | undefined {
  const { steps, simplePrefix } = normalizer
  if (steps.length === 0) return undefined
  if (spaces && simplePrefix !== undefined) {
    if (simplePrefix === '') return undefined
    const prefix = simplePrefix.replaceAll('\u2581', ' ')
    return text => (text === '' ? text : prefix + text)
  }
  return text => steps.reduce((t, step) => step(t), text)
}

function add(section: JsonObject, out: Normalizer, op: string, depth: number, other: OtherNormalizer): void {
  if (depth > 8) throw badFile(op, 'normalizer nested deeper than 8', 'a sane normalizer')
  const { steps } = out
  const plainReplace = isObject(section.pattern) && section.pattern.String === ' ' && section.content === '\u2581'
  if (section.type === 'Prepend' && typeof section.prepend === 'string' && out.simplePrefix !== undefined) {
    out.simplePrefix = section.prepend + out.simplePrefix
  } else if (section.type !== 'Sequence' && !(section.type === 'Replace' && plainReplace)) out.simplePrefix = undefined
  switch (section.type) {
    case 'Sequence':
      for (const part of arrayOf(section.normalizers, 'normalizers', op)) {
        add(objectOf(part, 'normalizer', op), out, op, depth + 1, other)
      }
      return
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = section.type
      steps.push(text => text.normalize(form))
      return
    }
    case 'Prepend': {
      const prefix = stringOf(section.prepend, 'Prepend', op)
      steps.push(text => (text === '' ? text : prefix + text))
      return
    }
    case 'Replace': {
      const content = stringOf(section.content, 'Replace content', op)
      const pattern = section.pattern
      if (isObject(pattern) && typeof pattern.String === 'string') {
        const from = pattern.String
        if (from === '') throw badFile(op, 'an empty Replace pattern', 'a pattern')
        if (from === ' ' && content === '\u2581') out.metaspace = true
        const safe = content.replaceAll('$', '$$$$')
        steps.push(text => text.replaceAll(from, safe))
        return
      }
      break
    }
    default:
  }
  const step = other(section, op)
  if (step === undefined) throw unsupported(op, `normalizer ${show(section)}`, 'one that is known here', FULL)
  steps.push(step)
}
