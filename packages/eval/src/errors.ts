/** The error of evaluation itself: a request, task or data set that cannot be scored as asked. */
import { CriaError, type ErrorDetail } from '@cria/tensor'

export class EvaluationError extends CriaError {
  constructor(message: string, detail?: ErrorDetail) {
    super('eval', message, detail)
  }
}
