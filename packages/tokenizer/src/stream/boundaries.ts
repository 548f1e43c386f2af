// Where a text may be cut so that a model reads the two sides as it reads the whole: between two characters that no
// piece of its splits contains side by side, or else no token.

import { Neighbours } from '../bpe/char-bpe.js'
import { VocabIndex } from '../bpe/vocab-index.js'
import { every } from '../family/every.js'
import { NUMBER } from '../scan/classes.js'
import { CL100K, GPT2, O200K } from '../scan/known.js'
import { Cl100kScanner, ClassRunScanner, Gpt2Scanner, O200kScanner } from '../scan/patterns.js'
import { RegexScanner, translate } from '../scan/regex.js'
import type { Scanner } from '../scan/scanner.js'
import { readPreTokenizer } from '../source/pre-tokenizer.js'
import { NORMAL, type TokenTable, UNKNOWN } from '../token-table.js'
import type { TokenizerParts } from '../tokenizer.js'
import { utf8 } from '../utf8.js'
import { PatternPairs } from './pattern-pairs.js'

const OP = 'StreamEncoder'
const FORGET = 4096

/** Tells for two characters, as the model sees them, whether it may be given what is before and behind separately. */
export function separator({ recipe, table }: TokenizerParts): (x: string, y: string) => boolean {
  const pre = readPreTokenizer(recipe.preTokenizer, OP, every.preTokenizer)
  const metaspace = recipe.metaspace === true
  const levels = pre.scanners.filter(scanner => !metaspace || !pre.spaceSplits.has(scanner)).map(pairsOf)
  const outer = pre.outer.map(pairsOf)
  /** Undefined: something may reach across. False: nothing does, but no split need be there. */
  const splits = (x: string, y: string): boolean | undefined => {
    let sure = pre.metaspace?.split === true && y === ' '
    for (const level of levels) {
      if (level === undefined || level.crosses(x, y)) return undefined
      sure ||= level.takes(x)
    }
    return sure
  }
  let neighbours: Neighbours | undefined
  let index: VocabIndex | undefined
  // Whole pieces are summed up in a Unigram model; without splits the sum goes on, see Carry.
  const weighs = recipe.unigram !== undefined && (levels.length > 0 || pre.metaspace?.split === true)
  const told = new Map<string, boolean>()
  const tell = (x: string, y: string): boolean => {
    const split = splits(x, y)
    if (split === undefined) return false
    if (recipe.byteLevel) return split && (!pre.prefixSpace || /\p{White_Space}/u.test(y))
    if (split) return true
    // An unknown character would become one with an unknown one before it.
    const bytes = utf8(y)
    index ??= new VocabIndex(table, kind => kind === NORMAL)
    if (index.get(bytes, 0, bytes.length) < 0) return false
    neighbours ??= new Neighbours(table)
    if (recipe.unigram === 'double' && inNamed(x + y, table)) return false
    return !weighs && !neighbours.has(x.codePointAt(0)!, y.codePointAt(0)!)
  }
  const inner = (ch: string): string => (metaspace && ch === '\u2581' ? ' ' : ch.replace(/^[\ud800-\udfff]$/, '\ufffd'))
  // Splits before Metaspace see the text as it is; only where one surely ends is nothing left to ask.
  const parts = (x: string, y: string): boolean =>
    outer.every(level => level?.crosses(x, y) === false) && outer.some(level => level?.takes(x) || level?.takes(y))
  return (x, y) => {
    const key = x + y
    let known = told.get(key)
    if (known === undefined) {
      if (told.size >= FORGET) told.clear()
      told.set(key, (known = outer.length === 0 ? tell(inner(x), inner(y)) : parts(x, y)))
    }
    return known
  }
}

/** Whether two characters stand side by side in the name of the unknown token or of a byte, see `Unigram`. */
function inNamed(pair: string, table: TokenTable): boolean {
  if (/^(?:<0|0x|x[0-9A-F]|[0-9A-F]{2}|[0-9A-F]>)$/.test(pair)) return true
  const unknown = table.kinds.indexOf(UNKNOWN)
  return unknown >= 0 && table.piece(unknown).includes(pair)
}

/** The pattern that a scanner stands for, where its pieces are its matches and what is between. */
function pairsOf(scanner: Scanner): PatternPairs | undefined {
  if (scanner instanceof RegexScanner) {
    const alone = scanner.behavior === 'Isolated' || scanner.behavior === 'Removed'
    return alone ? new PatternPairs(scanner.pattern) : undefined
  }
  const pattern =
    scanner instanceof ClassRunScanner
      ? `\\p{${scanner.mask === NUMBER ? 'N' : 'P'}}+`
      : scanner instanceof Gpt2Scanner
        ? GPT2
        : scanner instanceof Cl100kScanner
          ? CL100K
          : scanner instanceof O200kScanner
            ? O200K
            : undefined
  return pattern === undefined ? undefined : new PatternPairs(translate(pattern, OP))
}
