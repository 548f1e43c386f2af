/** Metrics as lm-eval 0.4 computes them: a value for each document, then one number with its standard error. */
import { EvaluationError } from './errors.js'
import type { Loglikelihood } from './language-model.js'
import { length, punctuation, utf8Length } from './python.js'
import { PythonRandom } from './python-random.js'
import { pythonRegExp } from './python-regexp.js'
import type { ExactMatchOptions, OutputType, Target } from './task.js'

/** One document's value: a number, or a sum and the weight it is divided by. */
export type Value = number | readonly [sum: number, weight: number]

type Aggregation = 'mean' | 'perplexity' | 'weighted_perplexity' | 'bits_per_byte'

interface Metric {
  readonly aggregation: Aggregation
  readonly higherIsBetter: boolean
}

export type MetricName =
  | 'acc'
  | 'acc_norm'
  | 'acc_bytes'
  | 'acc_mutual_info'
  | 'acc_answer'
  | 'exact_match'
  | 'brier_score'
  | 'perplexity'
  | 'word_perplexity'
  | 'byte_perplexity'
  | 'bits_per_byte'

/** Every metric, with how its values become one number. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  /** The likeliest choice is right. For `loglikelihood`: the answer is what greedy decoding writes. */
  acc: { aggregation: 'mean', higherIsBetter: true },
  /** The same with log-likelihoods divided by the choice's length in code points. */
  acc_norm: { aggregation: 'mean', higherIsBetter: true },
  /** … in bytes of UTF-8. */
  acc_bytes: { aggregation: 'mean', higherIsBetter: true },
  /** … less the log-likelihood of the choice alone, after the prefix token. */
  acc_mutual_info: { aggregation: 'mean', higherIsBetter: true },
  /** … less the log-likelihood after `Answer:`, as LLaMA (§3) does for OpenBookQA and BoolQ, after GPT-3. */
  acc_answer: { aggregation: 'mean', higherIsBetter: true },
  /** Of `generate_until`: the filtered text equals the target. Of choices: greedy decoding writes the right one. */
  exact_match: { aggregation: 'mean', higherIsBetter: true },
  /** Squared distance of softmax(log-likelihoods) from the right answer. */
  brier_score: { aggregation: 'mean', higherIsBetter: false },
  /** exp of the mean −log p of the answers. */
  perplexity: { aggregation: 'perplexity', higherIsBetter: false },
  word_perplexity: { aggregation: 'weighted_perplexity', higherIsBetter: false },
  byte_perplexity: { aggregation: 'weighted_perplexity', higherIsBetter: false },
  bits_per_byte: { aggregation: 'bits_per_byte', higherIsBetter: false },
}

/** The metrics that an output type has. */
export const metricsFor: Readonly<Record<OutputType, readonly MetricName[]>> = {
  multiple_choice: ['acc', 'acc_norm', 'acc_bytes', 'acc_mutual_info', 'acc_answer', 'exact_match', 'brier_score'],
  loglikelihood: ['perplexity', 'acc'],
  loglikelihood_rolling: ['word_perplexity', 'byte_perplexity', 'bits_per_byte'],
  generate_until: ['exact_match'],
}

export const isMetric = (name: string): name is MetricName => Object.hasOwn(metrics, name)

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

const weightedMean = (values: readonly Value[]): number => {
  let sum = 0
  let weights = 0
  for (const value of values) {
    const [a, b] = typeof value === 'number' ? [value, 1] : value
    sum += a
    weights += b
  }
  return sum / weights
}

/**
 * One number of all documents' values.
 *
 * @throws EvaluationError for values without any weight: texts that are all empty.
 */
export function aggregate(metric: MetricName, values: readonly Value[]): number {
  if (values.every(value => typeof value === 'object' && value[1] === 0))
    throw new EvaluationError(
      `evaluate: got nothing to divide ${metric} by, expected a text that is not empty. Look at the documents and doc_to_target`,
      { op: 'evaluate', got: 0 },
    )
  switch (metrics[metric].aggregation) {
    case 'mean':
      return weightedMean(values)
    case 'perplexity':
    case 'weighted_perplexity':
      return Math.exp(-weightedMean(values))
    case 'bits_per_byte':
      return -weightedMean(values) / Math.LN2
  }
}

/** √(Σ(x − mean)² / (n − 1)). */
export function sampleStddev(values: readonly number[]): number {
  const m = mean(values)
  return Math.sqrt(values.reduce((sum, x) => sum + (x - m) ** 2, 0) / (values.length - 1))
}

/**
 * The standard error that lm-eval reports: of a mean, from the sample's deviation; of `perplexity`, by bootstrap with
 * its random numbers. Undefined where it reports none: one document, weighted metrics, the Brier score.
 *
 * @param iterations of the bootstrap. lm-eval's default is 100,000; only whole thousands are drawn, as there.
 */
