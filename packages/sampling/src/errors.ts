/**
 * What can go wrong in sampling, each with machine fields and a message of one form: `op: got …, expected …. fix`.
 * Every class carries `Symbol.for('cria.error')`, so that it is known across two installed copies of the package.
 */
export interface SamplingErrorDetail {
  /** The sampler or function that refused. */
  readonly op: string
  readonly got?: unknown
  readonly expected?: unknown
  /** The option that was out of range, by its name. */
  readonly parameter?: string
}

export class SamplingError extends Error {
  readonly code: string
  readonly op: string
  readonly got: unknown
  readonly expected: unknown
  readonly parameter: string | undefined

  constructor(code: string, message: string, detail: SamplingErrorDetail) {
    super(message)
    this.name = new.target.name
    this.code = code
    this.op = detail.op
    this.got = detail.got
    this.expected = detail.expected
    this.parameter = detail.parameter
    Object.defineProperty(this, Symbol.for('cria.error'), { value: true })
  }
}

/** An option outside its range, or of the wrong kind. */
export class ParameterError extends SamplingError {
  constructor(op: string, parameter: string, got: unknown, expected: string, fix = '') {
    super('parameter', `${op}: got ${parameter} = ${show(got)}, expected ${expected}.${fix && ` ${fix}`}`, {
      op,
      got,
      expected,
      parameter,
    })
  }
}

/** Logits that cannot be sampled from: NaN, empty, of another length, or with every token ruled out. */
export class LogitsError extends SamplingError {
  constructor(op: string, got: unknown, expected: string, fix: string) {
    super('logits', `${op}: got ${String(got)}, expected ${expected}. ${fix}`, { op, got, expected })
  }
}

/** A sampler used against its protocol: nothing picked a token, a stage that cannot be cloned. */
export class StateError extends SamplingError {
  constructor(op: string, got: unknown, expected: string, fix: string) {
    super('state', `${op}: got ${String(got)}, expected ${expected}. ${fix}`, { op, got, expected })
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (value !== null && typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
