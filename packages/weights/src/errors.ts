/** The one error of this package. `code` is for programs, the message for people; nothing is logged. */

export type WeightsErrorCode =
  /** The bytes contradict the format: corrupt, truncated or hostile. */
  | 'format'
  /** Well-formed, but something this package (or the LLaMA block) does not do; the message names it. */
  | 'unsupported'
  /** A file, tensor or field that should be there is not. */
  | 'missing'
  /** An argument of the caller. */
  | 'argument'
  /** The network or the hub refused. */
  | 'network'
  /** Downloaded bytes do not have the announced length or hash. */
  | 'checksum'
  /** A signal aborted the work. */
  | 'aborted'

export interface WeightsErrorDetail {
  readonly file?: string
  readonly got?: unknown
  readonly expected?: unknown
  readonly cause?: unknown
  readonly retryAfter?: number
}

/**
 * Thrown for every refusal. Message form: `op: got …, expected …. fix`.
 *
 * @example
 * try { await openWeights(path) } catch (e) { if (e instanceof WeightsError && e.code === 'format') … }
 */
export class WeightsError extends Error {
  readonly code: WeightsErrorCode
  readonly file: string | undefined
  readonly got: unknown
  readonly expected: unknown
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfter: number | undefined

  constructor(code: WeightsErrorCode, message: string, detail: WeightsErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    // The brand by which the CLI knows errors of ours, whichever copy of the package made them.
    Object.defineProperty(this, Symbol.for('cria.error'), { value: true })
    this.name = 'WeightsError'
    this.code = code
    this.file = detail.file
    this.got = detail.got
    this.expected = detail.expected
    this.retryAfter = detail.retryAfter
  }
}

/** Shorthand for corrupt input. */
export const corrupt = (file: string, message: string): WeightsError =>
  new WeightsError('format', `${file}: ${message}`, { file })

/** Shorthand for what we name and refuse. */
export const unsupported = (file: string, message: string): WeightsError =>
  new WeightsError('unsupported', `${file}: ${message}`, { file })
