// The pre-tokenizers of byte-level models: ByteLevel, splits that are known by heart, digits.

import { unsupported } from '../errors.js'
import { isObject, type JsonObject } from '../json-value.js'
import { NUMBER } from '../scan/classes.js'
import { isolate, knownScanner, type OtherSplit } from '../scan/known.js'
import { ClassRunScanner, Gpt2Scanner } from '../scan/patterns.js'
import { chain } from '../scan/scanner.js'
import type { PreTokenizer, ReadSection } from './pre-tokenizer.js'

/** Reads them; `other` makes scanners for unknown patterns. */
export const splits =
  (other: OtherSplit): ReadSection =>
  (section, out, op) => {
    out.chain = chain
    switch (section.type) {
      case 'ByteLevel':
        out.byteLevel = true
        if (section.add_prefix_space === true) {
          if (out.scanners.length > 0)
            throw unsupported(op, 'add_prefix_space behind another split', 'it on the first split')
          out.prefixSpace = true
        }
        if (section.use_regex !== false) out.scanners.push(new Gpt2Scanner())
        return true
      case 'Split':
        return addKnownSplit(section, out, op, other)
      case 'Digits':
        // After ByteLevel, text is in the byte alphabet; only splits that see ASCII alone are the same there as before.
        if (out.byteLevel) return false
        out.scanners.push(
          new ClassRunScanner(NUMBER, section.individual_digits === true ? 1 : Number.POSITIVE_INFINITY),
        )
        return true
      default:
        return false
    }
  }

/** A split that a hand-written scanner does; false for any other. */
function addKnownSplit(section: JsonObject, out: PreTokenizer, op: string, other: OtherSplit): boolean {
  const { pattern, behavior, invert } = section
  if (!isObject(pattern) || typeof pattern.Regex !== 'string' || typeof behavior !== 'string') return false
  const isolated = behavior === 'Isolated' && invert !== true
  // A known pattern's matches cover any text, so isolating them and dropping what is between are the same.
  const scanner = isolated || (behavior === 'Removed' && invert === true) ? knownScanner(pattern.Regex) : undefined
  if (scanner !== undefined) out.scanners.push(scanner)
  else if (isolated && !out.byteLevel && pattern.Regex !== '') out.scanners.push(isolate(pattern.Regex, op, other))
  else return false
  return true
}
