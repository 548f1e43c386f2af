// Writes any tokenizer as Hugging Face's `tokenizer.json`.

import type { AddedToken } from './added-tokens.js'
import type { Merges } from './bpe/merger.js'
import { NONE } from './bpe/pair-table.js'
import { escapePattern } from './escape-pattern.js'
import type { Recipe } from './model.js'
import { charsMapOf } from './normalize/charsmap.js'
import { partsOf, type Tokenizer, type TokenizerParts } from './tokenizer.js'

/**
 * The tokenizer as the object that a `tokenizer.json` holds; `JSON.stringify` it. Hugging Face's libraries read it, and
 * so does `fromTokenizerJson`.
 *
 * Models with scores become lists of merges, as Hugging Face's own converter makes them. Two kinds of token cannot be
 * told apart by it: of several ids with the same text the lowest stays.
 *
 * A SentencePiece character map (NFKC and the like) becomes a `Precompiled` normalizer, which Hugging Face applies to
 * user-perceived characters: ids of texts with rare combining sequences may then differ from SentencePiece's. So may
 * those of texts with user-defined symbols that the map or the removal of extra space would change, or that are nothing
 * but such a symbol; and, for Unigram models, those of texts with `<unk>`, a byte token (`<0x0A>`) or a special token
 * written out, which Hugging Face weighs like any other token.
 *
 * @example
 * writeFileSync('tokenizer.json', JSON.stringify(toTokenizerJson(tokenizer)))
 */
export function toTokenizerJson(tokenizer: Tokenizer): Record<string, unknown> {
  const parts = partsOf(tokenizer)
  const { table, recipe } = parts
  const { merges, scores } = parts.model
  const vocab: Record<string, number> = {}
  const pieceOf: string[] = []
  for (let id = table.size - 1; id >= 0; id--) {
    if (table.offsets[id] === table.offsets[id + 1]) continue
    pieceOf[id] = table.piece(id)
  }
  for (const token of tokenizer.addedTokens) pieceOf[token.id] = token.content
  for (let id = table.size - 1; id >= 0; id--) if (pieceOf[id] !== undefined) vocab[pieceOf[id]!] = id
  const bpe = (): unknown => ({
    type: 'BPE',
    dropout: null,
    unk_token: parts.unkId === undefined ? null : (pieceOf[parts.unkId] ?? null),
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: recipe.fuseUnknown ?? false,
    byte_fallback: recipe.byteFallback ?? false,
    ignore_merges: recipe.wholeWords ?? false,
    vocab: Object.fromEntries(Object.entries(vocab).sort((a, b) => a[1] - b[1])),
    merges: mergeList(merges!, pieceOf),
  })
  const unigram = (all: Float64Array): unknown => ({
    type: 'Unigram',
    unk_id: parts.unkId ?? null,
    // What was added to the model stands last.
    vocab: Array.from(all.subarray(0, all.findLastIndex(score => !Number.isNaN(score)) + 1), (score, id) => [
      pieceOf[id] ?? `<unused${id}>`,
      score,
    ]),
    byte_fallback: recipe.byteFallback ?? false,
  })
  const listed = tokenizer.addedTokens.filter(listedIn(parts))
  const before = parts.addBos ? (parts.before ?? [parts.bosId!]) : []
  const after = parts.addEos ? (parts.after ?? [parts.eosId!]) : []
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: listed.map(t => ({
      id: t.id,
      content: t.content,
      single_word: t.singleWord ?? false,
      lstrip: t.lstrip ?? false,
      rstrip: t.rstrip ?? false,
      normalized: t.normalized ?? false,
      special: t.special,
    })),
    normalizer: normalizerOf(recipe, listed),
    pre_tokenizer: recipe.preTokenizer ?? null,
    post_processor: templateOf(before, after, id => pieceOf[id]!),
    decoder: recipe.decoder ?? null,
    model: scores === undefined ? bpe() : unigram(scores),
  }
}

/**
 * Which added tokens Hugging Face can find as such. Not user-defined symbols that no text becomes, that a model finds by
 * their scores, or that normalisation would change there.
 */
function listedIn({ recipe: { sentencePiece: rules } }: TokenizerParts): (token: AddedToken) => boolean {
  if (rules === undefined) return () => true
  const map = rules.charsmap === undefined ? undefined : charsMapOf(rules.charsmap, 'toTokenizerJson')
  return ({ content, form, normalized }) => {
    if (normalized !== true) return true
    if (form === '' || (rules.removeExtra && content.endsWith('\u2581'))) return false
    return map === undefined || map.apply(content) === content
  }
}

/** `[left, right]` in the order in which they merge. */
function mergeList({ pairs, result, priority }: Merges, pieceOf: readonly (string | undefined)[]): [string, string][] {
  const list: { order: number; merge: number; left: number; right: number }[] = []
  pairs.forEach((left, right, merge) => {
    const known = pieceOf[left] !== undefined && pieceOf[right] !== undefined && merge !== NONE
    if (known) list.push({ order: priority === undefined ? merge : priority[merge]!, merge, left, right })
  })
  list.sort((a, b) => a.order - b.order || result[a.merge]! - result[b.merge]! || a.left - b.left || a.right - b.right)
  return list.map(({ left, right }) => [pieceOf[left]!, pieceOf[right]!])
}

function normalizerOf(recipe: Recipe, added: readonly AddedToken[]): unknown {
  const rules = recipe.sentencePiece
  if (rules === undefined) return recipe.normalizer ?? null
  const normalizers: unknown[] = []
  if (rules.charsmap !== undefined) normalizers.push({ type: 'Precompiled', precompiled_charsmap: rules.charsmap })
  if (rules.removeExtra) {
    normalizers.push(
      { type: 'Replace', pattern: { Regex: ' +' }, content: ' ' },
      { type: 'Replace', pattern: { Regex: '\\A |[ \u2581]+\\z' }, content: '' },
    )
  }
  if (rules.dummyPrefix) {
    // Hugging Face normalises symbols like texts before it looks for them, and a prefix would hide them inside a text.
    const symbols = added.filter(token => token.normalized === true).map(({ content }) => escapePattern(content))
    normalizers.push(
      symbols.length === 0
        ? { type: 'Prepend', prepend: '\u2581' }
        : { type: 'Replace', pattern: { Regex: `\\A(?!(?:${symbols.join('|')})\\z)` }, content: '\u2581' },
    )
  }
  normalizers.push({ type: 'Replace', pattern: { String: ' ' }, content: '\u2581' })
  return { type: 'Sequence', normalizers }
}

function templateOf(before: readonly number[], after: readonly number[], piece: (id: number) => string): unknown {
  if (before.length + after.length === 0) return null
  const special = (id: number): unknown => ({ SpecialToken: { id: piece(id), type_id: 0 } })
  const around = (sequence: string): unknown[] => [
    ...before.map(special),
    { Sequence: { id: sequence, type_id: 0 } },
    ...after.map(special),
  ]
  const tokens = [...new Set([...before, ...after])]
  return {
    type: 'TemplateProcessing',
    single: around('A'),
    pair: [...around('A'), ...around('B')],
    special_tokens: Object.fromEntries(
      tokens.map(id => [piece(id), { id: piece(id), ids: [id], tokens: [piece(id)] }]),
    ),
  }
}
