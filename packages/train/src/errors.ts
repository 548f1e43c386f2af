/** The errors of this package: what came, what was expected, what to do. */
import { CriaError } from '@cria/tensor'

/** Training that cannot go on: a loss that is no number, a spike, an option that cannot be. */
export class TrainError extends CriaError {
  constructor(message: string, detail?: { readonly got?: unknown; readonly expected?: unknown }) {
    super('train', message, { op: 'train', ...detail })
  }
}

/** Data that cannot be read or cut as asked. */
export class DataError extends CriaError {
  constructor(message: string, detail?: { readonly got?: unknown; readonly expected?: unknown }) {
    super('data', message, { op: 'data', ...detail })
  }
}

/** A checkpoint that is damaged, or of another run. */
export class CheckpointError extends CriaError {
  constructor(message: string, detail?: { readonly got?: unknown; readonly expected?: unknown }) {
    super('checkpoint', message, { op: 'checkpoint', ...detail })
  }
}
