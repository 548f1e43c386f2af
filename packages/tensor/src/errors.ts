/**
 * The errors of the tensor core. Every one carries machine fields and a message of one form:
 * `op: got …, expected …. fix`. The brand (a registered symbol) survives two installed copies of the package.
 */
export interface ErrorDetail {
  /** The op or function that refused. */
  readonly op?: string
  readonly got?: unknown
  readonly expected?: unknown
}

export class CriaError extends Error {
  readonly code: string
  readonly op: string | undefined
  readonly got: unknown
  readonly expected: unknown

  constructor(code: string, message: string, detail: ErrorDetail = {}) {
    super(message)
    Object.defineProperty(this, Symbol.for('cria.error'), { value: true })
    this.name = new.target.name
    this.code = code
    this.op = detail.op
    this.got = detail.got
    this.expected = detail.expected
  }
}

/** Shapes do not fit the rule of an op. */
export class ShapeError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('shape', message, detail)
  }
}

/** A dtype that the op does not take. */
export class DTypeError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('dtype', message, detail)
  }
}

/** An attribute or argument out of its range. */
export class ArgumentError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('argument', message, detail)
  }
}

/** Tensors of two devices, or a device that is gone. */
export class DeviceError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('device', message, detail)
  }
}

/** The backend has neither a kernel nor a definition to fall back on. */
export class UnsupportedError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('unsupported', message, detail)
  }
}

/** A tensor, plan or device was used after it was disposed. */
export class DisposedError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('disposed', message, detail)
  }
}

/** Misuse of tracing or of a plan: reading data inside a trace, other shapes at run time. */
export class PlanError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('plan', message, detail)
  }
}

/** A gradient that does not exist: through an effect, an integer or an op without one. */
export class GradError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('grad', message, detail)
  }
}

/** A backend that cannot start here. `reason` says why, `fix` what to do. */
export class Unavailable extends CriaError {
  readonly reason: string
  readonly fix: string

  constructor(backend: string, reason: string, fix: string, options?: { cause?: unknown }) {
    super('unavailable', `${backend}: unavailable: ${reason}. ${fix}`, { op: backend })
    this.reason = reason
    this.fix = fix
    if (options?.cause !== undefined) this.cause = options.cause
  }
}
