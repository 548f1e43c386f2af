// The pre-tokenizer of models that write a space as `▁`: Metaspace.

import { badFile, show, unsupported } from '../errors.js'
import type { Scanner } from '../scan/scanner.js'
import type { PreTokenizer, ReadSection } from './pre-tokenizer.js'

/** Reads Metaspace. */
export const metaspace: ReadSection = (section, out, op) => {
  if (section.type !== 'Metaspace') return false
  const replacement = section.replacement ?? '\u2581'
  if (replacement !== '\u2581') throw unsupported(op, `Metaspace replacement ${show(replacement)}`, '▁')
  const scheme = section.prepend_scheme ?? (section.add_prefix_space === false ? 'never' : 'always')
  if (scheme !== 'always' && scheme !== 'first' && scheme !== 'never') {
    throw badFile(op, `prepend_scheme ${show(scheme)}`, 'always, first or never')
  }
  out.metaspace = { split: section.split !== false }
  // A space before a stretch of text that has none.
  if (scheme !== 'never') {
    out.prefix = (text, first) =>
      (scheme === 'first' && !first) || text.startsWith(' ') || text.startsWith('\u2581') ? text : ` ${text}`
  }
  return true
}

/** Metaspace with `split`: every space begins a word. */
const wordStarts: Scanner = {
  next(b: Uint8Array, start: number, end: number): number {
    let p = start + 1
    while (p < end && b[p] !== 0x20) p++
    return p
  },
}

/** Cuts inside a model that reads spaces as they are, or undefined where the text is one piece. */
export function innerScanner(pre: PreTokenizer, spaces: boolean, op: string): Scanner | undefined {
  // Once spaces are `▁`, a split at spaces finds nothing (Gemma has one).
  const scanners = spaces ? pre.scanners.filter(s => !pre.spaceSplits.has(s)) : pre.scanners
  if (pre.metaspace?.split === true) return pre.chain([...scanners, wordStarts])
  if (spaces && scanners.length > 0) throw unsupported(op, 'a split besides Metaspace', 'Metaspace alone')
  return scanners.length > 0 ? pre.chain(scanners) : undefined
}
