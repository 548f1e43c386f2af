// Hugging Face's `pre_tokenizer` section: what it does to a text, and how it is read. The kinds of it are elsewhere
// (splits.ts, metaspace.ts, full-pre-tokenizer.ts), so that a bundle holds those that its models have.

import { badFile, FULL, show, unsupported } from '../errors.js'
import { arrayOf, type JsonObject, objectOf } from '../json-value.js'
import type { Scanner } from '../scan/scanner.js'

/** What a pre-tokenizer does. */
export interface PreTokenizer {
  readonly scanners: Scanner[]
  /** Runs several one inside the other; set by readers that may find more than one. */
  chain: (scanners: readonly Scanner[]) => Scanner
  /** Those scanners that split at the space character and nothing else. */
  readonly spaceSplits: Set<Scanner>
  byteLevel: boolean
  /** `ByteLevel.add_prefix_space`. */
  prefixSpace: boolean
  /** Metaspace, and whether every `▁` begins a new word. */
  metaspace: { readonly split: boolean } | undefined
  /** Metaspace's prefix of a stretch of text; `first`: nothing stands before it. */
  prefix: ((text: string, first: boolean) => string) | undefined
}

/** Reads one section, or returns false where it is of another kind. */
export type ReadSection = (section: JsonObject, out: PreTokenizer, op: string) => boolean

/** No pre-tokenizer. */
export const noPreTokenizer = (scanners: Scanner[] = []): PreTokenizer => ({
  scanners,
  chain: ([one]) => one!,
  spaceSplits: new Set(),
  byteLevel: false,
  prefixSpace: false,
  metaspace: undefined,
  prefix: undefined,
})

/** Reads the section with what is left of it; null means no pre-tokenizer. */
export function readPreTokenizer(section: unknown, op: string, read: ReadSection): PreTokenizer {
  const out = noPreTokenizer()
  if (section !== null && section !== undefined) add(objectOf(section, 'pre_tokenizer', op), out, op, 0, read)
  return out
}

function add(section: JsonObject, out: PreTokenizer, op: string, depth: number, read: ReadSection): void {
  if (depth > 8) throw badFile(op, 'pre_tokenizer nested deeper than 8', 'a sane pre_tokenizer')
  if (section.type === 'Sequence')
    for (const part of arrayOf(section.pretokenizers, 'pretokenizers', op))
      add(objectOf(part, 'pre_tokenizer', op), out, op, depth + 1, read)
  else if (!read(section, out, op))
    throw unsupported(op, `pre_tokenizer ${show(section)}`, 'one that is known here', FULL)
}
