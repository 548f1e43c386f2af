// Hugging Face's `normalizer` section as a function on text.

import { FULL, show, unsupported } from '../errors.js'
import { eachSection, type JsonObject } from '../json-value.js'
import { normalForm } from './unicode9.js'

/** What a normalizer does; `metaspace`: it turns every space into `▁`. */
export interface Normalizer {
  readonly steps: ((text: string) => string)[]
  metaspace: boolean
  /** All steps for a model that takes spaces for `▁` anyway, while prepending and turning them is all there is. */
  simple: ((text: string) => string) | undefined
}

/** Reads one section that is not known here, or returns false. */
export type ReadNormalizer = (section: JsonObject, out: Normalizer, op: string) => boolean

/** Reads the section, Unicode's normalisation forms here and the rest with `read`; null means no normalizer. */
export function readNormalizer(section: unknown, op: string, read: ReadNormalizer): Normalizer {
  const out: Normalizer = { steps: [], metaspace: false, simple: text => text }
  eachSection(section, 'normalizer', 'normalizers', op, part => {
    const type = String(part.type)
    if (/^NFK?[CD]$/.test(type)) addStep(out, text => normalForm(text, type))
    else if (!read(part, out, op)) throw unsupported(op, `normalizer ${show(part)}`, 'one that is known here', FULL)
  })
  return out
}

/**
 * The function on text. A model that takes spaces for `▁` anyway (`spaces`) is spared LLaMA's rewriting of every space,
 * which costs more than all the rest.
 */
export function normalizeOf({ steps, simple }: Normalizer, spaces: boolean): ((text: string) => string) | undefined {
  if (steps.length === 0) return undefined
  return (spaces && simple) || (text => steps.reduce((t, step) => step(t), text))
}

/** Adds a step that is not simple. */
export function addStep(out: Normalizer, step: (text: string) => string): true {
  out.simple = undefined
  out.steps.push(step)
  return true
}
