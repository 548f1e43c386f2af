// A compact binary form, for web pages: half the size of a `tokenizer.json` and several times faster to load, since
// nothing in it has to be looked up by string. It keeps everything, exactly.
//
// Layout: `CRIATOK1`, then sections of numbers in LEB128. Header JSON (length first), kinds as runs, lengths of the
// tokens, their bytes, then the merges in order: what each makes (difference to the one before, zigzag), how many pairs
// it has, and these. A Unigram model has the scores as little-endian doubles instead.

import type { AddedToken } from './added-tokens.js'
import type { Merges } from './bpe/merger.js'
import { NONE, PairTable } from './bpe/pair-table.js'
import type { DecodeRules } from './decoder.js'
import { badFile, show } from './errors.js'
import { arrayOf, isObject, objectOf, parseObject } from './json-value.js'
import type { Recipe } from './model.js'
import { normalizeOf, readNormalizer } from './normalize/normalizer.js'
import { type MakeCharsMap, sentencePieceNormalizer } from './normalize/sentencepiece.js'
import { withRoom } from './room.js'
import { type Abilities, assemble } from './source/assemble.js'
import { readPreTokenizer } from './source/pre-tokenizer.js'
import { MAX_VOCAB, type PieceStyle, TokenTable, UNREACHABLE } from './token-table.js'
import { partsOf, Tokenizer } from './tokenizer.js'
import { utf8 } from './utf8.js'

const MAGIC = 'CRIATOK1'
const OP = 'fromCompact'

/**
 * The tokenizer in the compact binary form, for {@link fromCompact}.
 *
 * @example
 * writeFileSync('tokenizer.bin', toCompact(tokenizer))
 */
export function toCompact(tokenizer: Tokenizer): Uint8Array {
  const { table, model, normalize: _n, prefix: _p, added, ...rest } = partsOf(tokenizer)
  const out = new Writer()
  out.bytes(utf8(MAGIC))
  const header = utf8(JSON.stringify({ ...rest, added, style: table.style }))
  out.number(header.length)
  out.bytes(header)
  out.number(table.size)
  for (let id = 0; id < table.size; ) {
    let end = id + 1
    while (end < table.size && table.kinds[end] === table.kinds[id]) end++
    out.number(table.kinds[id]!)
    out.number(end - id)
    id = end
  }
  for (let id = 0; id < table.size; id++) out.number(table.offsets[id + 1]! - table.offsets[id]!)
  out.bytes(table.blob)
  if (model.merges !== undefined) writeMerges(model.merges, out)
  else if (model.scores !== undefined) for (const score of model.scores) out.double(score)
  return out.take()
}

function writeMerges({ pairs, result, priority }: Merges, out: Writer): void {
  const heads = new Int32Array(result.length + 1)
  pairs.forEach((_l, _r, merge) => heads[merge + 1]!++)
  for (let i = 0; i < result.length; i++) heads[i + 1]! += heads[i]!
  const ends = heads.slice(0, result.length)
  const total = heads[result.length]!
  const lefts = new Uint32Array(total)
  const rights = new Uint32Array(total)
  pairs.forEach((left, right, merge) => {
    const at = ends[merge]!++
    lefts[at] = left
    rights[at] = right
  })
  out.number(result.length)
  out.number(total)
  let last = 0
  for (let merge = 0; merge < result.length; merge++) {
    const step = result[merge]! - last
    last = result[merge]!
    out.number(step < 0 ? -2 * step - 1 : 2 * step)
    const order = Array.from({ length: heads[merge + 1]! - heads[merge]! }, (_, i) => heads[merge]! + i)
    order.sort((a, b) => lefts[a]! - lefts[b]! || rights[a]! - rights[b]!)
    out.number(order.length)
    for (const at of order) {
      out.number(lefts[at]!)
      out.number(rights[at]!)
    }
  }
  out.number(priority === undefined ? 0 : 1)
  if (priority !== undefined) for (let i = 0; i < result.length; i++) out.number(i - priority[i]!)
}

