/** The bytes of every token as a trie laid out flat, made once per tokenizer and shared by all grammars. */
import { ParameterError } from '../errors.js'
import { integer } from '../lib/check.js'

export interface VocabularyOptions {
  /** Tokens that end the text; offered where the grammar may stop. */
  eos: number | Iterable<number>
}

/** Node 0 is the root; the nodes of a subtree follow one another: `i + 1` is the first child, `end[i]` the next sibling. */
export class GrammarVocabulary {
  /** Bytes per token; undefined for special tokens, which a grammar never offers. */
  readonly tokens: readonly (Uint8Array | undefined)[]
  readonly eos: ReadonlySet<number>
  readonly byte: Uint8Array
  readonly depth: Uint16Array
  readonly end: Int32Array
  /** A token that ends at the node, or -1; others of the same bytes follow in `same`. */
  readonly token: Int32Array
  readonly same: Int32Array

  /**
   * @param tokens per id: the exact bytes the token stands for (not its text, which may be half a character), or a
   * string, or nothing for special and unused tokens.
   *
   * @example
   * const vocabulary = new GrammarVocabulary(['a', 'b', undefined], { eos: 2 })
   */
  constructor(tokens: Iterable<Uint8Array | string | undefined | null>, { eos }: VocabularyOptions) {
    const encoder = new TextEncoder()
    this.tokens = Array.from(tokens, t => (typeof t === 'string' ? encoder.encode(t) : (t ?? undefined)))
    if (this.tokens.length === 0) throw new ParameterError('GrammarVocabulary', 'tokens', [], 'the bytes of each token')
    const longest = this.tokens.reduce((n, t) => Math.max(n, t?.length ?? 0), 0)
    if (longest > 65_535)
      throw new ParameterError('GrammarVocabulary', 'tokens', longest, 'tokens of at most 65,535 bytes')
    this.eos = new Set(
      Array.from(typeof eos === 'number' ? [eos] : eos, t =>
        integer('GrammarVocabulary', 'eos', t, 0, this.tokens.length - 1),
      ),
    )
    const order = this.tokens.flatMap((t, id) => (t?.length && !this.eos.has(id) ? [id] : []))
    order.sort((a, b) => compare(this.tokens[a]!, this.tokens[b]!))
    const nodes = countNodes(order, this.tokens)
    this.byte = new Uint8Array(nodes)
    this.depth = new Uint16Array(nodes)
    this.end = new Int32Array(nodes).fill(nodes)
    this.token = new Int32Array(nodes).fill(-1)
    this.same = new Int32Array(this.tokens.length).fill(-1)
    this.#fill(order)
  }

  get size(): number {
    return this.tokens.length
  }

  #fill(order: readonly number[]): void {
    // path[d]: the open node at depth d
    const path: number[] = [0]
    let previous: Uint8Array = new Uint8Array(0)
    let next = 1
    for (const id of order) {
      const bytes = this.tokens[id]!
      let common = 0
      while (common < previous.length && common < bytes.length && previous[common] === bytes[common]) common++
      for (let d = common + 1; d < path.length; d++) this.end[path[d]!] = next
      path.length = common + 1
      for (let i = common; i < bytes.length; i++) {
        this.byte[next] = bytes[i]!
        this.depth[next] = i + 1
        path.push(next++)
      }
      const node = path[bytes.length]!
      this.same[id] = this.token[node]!
      this.token[node] = id
      previous = bytes
    }
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

function countNodes(order: readonly number[], tokens: readonly (Uint8Array | undefined)[]): number {
  let nodes = 1
  let previous: Uint8Array = new Uint8Array(0)
  for (const id of order) {
    const bytes = tokens[id]!
    let common = 0
    while (common < previous.length && common < bytes.length && previous[common] === bytes[common]) common++
    nodes += bytes.length - common
    previous = bytes
  }
  return nodes
}
