/** Documents out of text and JSONL files, as a stream. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { DataError } from '../errors.js'

/** Text to be tokenised: all of it is learned. */
export interface TextDocument {
  readonly text: string
}

/** A prompt that is seen and a completion that is learned: one text, and a token with a part of both is learned. */
export interface PromptDocument {
  readonly prompt: string
  readonly completion: string
}

/** A document that is tokens already, with the mask of what is learned: chats that went through a template. */
export interface TokenDocument {
  readonly tokens: ArrayLike<number>
  readonly counted?: ArrayLike<number | boolean>
}

export type Document = string | TextDocument | PromptDocument | TokenDocument

/**
 * Documents of a text file: what lies between separators. Default separator: a line `<|endoftext|>` (TinyStories).
 *
 * @example
 * for await (const text of textDocuments('TinyStories-train.txt')) …
 */
export async function* textDocuments(
  path: string,
  { separator = '<|endoftext|>' }: { readonly separator?: string } = {},
): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of createReadStream(path, { encoding: 'utf8', highWaterMark: 2 ** 20 })) {
    const parts = (rest + (piece as string)).split(separator)
    rest = parts.pop()!
    for (const part of parts) if (part.trim() !== '') yield part.trim()
  }
  if (rest.trim() !== '') yield rest.trim()
}

/**
 * Documents of a JSONL file: `{ "text" }`, `{ "prompt", "completion" }` or `{ "tokens", "counted" }` on each line.
 *
 * @throws DataError naming the line that is none of them.
 */
export async function* jsonlDocuments(path: string): AsyncGenerator<Document> {
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (line.trim() === '') continue
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (cause) {
      throw new DataError(
        `${path}:${number}: got a line that is no JSON (${(cause as Error).message}), expected an object`,
      )
    }
    if (!isDocument(value))
      throw new DataError(
        `${path}:${number}: got ${line.slice(0, 60)}, expected { "text" }, { "prompt", "completion" } or { "tokens" }`,
        { got: value },
      )
    yield value
  }
}

function isDocument(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null) return typeof value === 'string'
  const d = value as Record<string, unknown>
  if (Array.isArray(d.tokens)) return d.tokens.every(Number.isSafeInteger)
  return typeof d.text === 'string' || (typeof d.prompt === 'string' && typeof d.completion === 'string')
}