export function standardError(metric: MetricName, values: readonly Value[], iterations = 100_000): number | undefined {
  if (values.length < 2 || iterations <= 0 || metric === 'brier_score') return undefined
  const plain = values.filter(value => typeof value === 'number')
  if (plain.length < values.length) return undefined
  switch (metrics[metric].aggregation) {
    case 'mean':
      return sampleStddev(plain) / Math.sqrt(plain.length)
    case 'perplexity':
      return sampleStddev(bootstrap(plain, sample => Math.exp(-mean(sample)), iterations))
    default:
      return undefined
  }
}

/** A statistic of samples drawn with replacement: chunk i of 1,000 with `random.Random(i)`. */
export function bootstrap(
  values: readonly number[],
  statistic: (sample: readonly number[]) => number,
  iterations: number,
): number[] {
  const chunk = Math.min(1000, iterations)
  const out: number[] = []
  for (let i = 0; i < Math.floor(iterations / chunk); i++) {
    const random = new PythonRandom(i)
    for (let j = 0; j < chunk; j++) out.push(statistic(random.choices(values, values.length)))
  }
  return out
}

/** The first of the largest, as NumPy's argmax. */
export const argmax = (values: readonly number[]): number =>
  values.reduce((best, x, i) => (x > values[best]! ? i : best), 0)

export interface ChoiceScores {
  readonly choices: readonly string[]
  readonly scores: readonly Loglikelihood[]
  /** Log-likelihoods of the choices without the question, for `acc_mutual_info` and `acc_answer`. */
  readonly unconditional?: Partial<Readonly<Record<'acc_mutual_info' | 'acc_answer', readonly number[]>>>
}

/** Metrics of a multiple-choice document. `gold`: indices of the right choices. */
export function choiceMetrics(
  wanted: readonly MetricName[],
  gold: readonly number[],
  { choices, scores, unconditional = {} }: ChoiceScores,
): Partial<Record<MetricName, Value>> {
  const lls = scores.map(({ logprob }) => logprob)
  const right = (by: readonly number[]): number => (gold.includes(argmax(by)) ? 1 : 0)
  const less = (other: readonly number[] | undefined): number => right(lls.map((ll, i) => ll - other![i]!))
  const all: Partial<Record<MetricName, () => number>> = {
    acc: () => right(lls),
    acc_norm: () => right(lls.map((ll, i) => ll / length(choices[i]!))),
    acc_bytes: () => right(lls.map((ll, i) => ll / utf8Length(choices[i]!))),
    acc_mutual_info: () => less(unconditional.acc_mutual_info),
    acc_answer: () => less(unconditional.acc_answer),
    exact_match: () => (gold.some(i => scores[i]?.greedy) ? 1 : 0),
    brier_score: () => brier(lls, gold),
  }
  return pickMetrics(wanted, all)
}

function brier(lls: readonly number[], gold: readonly number[]): number {
  const top = Math.max(...lls)
  const exps = lls.map(ll => Math.exp(ll - top))
  const sum = exps.reduce((a, b) => a + b, 0)
  return exps.reduce((total, e, i) => total + (e / sum - (gold.includes(i) ? 1 : 0)) ** 2, 0)
}

/** Metrics of a rolling document. */
export const rollingMetrics = (
  wanted: readonly MetricName[],
  logprob: number,
  words: number,
  bytes: number,
): Partial<Record<MetricName, Value>> =>
  pickMetrics<Value>(wanted, {
    word_perplexity: () => [logprob, words],
    byte_perplexity: () => [logprob, bytes],
    bits_per_byte: () => [logprob, bytes],
  })

/** Metrics of an answer scored by its likelihood. */
export const answerMetrics = (
  wanted: readonly MetricName[],
  { logprob, greedy }: Loglikelihood,
): Partial<Record<MetricName, Value>> => pickMetrics(wanted, { perplexity: () => logprob, acc: () => (greedy ? 1 : 0) })

function pickMetrics<V extends Value>(
  wanted: readonly MetricName[],
  all: Partial<Record<MetricName, () => V>>,
): Partial<Record<MetricName, Value>> {
  return Object.fromEntries(wanted.flatMap(name => (all[name] === undefined ? [] : [[name, all[name]()]])))
}

/** Whether a text equals one of the targets (`exact_match_hf_evaluate`). */
export function exactMatch(answer: string, targets: Target, options: ExactMatchOptions = {}): number {
  const list = typeof targets === 'object' ? targets : [targets]
  const found = plainText(answer, options)
  return list.some(target => plainText(String(target), options) === found) ? 1 : 0
}

function plainText(text: string, options: ExactMatchOptions): string {
  const { ignoreCase, ignorePunctuation, ignoreNumbers, regexesToIgnore = [] } = options
  let out = regexesToIgnore.reduce((t, pattern) => t.replace(pythonRegExp(pattern, 'g'), ''), text)
  if (ignoreCase) out = out.toLowerCase()
  if (ignorePunctuation) out = out.replace(punctuation, '')
  if (ignoreNumbers) out = out.replace(/[0-9]/g, '')
  return out
}
