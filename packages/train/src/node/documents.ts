/** Documents out of text and JSONL files, as a stream. */
import { DataError } from '../errors.js'
import { textPieces } from './text.js'

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
 * Documents of a text file: what lies between separators. Default separator: `<|endoftext|>` (TinyStories), wherever
 * it stands. Spaces and empty lines around a document are left out.
 *
 * @example
 * for await (const text of textDocuments('TinyStories-train.txt')) …
 * @throws DataError for a file that cannot be read or is not UTF-8.
 */
export async function* textDocuments(
  path: string,
  { separator = '<|endoftext|>' }: { readonly separator?: string } = {},
): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of textPieces(path)) {
    const parts = (rest + piece).split(separator)
    rest = parts.pop()!
    for (const part of parts) if (part.trim() !== '') yield part.trim()
  }
  if (rest.trim() !== '') yield rest.trim()
}

/**
 * Documents of a JSONL file: `{ "text" }`, `{ "prompt", "completion" }` or `{ "tokens", "counted" }` on each line.
 *
 * @throws DataError naming the line that is none of them, and for a file that cannot be read or is not UTF-8.
 */
export async function* jsonlDocuments(path: string): AsyncGenerator<Document> {
  let number = 0
  for await (const line of lines(path)) {
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

/** Lines as JSONL has them: U+2028 and U+2029 are text there. */
async function* lines(path: string): AsyncGenerator<string> {
  let rest = ''
  let first = true
  for await (const piece of textPieces(path)) {
    // The mark that some editors put before UTF-8.
    const parts = (rest + (first ? piece.replace(/^\ufeff/, '') : piece)).split('\n')
    first = false
    rest = parts.pop()!
    yield* parts
  }
  yield rest
}

function isDocument(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null) return typeof value === 'string'
  const d = value as Record<string, unknown>
  if (Array.isArray(d.tokens)) return d.tokens.every(Number.isSafeInteger)
  return typeof d.text === 'string' || (typeof d.prompt === 'string' && typeof d.completion === 'string')
}
