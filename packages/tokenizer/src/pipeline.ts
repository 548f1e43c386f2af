// From text to ids: added tokens as given, normalisation, added tokens in normalised text, the dummy prefix, the model.

import { type AcceptToken, type AddedToken, AddedTokenMatcher, type Segment } from './added-tokens.js'
import type { IdSink } from './ids.js'
import type { Carry, TextModel } from './model.js'

/**
 * Adds the dummy prefix to a stretch between all added tokens, normalised ones too, or to each of the words that it is to
 * the model. `first`: nothing is before it; `goesOn`: it continues the stretch before it.
 */
export type Prefix = (text: string, first: boolean, goesOn: boolean) => string | string[]

/** What the ways of a text depend on. */
export interface PipelineParts {
  readonly model: TextModel
  readonly added: readonly AddedToken[]
  /** Normalises a stretch of text between added tokens. */
  readonly normalize?: ((text: string) => string) | undefined
  readonly prefix?: Prefix | undefined
}

/** What is looked for in normalised text, empty where nothing is. */
export const formIn =
  ({ normalize }: PipelineParts) =>
  ({ form, content }: AddedToken): string =>
    form ?? normalize?.(content) ?? content

/** A stretch of the original `[start, end)` (UTF-16) and the ids it gave, `[idFrom, idTo)`. */
export interface TracedSegment {
  readonly idFrom: number
  readonly idTo: number
  readonly start: number
  readonly end: number
  /** The text that the model saw; undefined for an added token. */
  readonly seen: string | undefined
}

/** What a text that comes in parts keeps from one part to the next. */
export interface Flow {
  /** Whether the text continues the last stretch of the text before it. */
  goesOn: boolean
  /** Instead of the normalisation of a stretch that begins. */
  readonly normalize: (text: string) => string
  readonly carry: Carry
}

/** Appends the ids of texts to a sink. */
export class Pipeline {
  readonly raw: AddedTokenMatcher
  readonly #normalized: AddedTokenMatcher
  readonly #parts: PipelineParts

  constructor(parts: PipelineParts) {
    this.#parts = parts
    const { added } = parts
    this.raw = new AddedTokenMatcher(added.filter(t => t.normalized !== true))
    this.#normalized = new AddedTokenMatcher(
      added.filter(t => t.normalized === true),
      formIn(parts),
    )
  }

  /** `first`: nothing stands before the text. `flow`: the text is a part of a longer one. */
  append(
    text: string,
    first: boolean,
    accept: AcceptToken | undefined,
    sink: IdSink,
    trace?: TracedSegment[],
    flow?: Flow,
  ): void {
    for (const { id, start, end } of segmentsOf(this.raw, text, accept)) {
      const idFrom = sink.length
      let seen: string | undefined
      if (id >= 0) sink.push(id)
      else seen = this.#stretch(text.slice(start, end), first && start === 0, accept, sink, flow, start === 0)
      trace?.push({ idFrom, idTo: sink.length, start, end, seen })
    }
  }

  /** A stretch without raw added tokens; returns what the model saw of it. */
  #stretch(
    text: string,
    first: boolean,
    accept: AcceptToken | undefined,
    sink: IdSink,
    flow: Flow | undefined,
    begins: boolean,
  ): string {
    const { prefix, model } = this.#parts
    const goesOn = begins && flow?.goesOn === true
    const normal = (goesOn ? flow.normalize : this.#parts.normalize)?.(text) ?? text
    let seen = ''
    for (const { id, start, end } of segmentsOf(this.#normalized, normal, accept)) {
      const part = normal.slice(start, end)
      const on = goesOn && start === 0
      if (!on && flow !== undefined) flow.carry.sum = 0
      const ready = id >= 0 ? part : (prefix?.(part, first && start === 0, on) ?? part)
      if (id >= 0) sink.push(id)
      else if (typeof ready === 'string') model.encode(ready, sink, flow?.carry)
      else for (const word of ready) model.encode(word, sink)
      seen += typeof ready === 'string' ? ready : ready.join('')
    }
    return seen
  }
}

function segmentsOf(matcher: AddedTokenMatcher, text: string, accept: AcceptToken | undefined): readonly Segment[] {
  if (text === '') return []
  return matcher.split(text, accept) ?? [{ id: -1, start: 0, end: text.length }]
}
