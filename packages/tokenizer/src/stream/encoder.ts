// Encodes text that comes in parts, in bounded memory. Text is held back until a place is found behind which nothing
// depends on what is before it: no added token, no normalisation, no split and no token reaches across. What is before
// that place is then encoded as it would be inside the whole.

import { acceptOf, checkAllow } from '../added-tokens.js'
import { badArgument, show } from '../errors.js'
import { IdSink } from '../ids.js'
import { type Flow, formIn, type Pipeline } from '../pipeline.js'
import { type EncodeOptions, partsOf, pipelineOf, type Tokenizer } from '../tokenizer.js'
import { separator } from './boundaries.js'
import { firstOf, lastOf, type NormalStep, normalSteps, reaches } from './normal-steps.js'

/** Options of {@link StreamEncoder}. */
export interface StreamEncodeOptions extends EncodeOptions {
  /** How much text is held back and encoded at once, in UTF-16 units. Default 65,536. */
  readonly held?: number
}

/** How many places are looked at, and for how many text is normalised, before more text is awaited. */
const PLACES = 4096
const TRIES = 8

/**
 * Encodes text as it comes. The ids that {@link push} and {@link end} return, joined, are what `encode` returns for the
 * whole text, whatever the parts. Text is held until a place is found where it can be divided; of a text without any
 * (a word without end, or a model whose splits cannot be told apart) all is held.
 *
 * @example
 * const encoder = new StreamEncoder(tokenizer)
 * for await (const chunk of createReadStream('book.txt')) use(encoder.push(chunk))
 * use(encoder.end())
 */
export class StreamEncoder {
  readonly #pipeline: Pipeline
  readonly #accept: ReturnType<typeof acceptOf>
  readonly #head: Uint32Array
  readonly #tail: Uint32Array
  /** Contents of added tokens, in text as given and in normalised text. */
  readonly #contents: string[]
  readonly #normalContents: string[]
  readonly #steps: readonly NormalStep[]
  readonly #separates: (x: string, y: string) => boolean
  readonly #held: number
  /** How much is known of the text behind a place where it is divided. */
  readonly #margin: number
  readonly #sink = new IdSink()
  readonly #flow: Flow
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #text = ''
  #wanted: number
  #begun = false

  constructor(tokenizer: Tokenizer, options: StreamEncodeOptions = {}) {
    const { allowSpecial = 'none', held = 1 << 16 } = options
    if (!Number.isInteger(held) || held < 1) throw badArgument('StreamEncoder', `held ${show(held)}`, 'a whole number')
    const parts = partsOf(tokenizer)
    const { added } = parts
    checkAllow(allowSpecial, added, 'StreamEncoder')
    this.#pipeline = pipelineOf(tokenizer)
    this.#accept = acceptOf(allowSpecial)
    this.#head = tokenizer.encode('', { bos: options.bos ?? tokenizer.addBos, eos: false })
    this.#tail = tokenizer.encode('', { bos: false, eos: options.eos ?? tokenizer.addEos })
    const late = added.filter(token => token.normalized === true)
    this.#contents = added.map(token => token.content)
    this.#normalContents = late.map(formIn(parts)).filter(form => form !== '')
    const steps = normalSteps(parts)
    this.#steps = steps
    const normalizeOn = (text: string): string => steps.reduce((t, { goOn }) => goOn(t), text)
    this.#flow = { goesOn: false, normalize: normalizeOn, carry: { sum: 0 } }
    this.#separates = separator(parts)
    this.#margin = 4 * Math.max(16, ...this.#contents.map(c => c.length), ...this.#normalContents.map(c => c.length))
    this.#held = held + this.#margin
    this.#wanted = this.#held
  }

  /** Ids that have become certain with this part of the text: a string, or bytes of UTF-8. */
  push(part: string | Uint8Array): Uint32Array {
    if (typeof part !== 'string' && !(part instanceof Uint8Array)) {
      throw badArgument('StreamEncoder.push', show(part), 'a string or bytes')
    }
    this.#start()
    const text = this.#text + this.#decoder.decode(typeof part === 'string' ? undefined : part, { stream: true })
    this.#advance(typeof part === 'string' ? text + this.#decoder.decode() + part : text)
    return this.#sink.take()
  }

  /** The ids of what is left; the encoder is then as new. */
  end(): Uint32Array {
    this.#start()
    this.#advance(this.#text + this.#decoder.decode())
    this.#part(this.#text)
    for (const id of this.#tail) this.#sink.push(id)
    this.#text = ''
    this.#wanted = this.#held
    this.#begun = this.#flow.goesOn = false
    return this.#sink.take()
  }

  #start(): void {
    this.#sink.length = 0
    if (!this.#begun) for (const id of this.#head) this.#sink.push(id)
    this.#begun = true
  }

  /** Encodes as much of `text` as it can and keeps the rest. */
  #advance(text: string): void {
    let from = 0
    while (text.length - from >= this.#wanted) {
      const window = text.slice(from, from + this.#wanted)
      const cut = this.#cutIn(window)
      if (cut === 0) {
        this.#wanted *= 2
        continue
      }
      this.#part(window.slice(0, cut))
      from += cut
      this.#flow.goesOn = true
      this.#wanted = this.#held
    }
    this.#text = text.slice(from)
  }

  /** The last place where the text can be divided, 0 when there is none. */
  #cutIn(text: string): number {
    const last = text.length - this.#margin
    let tries = TRIES
    for (let p = last; p > 0 && p > last - PLACES && tries > 0; p--) {
      if ((text.charCodeAt(p) & 0xfc00) === 0xdc00) continue
      const x = lastOf(text.slice(Math.max(0, p - 2), p))
      const y = firstOf(text.slice(p, p + 2))
      // Space before the place could belong to an added token before it, space behind it to one behind it.
      if (/\p{White_Space}/u.test(x)) continue
      // As given first, which is cheap; the normal form decides.
      if (!this.#separates(x, y) || this.#touchesAdded(text, p)) continue
      if (this.#divides(text, p)) return p
      tries--
    }
    return 0
  }

  /** Whether an added token may reach across `p`, end there or begin there. */
  #touchesAdded(text: string, p: number): boolean {
    return this.#contents.some(c => text.slice(Math.max(0, p - c.length), p + c.length).includes(c))
  }

  #divides(text: string, p: number): boolean {
    const ahead = text.slice(p, p + this.#margin)
    let a = text.slice(0, p)
    const segments = this.#pipeline.raw.split(a, this.#accept)
    const last = segments?.at(-1)
    if (last !== undefined) a = a.slice(last.start)
    const goesOn = this.#flow.goesOn && (last === undefined || last.start === 0)
    let b = ahead
    for (const { begin, goOn, divides } of this.#steps) {
      if (a === '' || b === '' || !divides(a, b)) return false
      a = goesOn ? goOn(a) : begin(a)
      b = goOn(b)
    }
    if (a === '' || b === '' || !this.#separates(lastOf(a), firstOf(b))) return false
    return !this.#normalContents.some(c => b.length < c.length || reaches(c, a, b) || a.endsWith(c) || b.startsWith(c))
  }

  /** Appends the ids of a part that ends where the text can be divided, or ends. */
  #part(text: string): void {
    this.#pipeline.append(text, !this.#flow.goesOn, this.#accept, this.#sink, undefined, this.#flow)
  }
}
