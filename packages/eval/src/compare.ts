/**
 * Two models on one text: how far the second's predictions are from the first's. For quantised weights against those
 * they were made from, in the terms of llama.cpp's `--kl-divergence`.
 */
import type { Llama } from '@cria/llama'
import {
  add,
  argmax,
  crossEntropy,
  logsumexp,
  mul,
  type Plan,
  plan,
  slice,
  softmax,
  sub,
  sum,
  type Tensor,
} from '@cria/tensor'
import { EvaluationError } from './errors.js'
import { type PackSpecs, scoredHidden, sizeOf, specsOf, valuesOf } from './forward.js'
import { type Pack, packs } from './pack.js'
import { defaultContext, type Perplexity, type PerplexityOptions, scoredIn, summarise, windows } from './perplexity.js'
import { checkNumber, checkRequest, checkSizes, chunks } from './scorer.js'

/** A mean over tokens with its standard error. */
export interface Estimate {
  readonly mean: number
  readonly stderr: number
}

export interface Comparison {
  readonly base: Perplexity
  readonly other: Perplexity
  /** Perplexity of the other ÷ of the base. */
  readonly perplexityRatio: Estimate
  /** KL(base ‖ other), nats a token. */
  readonly kl: Estimate & Readonly<Record<'median' | 'p90' | 'p95' | 'p99' | 'p999' | 'max', number>>
  /** Share of tokens where both find the same token likeliest. */
  readonly sameTop: Estimate
  /** p(token) by the other less p(token) by the base. */
  readonly probabilityDifference: Estimate & { readonly rms: number }
}

/** What both models say of one token. */
interface Row {
  readonly base: number
  readonly other: number
  readonly kl: number
  readonly same: boolean
}

type Rows = readonly (readonly [base: Tensor, other: Tensor, kl: Tensor, top: Tensor, otherTop: Tensor])[]

/**
 * Scores a text with both models, over the windows of `measurePerplexity`. Both run in one plan and their
 * distributions meet on the device: nothing of the vocabulary's size comes back.
 *
 * @param base the model to be near to, on the same device as `other` and with the same vocabulary.
 * @example
 * const { kl, sameTop, perplexityRatio } = await compareModels(original, quantised, tokens)
 * @throws EvaluationError for two devices, vocabularies of two sizes, or what `measurePerplexity` refuses.
 */
export async function compareModels(
  base: Llama,
  other: Llama,
  tokens: ArrayLike<number>,
  { context, bytes, onProgress, signal, batch = 512, rowsAtOnce = 64 }: PerplexityOptions = {},
): Promise<Comparison> {
  if (base.device !== other.device || base.config.vocabSize !== other.config.vocabSize)
    throw new EvaluationError(
      `compare: got models on ${base.device.name} and ${other.device.name} with ${base.config.vocabSize} and ${other.config.vocabSize} tokens, expected one device and one vocabulary. Load both on the same device`,
      { op: 'compare', got: other.config.vocabSize, expected: base.config.vocabSize },
    )
  checkSizes('compare', { batch, rowsAtOnce })
  const cut = windows(tokens, context ?? Math.min(defaultContext(base), defaultContext(other)), bytes)
  const requests = cut.map(window => ({ tokens: window, from: 1 }))
  for (const request of requests) checkRequest(request, base.config.vocabSize)
  const wanted = scoredIn(cut)
  const models = [base, other] as const
  const join = !models.some(({ model }) => model._rotary.byLength)
  const plans = new Map<string, Plan<PackSpecs, Rows>>()
  const rows: Row[] = []
  try {
    for (const pack of packs(requests, { batch, join })) {
      signal?.throwIfAborted()
      const longest = pack.owners.reduce((n, { request }) => Math.max(n, cut[request]!.length), 0)
      let step = plans.get(sizeOf(pack))
      if (step === undefined) plans.set(sizeOf(pack), (step = planOf(models, pack, rowsAtOnce)))
      const read = await readRows(await step.run(valuesOf(pack, models, longest)))
      for (const row of read.slice(0, pack.owners.length)) {
        checkNumber('compare, base model', row.base)
        checkNumber('compare, other model', row.other)
        rows.push(row)
      }
      onProgress?.(rows.length, wanted)
    }
  } finally {
    for (const made of plans.values()) made.dispose()
  }
  return compare(rows, tokens.length, bytes)
}

function planOf(models: readonly [Llama, Llama], pack: Pack, rowsAtOnce: number): Plan<PackSpecs, Rows> {
  const [base, other] = models
  return plan(
    base.device,
    specsOf(pack, models),
    inputs => {
      const shared = pack.keys !== undefined
      const hidden = models.map((_, i) => scoredHidden(models, i, inputs, shared)) as [Tensor, Tensor]
      return chunks(hidden[0].shape[0]!, rowsAtOnce).map(([from, to]) => {
        const targets = slice(inputs.targets, 0, from, to)
        const a = base.logits(slice(hidden[0], 0, from, to))
        const b = other.logits(slice(hidden[1], 0, from, to))
        // Σ p (log p − log q), with log p = a − logsumexp(a): one exponential less for each entry.
        const kl = add(sum(mul(softmax(a), sub(a, b)), -1), sub(logsumexp(b), logsumexp(a)))
        return [crossEntropy(a, targets, none), crossEntropy(b, targets, none), kl, argmax(a), argmax(b)] as const
      })
    },
    { name: 'compare' },
  )
}

const none = { reduction: 'none' } as const

async function readRows(parts: Rows): Promise<Row[]> {
  const out: Row[] = []
  for (const part of parts) {
    const [base, other, kl, top, otherTop] = await Promise.all(part.map(t => t.data()))
    for (let i = 0; i < base!.length; i++)
      out.push({ base: -base![i]!, other: -other![i]!, kl: kl![i]!, same: top![i] === otherTop![i] })
  }
  return out
}

function compare(rows: readonly Row[], tokens: number, bytes: number | undefined): Comparison {
  const nlls = rows.map(({ base }) => -base)
  const others = rows.map(({ other }) => -other)
  const base = summarise(tokens, rows.length, total(nlls), bytes)
  const other = summarise(tokens, rows.length, total(others), bytes)
  // The error of the ratio follows from that of the mean difference of log-probabilities: the same tokens in both.
  const difference = estimate(rows.map((_, i) => others[i]! - nlls[i]!))
  const ratio = Math.exp(difference.mean)
  const kls = rows.map(({ kl }) => kl).sort((a, b) => a - b)
  const changes = rows.map(r => Math.exp(r.other) - Math.exp(r.base))
  return {
    base,
    other,
    perplexityRatio: { mean: ratio, stderr: ratio * difference.stderr },
    kl: {
      ...estimate(kls),
      median: percentile(kls, 0.5),
      p90: percentile(kls, 0.9),
      p95: percentile(kls, 0.95),
      p99: percentile(kls, 0.99),
      p999: percentile(kls, 0.999),
      max: kls.at(-1)!,
    },
    sameTop: estimate(rows.map(({ same }) => (same ? 1 : 0))),
    probabilityDifference: { ...estimate(changes), rms: Math.sqrt(total(changes.map(d => d * d)) / changes.length) },
  }
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

function estimate(values: readonly number[]): Estimate {
  const n = values.length
  const mean = total(values) / n
  const variance = total(values.map(x => (x - mean) ** 2)) / n
  return { mean, stderr: n > 1 ? Math.sqrt(variance / (n - 1)) : Number.NaN }
}

/** Between the two nearest, of sorted values. */
function percentile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!)
}
