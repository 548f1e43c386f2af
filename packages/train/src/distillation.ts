/**
 * Knowledge distillation (Hinton, Vinyals and Dean 2015): a small model learns the whole distribution of a large one
 * instead of the one token that came next.
 */
import {
  add,
  crossEntropy,
  greater,
  isTensor,
  lessEqual,
  linear,
  logsumexp,
  mul,
  type Products,
  recompute,
  reshape,
  select,
  slice,
  softmax,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from '@cria/tensor'
import { TrainError } from './errors.js'

/** Logits f32 [..., V]; or hidden states f32 [..., D] with the output layer's weight [V, D] of any dtype. */
export type Predictions = Tensor | { readonly hidden: Tensor; readonly weight: Tensor }

export interface DistillationOptions {
  /**
   * i32, one for each row: the next token, negative where a row counts nothing (padding, prompts). Default: every row
   * counts, and there is no hard part.
   */
  readonly targets?: Tensor
  /** What both models' logits are divided by. Default 1, as Gemma 2 was distilled; above, unlikely tokens weigh more. */
  readonly temperature?: number
  /** Share of the cross-entropy with `targets`, 0 … 1; the teacher has the rest. Default 0 (Gemma 2). */
  readonly hard?: number
  /** Rows whose logits exist at one time where hidden states are given. Default 256. */
  readonly chunk?: number
  /** How hidden states and an f32 weight are multiplied. Default `f32`. */
  readonly products?: Products
}

/**
 * Σ over counted rows of (1 − hard) · T² · KL(teacher ‖ student) + hard · cross-entropy, the softmaxes of the divergence
 * being of logits ÷ T. T² keeps the gradient's size at any temperature (Hinton §2). Summed, as `trainStep` wants it.
 * No gradient flows to the teacher. With hidden states, logits are made `chunk` rows at a time, and once more in the
 * backward pass. The two may differ in width, depth and dtype, not in vocabulary.
 *
 * @example
 * const loss = ({ tokens, targets, ...where }) =>
 *   distillation(
 *     { hidden: student.model.forward(tokens, where), weight: student.lmHead.weight },
 *     { hidden: teacher.model.forward(tokens, where), weight: teacher.lmHead.weight },
 *     { targets, temperature: 2, hard: 0.1 },
 *   )
 * @throws TrainError for other numbers of rows or tokens, a temperature of 0 or less, or a hard part without targets.
 */
export function distillation(student: Predictions, teacher: Predictions, options: DistillationOptions = {}): Tensor {
  const { targets, temperature = 1, hard = 0, chunk = 256, products = 'f32' } = options
  const [learns, knows] = [student, teacher].map(rowsOf) as [Rows, Rows]
  check(learns, knows, options)
  const wanted = targets && reshape(targets, [-1])
  const size = isTensor(student) && isTensor(teacher) ? learns.count : chunk
  const parts: Tensor[] = []
  for (let at = 0; at < learns.count; at += size) {
    const end = Math.min(learns.count, at + size)
    const part = (): Tensor => {
      const logits = learns.logits(at, end, products)
      const y = wanted && slice(wanted, 0, at, end)
      const each = divergence(logits, stopGradient(knows.logits(at, end, products)), temperature)
      const soft = sum(y ? select(lessEqual(0, y), each, 0) : each)
      if (y === undefined || hard === 0) return soft
      return add(mul(soft, 1 - hard), mul(crossEntropy(logits, y, { reduction: 'sum' }), hard))
    }
    parts.push(recompute(part, learns.values.device))
  }
  return parts.reduce(add)
}

/** T² · KL(softmax(teacher / T) ‖ softmax(student / T)) of each row. */
function divergence(student: Tensor, teacher: Tensor, temperature: number): Tensor {
  const [a, b] = [mul(student, 1 / temperature), mul(teacher, 1 / temperature)]
  const p = softmax(b)
  // Where the teacher has nothing, both logits may be −∞: 0 · log 0 is 0.
  const gap = sum(select(greater(p, 0), mul(p, sub(b, a)), 0), -1)
  return mul(add(gap, sub(logsumexp(a), logsumexp(b))), temperature ** 2)
}

interface Rows {
  readonly values: Tensor
  readonly count: number
  readonly vocabulary: number
  logits(at: number, end: number, products: Products): Tensor
}

function rowsOf(of: Predictions): Rows {
  const values = isTensor(of) ? of : of.hidden
  const rows = reshape(values, [-1, values.shape.at(-1) ?? 0])
  const count = rows.shape[0]!
  const part = (at: number, end: number): Tensor => (at === 0 && end === count ? rows : slice(rows, 0, at, end))
  return isTensor(of)
    ? { values, count, vocabulary: rows.shape[1]!, logits: part }
    : {
        values,
        count,
        vocabulary: of.weight.shape[0]!,
        logits: (at, end, products) => linear(part(at, end), of.weight, undefined, { products }),
      }
}

function check(student: Rows, teacher: Rows, options: DistillationOptions): void {
  const { targets, temperature = 1, hard = 0, chunk = 256 } = options
  const fail = (got: string, expected: string): never => {
    throw new TrainError(`distillation: got ${got}, expected ${expected}`, { got, expected })
  }
  if (student.count !== teacher.count || student.vocabulary !== teacher.vocabulary || student.count === 0)
    fail(
      `${student.count} rows over ${student.vocabulary} tokens to learn from ${teacher.count} rows over ${teacher.vocabulary}`,
      'the same rows, at least one, and one vocabulary. Both models must read the text with the same tokenizer',
    )
  if (targets !== undefined && targets.size !== student.count)
    fail(`${targets.size} targets for ${student.count} rows`, 'one for each')
  if (!(temperature > 0 && Number.isFinite(temperature)))
    fail(`temperature ${temperature}`, 'a number above 0. 1 leaves the distributions as they are')
  if (!(hard >= 0 && hard <= 1)) fail(`hard ${hard}`, 'a share from 0 to 1')
  if (hard > 0 && targets === undefined)
    fail(`hard ${hard} without targets`, 'targets to take the cross-entropy with, or hard: 0')
  if (!Number.isInteger(chunk) || chunk < 1) fail(`chunk ${chunk}`, 'a whole number ≥ 1')
}
