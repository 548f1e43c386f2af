/**
 * Which tokens may follow, as bits. Most of the answer does not depend on the stack: the trie is walked once per set
 * of states with the callers left unknown, and remembered. Where a rule ends inside a token, the walk notes the place
 * in the trie ("escape") and goes on there from the caller's state, remembered as well. A mask is the union of a few
 * such pieces, and equal unions are one mask, so that a configuration met for the first time seldom needs even that.
 */
import { HORIZON, TOKENS } from './lower.js'
import type { Config, Frame, Machine, Thread } from './machine.js'
import type { GrammarVocabulary } from './vocabulary.js'

/** One bit per token, and the allowed ids where they are few. */
export interface TokenMask {
  readonly bits: Uint32Array
  /** Number of tokens allowed. */
  readonly count: number
  /** All allowed ids, ascending, where going through them is cheaper than through what is ruled out. */
  readonly ids: Uint32Array | undefined
}

/** Tokens that pass for sure, and nodes where the rule ended within a token. */
interface Piece {
  readonly bits: Uint32Array
  readonly escapes: Int32Array
  readonly id: number
}

/** Pieces kept; each is one bit per token. */
const MAX_PIECES = 1024
/** Unions kept. */
const MAX_UNIONS = 1024
/** Masks that rule out fewer tokens than this are applied token by token. */
const FEW = 12_288
/** Longer lists of ids are made until they hold so many in all (32 MB). */
const LISTED = 8_000_000

export class MaskBuilder {
  readonly #machine: Machine
  readonly #vocabulary: GrammarVocabulary
  #pieces = new Map<string, Piece>()
  #nextPiece = 0
  #ended: TokenMask | undefined
  #unions = new Map<string, TokenMask>()
  #listed = 0
  readonly #path: Config[] = []

  constructor(machine: Machine, vocabulary: GrammarVocabulary) {
    this.#machine = machine
    this.#vocabulary = vocabulary
  }

  /** The tokens that may follow a configuration, the end tokens included. */
  mask(config: Config): TokenMask {
    const known = config.mask as TokenMask | undefined
    if (known) return known
    const { unknown } = this.#machine
    const pieces = new Set<Piece>()
    for (let i = 0; i < config.threads.length; ) {
      const { frame } = config.threads[i]!
      const local: Thread[] = []
      let counted = false
      for (; config.threads[i]?.frame === frame; i++) {
        const { state } = config.threads[i]!
        const canonical = this.#machine.pda.canonical(state)
        counted ||= canonical !== state
        local.push({ state: canonical, frame: unknown })
      }
      this.#follow(frame, local, counted, pieces)
    }
    const mask = this.#machine.pda.hasTokens ? this.#union(pieces, config) : this.#shared(pieces, config)
    config.mask = mask
    return mask
  }

  /** The union of the pieces, found or made. */
  #shared(pieces: ReadonlySet<Piece>, config: Config): TokenMask {
    const ids = Array.from(pieces, piece => piece.id).sort((a, b) => a - b)
    const key = `${config.accepting ? '!' : ''}${ids.join()}`
    let mask = this.#unions.get(key)
    if (mask) this.#unions.delete(key)
    else {
      mask = this.#union(pieces, config)
      if (this.#unions.size >= MAX_UNIONS) this.#unions.delete(this.#unions.keys().next().value!)
    }
    this.#unions.set(key, mask)
    return mask
  }

