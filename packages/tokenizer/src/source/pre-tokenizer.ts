// Hugging Face's `pre_tokenizer` section: what it does to a text, and how it is read. The kinds of it are elsewhere
// (splits.ts, metaspace.ts, full-pre-tokenizer.ts), so that a bundle holds those that its models have.

import { FULL, show, unsupported } from '../errors.js'
import { eachSection, type JsonObject } from '../json-value.js'
import type { Prefix } from '../pipeline.js'
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
  /** Metaspace's prefix of a stretch of text, or of each of its words where {@link outer} splits it. */
  prefix: Prefix | undefined
  /** Splits before Metaspace, which are not among {@link scanners}. */
  outer: readonly Scanner[]
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
  outer: [],
})

/** Reads the section with what is left of it; null means no pre-tokenizer. */
export function readPreTokenizer(section: unknown, op: string, read: ReadSection): PreTokenizer {
  const out = noPreTokenizer()
  eachSection(section, 'pre_tokenizer', 'pretokenizers', op, part => {
    if (!read(part, out, op)) throw unsupported(op, `pre_tokenizer ${show(part)}`, 'one that is known here', FULL)
  })
  return out
}
