/** Documents out of text and JSONL files, as a stream. */
import { checkedIds, checkedMarks } from '../data/tokens.js'
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

/** A document in the one form that it has, with what is in it checked. */
export type Form =
  | TextDocument
  | PromptDocument
  | { readonly ids: Int32Array; readonly counted: Uint8Array | undefined }

/**
 * Which form a document has. A field that is null is absent, as files with columns have it; fields of other names mean
 * nothing here.
 *
 * @param where what an error begins with
 * @throws DataError for a document that has no form or several, of which one would be lost.
 */
export function formOf(where: string, document: unknown): Form {
  if (typeof document === 'string') return { text: document }
  const refuse = (got: string, expected = 'one of { text }, { prompt, completion } and { tokens, counted }'): never => {
    throw new DataError(`${where}: got ${got}, expected ${expected}`, { got: document })
  }
  if (typeof document !== 'object' || document === null) return refuse(String(document))
  const { text, prompt, completion, tokens, counted } = document as Partial<Record<string, unknown>>
  const forms = [text ?? undefined, prompt ?? completion ?? undefined, tokens ?? undefined]
  if (forms.filter(form => form !== undefined).length !== 1)
    return refuse(`a document with ${Object.keys(document).join(', ') || 'nothing'}`)
  const textual = (name: string, value: unknown): string =>
    typeof value === 'string' ? value : refuse(`${name} ${String(value)}`, 'a text')
  if (forms[2] !== undefined) {
    if (typeof tokens !== 'object') return refuse(`tokens ${String(tokens)}`, 'an array of ids')
    const ids = checkedIds(where, tokens as ArrayLike<number>)
    return {
      ids,
      counted: counted === undefined ? undefined : checkedMarks(where, counted as ArrayLike<number>, ids.length),
    }
  }
  if ((counted ?? undefined) !== undefined) return refuse('counted without tokens', 'both or none')
  return forms[0] !== undefined
    ? { text: textual('text', text) }
    : { prompt: textual('prompt', prompt), completion: textual('completion', completion) }
}

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
 * Documents of a JSONL file: `{ "text" }`, `{ "prompt", "completion" }` or `{ "tokens", "counted" }` on each line, or
 * a text alone.
 *
 * @throws DataError naming the line that is none of them or several at once, and for a file that cannot be read or is not UTF-8.
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
    formOf(`${path}:${number}`, value)
    yield value as Document
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
