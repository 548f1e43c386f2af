// The vocabulary as flat arrays: the bytes each id stands for, and what kind of token it is. No strings are kept;
// `piece` writes them again on demand. Merging is elsewhere (bpe/).

import { badFile } from './errors.js'
import { withRoom } from './room.js'
import { textOf, utf8 } from './utf8.js'

/** Token kinds, numbered as in SentencePiece and ggml. */
export const NORMAL = 1
export const UNKNOWN = 2
export const CONTROL = 3
export const USER_DEFINED = 4
export const UNUSED = 5
export const BYTE = 6
/** No text becomes it; a kind of our own. */
export const UNREACHABLE = 7

/** How pieces are written for people: SentencePiece's `▁the` and `<0x0A>`, GPT-2's `Ġthe`, or as they are. */
export type PieceStyle = 'sentencepiece' | 'byte-level' | 'plain'

/** Largest vocabulary that is read: pair tables pack two ids into 40 bits. */
export const MAX_VOCAB: number = (1 << 20) - 4

/** Bytes and kinds by id. Ids that the source leaves out are `unused` and empty. */
export class TokenTable {
  readonly size: number
  readonly blob: Uint8Array
  /** `blob[offsets[id], offsets[id + 1])` are the bytes of `id`. */
  readonly offsets: Uint32Array
  readonly kinds: Uint8Array
  readonly style: PieceStyle

  constructor(blob: Uint8Array, offsets: Uint32Array, kinds: Uint8Array, style: PieceStyle) {
    this.size = kinds.length
    this.blob = blob
    this.offsets = offsets
    this.kinds = kinds
    this.style = style
  }

  bytes(id: number): Uint8Array {
    return this.blob.subarray(this.offsets[id]!, this.offsets[id + 1]!)
  }

  /** The token as its source writes it. */
  piece(id: number): string {
    const kind = this.kinds[id]!
    const start = this.offsets[id]!
    const end = this.offsets[id + 1]!
    if (kind === BYTE && end === start + 1) {
      return `<0x${this.blob[start]!.toString(16).toUpperCase().padStart(2, '0')}>`
    }
    const raw = kind === CONTROL || kind === UNKNOWN || kind === USER_DEFINED
    if (this.style === 'plain' || kind === UNREACHABLE || (raw && this.style === 'byte-level'))
      return textOf(this.blob, start, end)
    if (this.style === 'byte-level') {
      let out = ''
      for (let i = start; i < end; i++) out += String.fromCharCode(byteToUnit(this.blob[i]!))
      return out
    }
    return textOf(this.blob, start, end).replaceAll(' ', '\u2581')
  }
}

/** Collects tokens in id order into a {@link TokenTable}. */
export class TokenTableBuilder {
  #blob = new Uint8Array(1 << 16)
  #used = 0
  readonly #offsets: Uint32Array
  readonly kinds: Uint8Array
  #next = 0

  constructor(size: number, op: string) {
    if (!(size > 0 && size <= MAX_VOCAB)) throw badFile(op, `${size} tokens`, `between 1 and ${MAX_VOCAB}`)
    this.#offsets = new Uint32Array(size + 1)
    this.kinds = new Uint8Array(size).fill(UNUSED)
  }

  /** Room for `more` bytes; returns the buffer to write into at {@link at}. */
  room(more: number): Uint8Array {
    this.#blob = withRoom(this.#blob, this.#used + more)
    return this.#blob
  }

  get at(): number {
    return this.#used
  }

  /** Ends the token with the next id, whose `length` bytes were written at {@link at}. */
  commit(length: number, kind: number): void {
    this.#used += length
    this.kinds[this.#next++] = kind
    this.#offsets[this.#next] = this.#used
  }

  add(bytes: Uint8Array, kind: number): void {
    this.room(bytes.length).set(bytes, this.#used)
    this.commit(bytes.length, kind)
  }

  finish(style: PieceStyle): TokenTable {
    return new TokenTable(this.#blob.slice(0, this.#used), this.#offsets, this.kinds, style)
  }
}

/** Adds text as it is. */
export function addPlain(builder: TokenTableBuilder, text: string, kind: number): void {
  builder.add(utf8(text), kind)
}

/** Adds text with every `▁` as a space. By hand: most are too short to be worth a call of an encoder. */
export function addSpaced(builder: TokenTableBuilder, text: string, kind: number): void {
  const out = builder.room(text.length * 3)
  const { at } = builder
  let o = at
  for (let i = 0; i < text.length; i++) {
    let c = text.charCodeAt(i)
    if (c < 0x80) out[o++] = c
    else if (c < 0x800) {
      out[o++] = 0xc0 | (c >> 6)
      out[o++] = 0x80 | (c & 63)
    } else if (c === 0x2581) out[o++] = 0x20
    else if ((c & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      c = 0x10000 + ((c & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff)
      out[o++] = 0xf0 | (c >> 18)
      out[o++] = 0x80 | ((c >> 12) & 63)
      out[o++] = 0x80 | ((c >> 6) & 63)
      out[o++] = 0x80 | (c & 63)
    } else {
      // Lone surrogates are U+FFFD.
      if ((c & 0xf800) === 0xd800) c = 0xfffd
      out[o++] = 0xe0 | (c >> 12)
      out[o++] = 0x80 | ((c >> 6) & 63)
      out[o++] = 0x80 | (c & 63)
    }
  }
  builder.commit(o - at, kind)
}

/** From pieces to ids, the lowest where several are the same; made when it is first used. */
export function lookup(
  size: number,
  pieceOf: (id: number) => string | undefined,
): (piece: string) => number | undefined {
  let ids: Map<string | undefined, number> | undefined
  return piece => {
    if (ids === undefined) {
      ids = new Map()
      for (let id = size; id-- > 0; ) ids.set(pieceOf(id), id)
    }
    return ids.get(piece)
  }
}

/** GPT-2's printable stand-in for a byte: printable Latin-1 bytes stand for themselves, the rest follow from U+0100. */
export function byteToUnit(byte: number): number {
  if ((byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae) return byte
  if (byte <= 0x20) return 0x100 + byte
  return byte <= 0xa0 ? 0x121 + (byte - 0x7f) : 0x143
}

/** The inverse of {@link byteToUnit} for units below 0x144; -1 where there is none. */
export function unitToByteTable(): Int16Array {
  const table = new Int16Array(0x144).fill(-1)
  for (let byte = 0; byte < 256; byte++) table[byteToUnit(byte)] = byte
  return table
}
