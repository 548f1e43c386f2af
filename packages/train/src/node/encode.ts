/** A batch of documents as token ids: what a worker does, and the main thread without workers. */
import { encodeWithOffsets, type Tokenizer } from '@cria/tokenizer'
import type { Form } from './documents.js'

export interface EncodeSettings {
  readonly bos: boolean
  readonly eos: boolean
}

/** Documents one behind the other, with their lengths and, where one has a mask, which tokens count. */
export interface Encoded {
  readonly ids: Uint32Array
  readonly lengths: Uint32Array
  readonly counted: Uint8Array | undefined
}

export function encodeDocuments(tokenizer: Tokenizer, documents: readonly Form[], settings: EncodeSettings): Encoded {
  const parts = documents.map(d => encode(tokenizer, d, settings))
  const ids = new Uint32Array(parts.reduce((a, p) => a + p.ids.length, 0))
  const masked = parts.some(p => p.counted !== undefined)
  const counted = masked ? new Uint8Array(ids.length).fill(1) : undefined
  let at = 0
  for (const part of parts) {
    ids.set(part.ids, at)
    if (part.counted) counted!.set(part.counted, at)
    at += part.ids.length
  }
  return { ids, lengths: Uint32Array.from(parts, p => p.ids.length), counted }
}

function encode(
  tokenizer: Tokenizer,
  document: Form,
  { bos, eos }: EncodeSettings,
): { ids: ArrayLike<number>; counted?: Uint8Array | undefined } {
  if ('ids' in document) return document
  if ('text' in document) return { ids: tokenizer.encode(document.text, { bos, eos }) }
  // As one text: encoded apart, each would begin like a text of its own, with SentencePiece's space.
  const { prompt, completion } = document
  const { ids, ends } = encodeWithOffsets(tokenizer, prompt + completion, { bos, eos })
  const given = prompt === '' ? Number(bos) : ends.findIndex(end => end > prompt.length)
  // An EOS comes from no text and stands at its end.
  const learned = given < 0 ? ids.length - Number(eos) : given
  return { ids, counted: new Uint8Array(ids.length).fill(1, learned) }
}
