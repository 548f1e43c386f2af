// The pre-tokenizer of models that write a space as `▁`: Metaspace.

import { badFile, show, unsupported } from '../errors.js'
import type { Scanner } from '../scan/scanner.js'
import { textOf, utf8 } from '../utf8.js'
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
    out.prefix = (text, first, goesOn) =>
      goesOn || (scheme === 'first' && !first) || /^[ \u2581]/.test(text) ? text : ` ${text}`
  }
  return true
}

/** Reads Metaspace behind other splits, for which each of their pieces is a stretch of its own. */
export const metaspaceBehind: ReadSection = (section, out, op) => {
  if (out.scanners.length === 0 || !metaspace(section, out, op)) return false
  out.outer = out.scanners.splice(0)
  const scanner = out.chain(out.outer)
  const inner = out.prefix
  out.prefix = (text, first, goesOn) => {
    const bytes = utf8(text)
    const words: string[] = []
    scanner.begin?.(bytes, 0, bytes.length)
    for (let at = 0; at < bytes.length; ) {
      const stop = scanner.next(bytes, at, bytes.length)
      const word = textOf(bytes, at, Math.max(at, stop))
      if (stop > 0) words.push((inner?.(word, first && at === 0 && !goesOn, false) as string | undefined) ?? word)
      at = stop < 0 ? ~stop : stop
    }
    return words
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
