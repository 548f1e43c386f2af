// The one error class of this package. Everything a caller can get wrong (a broken file, an unknown special token,
// an id outside the vocabulary) ends here, with machine fields; nothing else is thrown on purpose.

/**
 * What kind of mistake it was.
 * - `tokenizer/bad-file`: the tokenizer file is truncated, corrupt or contradicts itself.
 * - `tokenizer/unsupported`: the file is well formed and asks for something this package does not implement.
 * - `tokenizer/bad-argument`: the call is wrong (type, option, special token name).
 * - `tokenizer/unknown-id`: a token id outside the vocabulary.
 * - `tokenizer/chat-template`: the chat template is missing, broken or refused the messages.
 */
export type TokenizerErrorCode =
  | 'tokenizer/bad-file'
  | 'tokenizer/unsupported'
  | 'tokenizer/bad-argument'
  | 'tokenizer/unknown-id'
  | 'tokenizer/chat-template'

/** What {@link TokenizerError} is made from; the message reads `op: got …, expected …. fix`. */
export interface TokenizerErrorParts {
  readonly op: string
  readonly got: string
  readonly expected: string
  readonly fix?: string
  readonly cause?: unknown
}

/**
 * The error of this package.
 *
 * @example
 * try { fromTiktoken('not a rank file') } catch (e) { if (e instanceof TokenizerError) console.log(e.code) }
 */
export class TokenizerError extends Error {
  declare readonly code: TokenizerErrorCode
  declare readonly op: string
  declare readonly got: string
  declare readonly expected: string
  declare readonly fix: string

  constructor(code: TokenizerErrorCode, { op, got, expected, fix = '', cause }: TokenizerErrorParts) {
    super(`${op}: got ${got}, expected ${expected}.${fix && ` ${fix}`}`, { cause })
    Object.assign(this, { name: 'TokenizerError', code, op, got, expected, fix })
    // Marks errors of the toolkit, so that a command line can print one line for them.
    Object.defineProperty(this, Symbol.for('cria.error'), { value: true })
  }
}

/** A {@link TokenizerError} with code `tokenizer/bad-argument`. */
export function badArgument(op: string, got: string, expected: string, fix = ''): TokenizerError {
  return new TokenizerError('tokenizer/bad-argument', { op, got, expected, fix })
}

/** A {@link TokenizerError} with code `tokenizer/unknown-id`. */
export function unknownId(op: string, id: unknown, size: number): TokenizerError {
  return new TokenizerError('tokenizer/unknown-id', {
    op,
    got: `id ${show(id)}`,
    expected: `a whole number from 0 to ${size - 1}`,
  })
}

/** A {@link TokenizerError} with code `tokenizer/bad-file`. */
export function badFile(op: string, got: string, expected: string, fix = ''): TokenizerError {
  return new TokenizerError('tokenizer/bad-file', { op, got, expected, fix })
}

/** A {@link TokenizerError} with code `tokenizer/unsupported`. */
export function unsupported(op: string, got: string, expected: string, fix = ''): TokenizerError {
  return new TokenizerError('tokenizer/unsupported', { op, got, expected, fix })
}

/** What helps when one family's entry is not enough. */
export const FULL = "Import the function from '@cria/tokenizer', which knows every family."

/** A short printable form of a value that came from a file or a caller. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
