// Hugging Face's `normalizer` section as a function on text.

import { badFile, FULL, show, unsupported } from '../errors.js'
import { arrayOf, type JsonObject, objectOf } from '../json-value.js'

/** What a normalizer does; `metaspace`: it turns every space into `▁`. */
export interface Normalizer {
  readonly steps: ((text: string) => string)[]
  metaspace: boolean
  /** What is prepended, when prepending and turning spaces into `▁` is all there is. */
  simplePrefix: string | undefined
}

/** Reads one section that is not known here, or returns false. */
export type ReadNormalizer = (section: JsonObject, out: Normalizer, op: string) => boolean

/** Reads the section, Unicode's normalisation forms here and the rest with `read`; null means no normalizer. */
export function readNormalizer(section: unknown, op: string, read: ReadNormalizer): Normalizer {
  const out: Normalizer = { steps: [], metaspace: false, simplePrefix: '' }
  if (section !== null && section !== undefined) add(objectOf(section, 'normalizer', op), out, op, 0, read)
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

/** Adds a step that is not simple. */
export function addStep(out: Normalizer, step: (text: string) => string): true {
  out.simplePrefix = undefined
  out.steps.push(step)
  return true
}

function add(section: JsonObject, out: Normalizer, op: string, depth: number, read: ReadNormalizer): void {
  if (depth > 8) throw badFile(op, 'normalizer nested deeper than 8', 'a sane normalizer')
  const type = String(section.type)
  if (type === 'Sequence')
    for (const part of arrayOf(section.normalizers, 'normalizers', op))
      add(objectOf(part, 'normalizer', op), out, op, depth + 1, read)
  else if (/^NFK?[CD]$/.test(type)) addStep(out, text => text.normalize(type))
  else if (!read(section, out, op)) throw unsupported(op, `normalizer ${show(section)}`, 'one that is known here', FULL)
}
