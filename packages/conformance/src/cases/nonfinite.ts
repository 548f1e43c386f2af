/** NaN and infinities: what is wrong is carried on to where someone looks, and what has a limit takes it. */
import {
  argmax,
  attention,
  crossEntropy,
  linear,
  linearCrossEntropy,
  logSoftmax,
  logsumexp,
  max,
  min,
  type Shape,
  softmax,
  spec,
  type Tensor,
  topK,
  writeRows,
} from '@cria/tensor'
import { blocks, type Case, check, given, type Input, nothing, real } from '../case.js'

const nan = Number.NaN
const inf = Number.POSITIVE_INFINITY
const title = 'not finite'
const exact = { bound: 'exact', gradients: false, title } as const
const smooth = { bound: 'smooth', gradients: false, title } as const

/** Rows with every meeting of NaN, infinities and numbers, at the ends and in the middle of long rows too. */
const short = [
  [nan, 3, 1],
  [1, nan, 3],
  [3, 1, nan],
  [nan, nan, nan],
  [-inf, -inf, -inf],
  [inf, 1, 2],
  [-inf, 1, inf],
  [1, -inf, 2],
  [nan, -inf, -inf],
  [inf, nan, -inf],
]
const long = [0, 20, 36].flatMap(at => [nan, inf, -inf].map(wild => line(37, at, wild)))
const rows = [...[short, long].map(r => given('f32', [r.length, r[0]!.length], r.flat()))]
const turned = [short, long].map(r =>
  given(
    'f32',
    [r[0]!.length, r.length],
    r[0]!.flatMap((_, j) => r.map(row => row[j]!)),
  ),
)

function line(n: number, at: number, wild: number): number[] {
  return Array.from({ length: n }, (_, i) => (i === at ? wild : ((i * 7) % 11) - 5))
}

/** As `real`, with one element replaced. */
function spoiled(shape: Shape, at: number, wild: number, dtype: 'f32' | 'f16' = 'f32'): Input {
  const n = shape.reduce((a, b) => a * b, 1)
  return given(
    dtype,
    shape,
    Array.from({ length: n }, (_, i) => (i === at ? wild : Math.sin(1.7 * i + 1))),
  )
}

const upTo = (n: number, from = 0): Input =>
  given(
    'i32',
    [n],
    Array.from({ length: n }, (_, i) => from + i),
  )

/** Queries, keys, the key's wild number. Few queries and many, few keys and many: each may be another kernel. */
const attentions: readonly (readonly [tokens: number, keys: number, wild: number, dtype?: 'f16'])[] = [
  [1, 2, nan],
  [4, 9, nan],
  [4, 9, inf],
  [12, 12, nan],
  [12, 12, -inf],
  [1, 600, nan],
  [1, 600, inf],
  [70, 140, nan],
  [4, 9, nan, 'f16'],
]

export const nonfinite: readonly Case[] = [
  ...rows.flatMap(x => [
    check('max', [x], a => [max(a, 1), min(a, 1)], exact),
    check('argmax', [x], a => argmax(a, 1), exact),
    check('top_k', [x], a => Object.values(topK(a, 2)), exact),
    check('logsumexp', [x], a => logsumexp(a), smooth),
    check('softmax', [x], softmax, smooth),
    check('log_softmax', [x], logSoftmax, smooth),
    check(
      'cross_entropy',
      [x, given('i32', [x.spec.shape[0]!], Array(x.spec.shape[0]!).fill(1))],
      (a, t) => crossEntropy(a, t, { reduction: 'none' }),
      smooth,
    ),
  ]),
  ...turned.flatMap(x => [
    check('max', [x], a => [max(a, 0), min(a, 0)], { ...exact, title: `${title}, columns` }),
    check('argmax', [x], a => argmax(a, 0), { ...exact, title: `${title}, columns` }),
    check('logsumexp', [x], a => logsumexp(a, 0), { ...smooth, title: `${title}, columns` }),
  ]),
  check(
    'linear_cross_entropy',
    [real([5, 6]), spoiled([9, 6], 20, nan), given('i32', [5], [0, 8, 3, 4, -100])],
    (h, w, t) => linearCrossEntropy(h, w, t, { chunk: 4 }),
    smooth,
  ),
  ...attentions.map(([tokens, keys, wild, dtype]) =>
    check(
      'attention',
      [
        real([tokens, 2, 4]),
        // The second key: a first query that sees it alone would have nothing else to see.
        spoiled([keys, 1, 4], 4, wild, dtype),
        real([keys, 1, 4], dtype),
        tokens === 1 ? given('i32', [1], [keys - 1]) : upTo(tokens, tokens === keys ? 0 : keys - tokens),
      ],
      (q, k, v, positions) => attention(q, k, v, { positions }),
      { ...smooth, bound: dtype === undefined ? 'smooth' : 'half', title: `${title}: ${wild}` },
    ),
  ),
  check(
    'attention',
    [real([3, 2, 4]), spoiled([9, 1, 4], 4, nan, 'f16'), real([9, 1, 4], 'f16'), upTo(3)],
    (q, k, v, positions) => attention(q, k, v, { positions, halves: true }),
    { bound: 'half', gradients: false, title: `${title}, halves` },
  ),
  ...[nan, inf].flatMap(wild => [
    check('linear', [spoiled([2, 64], 70, wild), real([5, 64])], (x, w) => linear(x, w), {
      bound: 'product',
      gradients: false,
      title: `${title}: x ${wild}`,
    }),
    check('linear', [real([2, 64]), spoiled([5, 64], 70, wild)], (x, w) => linear(x, w), {
      bound: 'product',
      gradients: false,
      title: `${title}: w ${wild}`,
    }),
    check(
      'write_rows',
      [nothing(spec('q8_0', [6, 64])), spoiled([2, 64], 40, wild), given('i32', [2], [4, 1])],
      (target: Tensor, x: Tensor, index: Tensor) => void writeRows(target, x, index),
      { bound: 'half', gradients: false, changes: [0], title: `${title}: ${wild}` },
    ),
  ]),
  check('linear', [spoiled([2, 64], 70, nan), blocks('q8_0', [5, 64])], (x, w) => linear(x, w), {
    bound: 'quantised',
    gradients: false,
    title,
  }),
]