/** What `fromCompact` does, with the abilities of the entry it is called from. */
export function readCompact(bytes: Uint8Array, abilities: Abilities, charsMap: MakeCharsMap): Tokenizer {
  const input = new Reader(bytes)
  const magic = input.bytes(MAGIC.length)
  if (magic.some((byte, i) => byte !== MAGIC.charCodeAt(i)))
    throw badFile(OP, 'other bytes', `a file that begins ${MAGIC}`)
  const header = parseObject(input.bytes(input.number()), 'header', OP)
  const size = input.number()
  if (size === 0 || size > MAX_VOCAB) throw badFile(OP, `${size} tokens`, `between 1 and ${MAX_VOCAB}`)
  const kinds = new Uint8Array(size)
  for (let id = 0; id < size; ) {
    const kind = input.number()
    const length = input.number()
    if (kind < 1 || kind > UNREACHABLE || length === 0 || length > size - id)
      throw badFile(OP, `kind ${kind}`, '1 to 7, in runs')
    kinds.fill(kind, id, id + length)
    id += length
  }
  const offsets = new Uint32Array(size + 1)
  let total = 0
  const lengths = input.numbers(size)
  for (let id = 0; id < size; id++) {
    total += lengths[id]!
    if (total > bytes.length) throw badFile(OP, 'tokens longer than the file', 'tokens inside it')
    offsets[id + 1] = total
  }
  const style = header.style as PieceStyle
  const table = new TokenTable(input.bytes(total).slice(), offsets, kinds, style)
  const recipe = objectOf(header.recipe, 'recipe', OP) as unknown as Recipe
  const merges =
    recipe.unigram === undefined ? readMerges(input, size, size + (recipe.byteLevel ? 0 : total)) : undefined
  const scores = recipe.unigram === undefined ? undefined : input.doubles(size)
  const idIn = (value: unknown, what: string): number | undefined => {
    if (value === undefined) return undefined
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < size) return value as number
    throw badFile(OP, `${what} ${show(value)}`, `an id below ${size}`)
  }
  const idsIn = (value: unknown, what: string): number[] | undefined =>
    value === undefined ? undefined : arrayOf(value, what, OP).map(id => idIn(id, what)!)
  const added = arrayOf(header.added, 'added tokens', OP).map(value => {
    const token = objectOf(value, 'an added token', OP) as unknown as AddedToken
    idIn(token.id ?? -1, 'added token')
    if (typeof token.content !== 'string') throw badFile(OP, 'an added token without content', 'content')
    return token
  })
  const decode = objectOf(header.decode, 'decode', OP) as unknown as DecodeRules
  const pre = readPreTokenizer(recipe.preTokenizer, OP, abilities.preTokenizer)
  const unkId = idIn(header.unkId, 'unkId')
  const spaces = recipe.metaspace === true && pre.outer.length === 0
  const rules = isObject(recipe.sentencePiece) ? recipe.sentencePiece : undefined
  const bosId = idIn(header.bosId, 'bosId')
  const eosId = idIn(header.eosId, 'eosId')
  return new Tokenizer({
    table,
    model: assemble({ table, recipe, merges, scores, unknown: unkId, op: OP }, pre, abilities),
    recipe,
    added,
    decode,
    bosId,
    eosId,
    eosIds: idsIn(header.eosIds, 'eosIds') ?? (eosId === undefined ? [] : [eosId]),
    unkId,
    padId: idIn(header.padId, 'padId'),
    addBos: header.addBos === true,
    addEos: header.addEos === true,
    before: idsIn(header.before, 'before'),
    after: idsIn(header.after, 'after'),
    chatTemplate: typeof header.chatTemplate === 'string' ? header.chatTemplate : undefined,
    normalize:
      rules === undefined
        ? normalizeOf(readNormalizer(recipe.normalizer, OP, abilities.normalizer), spaces)
        : sentencePieceNormalizer(rules, added, OP, charsMap),
    prefix: pre.prefix,
  })
}

function readMerges(
  input: Reader,
  tokens: number,
  symbols: number,
): { pairs: PairTable; result: Int32Array; priority: Int32Array | undefined } {
  const count = input.number()
  const total = input.number()
  if (count > input.left || total * 2 > input.left) throw badFile(OP, `${count} merges`, 'merges inside the file')
  const result = new Int32Array(count)
  const pairs = new PairTable(total)
  const numbers = input.numbers(2 * count + 2 * total)
  let at = 0
  let last = 0
  for (let merge = 0; merge < count; merge++) {
    const step = numbers[at++]!
    last += step % 2 === 1 ? -(step + 1) / 2 : step / 2
    if (!(last >= 0 && last < tokens)) throw badFile(OP, `merge ${merge} into ${last}`, `a token below ${tokens}`)
    result[merge] = last
    for (let n = numbers[at++]!; n > 0; n--) {
      const left = numbers[at++]!
      const right = numbers[at++]!
      if (!(left < symbols && right < symbols) || merge >= NONE >>> 8) {
        throw badFile(OP, `merge ${merge} of ${left} and ${right}`, `symbols below ${symbols}`)
      }
      pairs.add(left, right, merge)
    }
  }
  if (at !== numbers.length) throw badFile(OP, `${total} pairs and more merges`, 'as many as there are')
  if (input.number() === 0) return { pairs, result, priority: undefined }
  return { pairs, result, priority: Int32Array.from({ length: count }, (_, i) => Math.max(0, i - input.number())) }
}

class Writer {
  #out = new Uint8Array(1 << 16)
  #length = 0

  #room(more: number): void {
    this.#out = withRoom(this.#out, this.#length + more)
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#out.set(bytes, this.#length)
    this.#length += bytes.length
  }

  number(value: number): void {
    this.#room(5)
    let v = value
    for (; v >= 128; v >>>= 7) this.#out[this.#length++] = (v & 127) | 128
    this.#out[this.#length++] = v
  }

  double(value: number): void {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, value, true)
    this.bytes(bytes)
  }

  take(): Uint8Array {
    return this.#out.slice(0, this.#length)
  }
}

class Reader {
  readonly #source: Uint8Array
  #at = 0

  constructor(source: Uint8Array) {
    this.#source = source
  }

  get left(): number {
    return this.#source.length - this.#at
  }

  bytes(length: number): Uint8Array {
    if (length > this.left) throw broken(this.#source)
    this.#at += length
    return this.#source.subarray(this.#at - length, this.#at)
  }

  doubles(count: number): Float64Array {
    const bytes = this.bytes(8 * count)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return Float64Array.from({ length: count }, (_, i) => view.getFloat64(8 * i, true))
  }

  number(): number {
    return this.numbers(1)[0]!
  }

  /** Many at once, which is faster. */
  numbers(count: number): Uint32Array {
    if (count > this.left) throw broken(this.#source)
    const b = this.#source
    const out = new Uint32Array(count)
    let p = this.#at
    for (let i = 0; i < count; i++) {
      let byte = b[p++]!
      let value = byte & 127
      for (let shift = 7; byte > 127; shift += 7) {
        if (shift > 28) throw badFile(OP, `a number of more than five bytes at ${p}`, 'numbers of 32 bits')
        byte = b[p++]!
        value |= (byte & 127) << shift
      }
      out[i] = value
    }
    if (p > b.length) throw broken(b)
    this.#at = p
    return out
  }
}

const broken = ({ length }: Uint8Array): Error =>
  badFile(OP, `a file that breaks off at byte ${length}`, 'a whole file')