  #union(pieces: Iterable<Piece>, config: Config): TokenMask {
    const bits = new Uint32Array((this.#vocabulary.size + 31) >>> 5)
    for (const piece of pieces) or(bits, piece.bits)
    if (this.#machine.pda.hasTokens) this.#named(config, bits)
    if (config.accepting) for (const id of this.#vocabulary.eos) bits[id >>> 5]! |= 1 << (id & 31)
    return this.#finish(bits)
  }

  #finish(bits: Uint32Array): TokenMask {
    let count = 0
    for (let i = 0; i < bits.length; i++) count += ones(bits[i]!)
    const listed = count <= 4096 || (this.#vocabulary.size - count > FEW && this.#listed + count <= LISTED)
    if (!listed) return { bits, count, ids: undefined }
    if (count > 4096) this.#listed += count
    const ids = new Uint32Array(count)
    let n = 0
    for (let word = 0; word < bits.length; word++) {
      for (let rest = bits[word]!; rest; rest &= rest - 1) ids[n++] = word * 32 + 31 - Math.clz32(rest & -rest)
    }
    return { bits, count, ids }
  }

  /** Adds the tokens that edges name; the end tokens are never among them. */
  #named(config: Config, bits: Uint32Array): void {
    const { size, eos } = this.#vocabulary
    for (const { state } of config.threads) {
      const list = this.#machine.pda.edges[state]!
      for (let i = 0; i < list.length; i += 3) {
        const last = Math.min(list[i + 1]! - TOKENS, size - 1)
        for (let id = Math.max(0, list[i]! - TOKENS); id <= last; id++)
          if (list[i]! >= TOKENS && !eos.has(id)) bits[id >>> 5]! |= 1 << (id & 31)
      }
    }
  }

  /** Only the end tokens: after a text has ended. */
  ended(): TokenMask {
    if (!this.#ended) {
      const bits = new Uint32Array((this.#vocabulary.size + 31) >>> 5)
      for (const id of this.#vocabulary.eos) bits[id >>> 5]! |= 1 << (id & 31)
      this.#ended = this.#finish(bits)
    }
    return this.#ended
  }

  /** Adds the tokens that the threads of one frame allow, following its callers as far as tokens reach. */
  #follow(frame: Frame, local: Thread[], counted: boolean, into: Set<Piece>): void {
    let piece = this.#piece(local, counted, undefined)
    into.add(piece)
    let at = frame
    while (piece.escapes.length && at.below) {
      const state = this.#machine.pda.canonical(at.ret)
      piece = this.#piece([{ state, frame: this.#machine.unknown }], state !== at.ret, piece)
      into.add(piece)
      at = at.below
    }
  }

  #piece(local: Thread[], counted: boolean, from: Piece | undefined): Piece {
    let key = `${from ? from.id : ''}${counted ? 'c' : ''}`
    for (const { state } of local) key += `,${state}`
    const known = this.#pieces.get(key)
    if (known) {
      // most recently used last
      this.#pieces.delete(key)
      this.#pieces.set(key, known)
      return known
    }
    const config = this.#machine.close(local)
    const bits = new Uint32Array((this.#vocabulary.size + 31) >>> 5)
    const escapes: number[] = []
    const deepest = counted ? HORIZON : Number.POSITIVE_INFINITY
    if (from) for (const node of from.escapes) this.#walk(node, config, deepest, bits, escapes)
    else this.#walk(0, config, deepest, bits, escapes)
    const piece = { bits, escapes: Int32Array.from(new Set(escapes)), id: this.#nextPiece++ }
    if (this.#pieces.size >= MAX_PIECES) this.#pieces.delete(this.#pieces.keys().next().value!)
    this.#pieces.set(key, piece)
    return piece
  }

  /** The tokens below a node of the trie that the configuration lets through. */
  #walk(node: number, config: Config, deepest: number, bits: Uint32Array, escapes: number[]): void {
    const { byte, depth, end, token, same } = this.#vocabulary
    const path = this.#path
    const stop = end[node]!
    path[depth[node]!] = config
    if (config.escaped && node > 0) escapes.push(node)
    if (!config.threads.length) return
    for (let i = node + 1; i < stop; ) {
      const d = depth[i]!
      const before = path[d - 1]!
      const b = byte[i]!
      const known = before.next[b]
      const after = known === undefined ? this.#machine.step(before, b) : known
      if (after === null || d > deepest) {
        i = end[i]!
        continue
      }
      for (let id = token[i]!; id >= 0; id = same[id]!) bits[id >>> 5]! |= 1 << (id & 31)
      if (after.escaped) escapes.push(i)
      if (after.threads.length) {
        path[d] = after
        i++
      } else i = end[i]!
    }
  }
}

function or(into: Uint32Array, from: Uint32Array): void {
  for (let i = 0; i < into.length; i++) into[i]! |= from[i]!
}

function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
