// From ids to text, a few at a time. Bytes of a character that is not complete wait for the ids that complete it.

import { unknownId } from './errors.js'
import { withRoom } from './room.js'
import { BYTE, type TokenTable, UNKNOWN } from './token-table.js'
import { incompleteTail, type ReadText, textOf, utf8 } from './utf8.js'

/** How token bytes become text; fixed by the tokenizer's source. */
export interface DecodeRules {
  /** The space that encoding put before the text is taken off again. */
  readonly stripSpace: boolean
  /** So are the spaces that further tokens begin with, until there is text (SentencePiece, where it removes extra space). */
  readonly stripMore?: boolean | undefined
  /** Malformed bytes give one U+FFFD each (SentencePiece), not one for each broken sequence. */
  readonly perByte: boolean
  /** Text of the unknown token, when it has one even where special tokens are left out (SentencePiece's ` ⁇ `). */
  readonly unknownText?: string | undefined
}

/** Options of {@link StreamDecoder} and `Tokenizer.decode`. */
export interface DecodeOptions {
  /** Leave special tokens out of the text. Default true, as in SentencePiece, Hugging Face and llama.cpp. */
  readonly skipSpecial?: boolean
  /** The ids go on from earlier text: keep the space that begins the first one. Default false. */
  readonly continuation?: boolean
}

/**
 * Decodes ids as they come. The texts that {@link push} and {@link end} return, joined, are what `decode` returns for
 * all the ids at once; no character is ever cut.
 *
 * @example
 * const decoder = tokenizer.decoder()
 * for (const id of ids) process.stdout.write(decoder.push(id))
 * process.stdout.write(decoder.end())
 */
export class StreamDecoder {
  readonly #table: TokenTable
  readonly #rules: DecodeRules
  readonly #read: ReadText
  readonly #special: ReadonlySet<number>
  readonly #skipSpecial: boolean
  readonly #continuation: boolean
  #buffer = new Uint8Array(64)
  #used = 0
  #atStart: boolean

  constructor(
    table: TokenTable,
    rules: DecodeRules,
    read: ReadText | undefined,
    special: ReadonlySet<number>,
    options: DecodeOptions = {},
  ) {
    this.#table = table
    this.#rules = rules
    this.#read = read ?? textOf
    this.#special = special
    this.#skipSpecial = options.skipSpecial ?? true
    this.#continuation = options.continuation ?? false
    this.#atStart = rules.stripSpace && !this.#continuation
  }

  /** Text that has become complete with `ids` (one id or several), often empty, never a broken character. */
  push(ids: number | ArrayLike<number>): string {
    if (typeof ids === 'number') this.#append(ids)
    else for (let i = 0; i < ids.length; i++) this.#append(ids[i]!)
    const ready = this.#used - incompleteTail(this.#buffer, this.#used)
    if (ready === 0) return ''
    const text = this.#read(this.#buffer, 0, ready)
    this.#buffer.copyWithin(0, ready, this.#used)
    this.#used -= ready
    return text
  }

  /** What is left, broken characters as U+FFFD; the decoder is then as new. */
  end(): string {
    const text = this.#read(this.#buffer, 0, this.#used)
    this.#used = 0
    this.#atStart = this.#rules.stripSpace && !this.#continuation
    return text
  }

  #append(id: number): void {
    const table = this.#table
    const rules = this.#rules
    if (!(id >= 0 && id < table.size)) {
      throw unknownId('decode', id, table.size)
    }
    const kind = table.kinds[id]!
    if (kind === UNKNOWN && rules.unknownText !== undefined) {
      this.#write(utf8(rules.unknownText), 0)
      return
    }
    if (this.#skipSpecial && this.#special.has(id)) return
    const bytes = table.bytes(id)
    this.#write(bytes, this.#atStart && kind < BYTE && bytes[0] === 0x20 ? 1 : 0)
  }

  #write(bytes: Uint8Array, skip: number): void {
    if (bytes.length === 0) return
    this.#buffer = withRoom(this.#buffer, this.#used + bytes.length)
    for (let i = skip; i < bytes.length; i++) this.#buffer[this.#used++] = bytes[i]!
    this.#atStart &&= this.#rules.stripMore === true && skip === bytes.length
  }
}
