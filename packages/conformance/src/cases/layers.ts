/** The layers of a transformer: norms, softmax, SwiGLU, rotary embedding, attention, losses. */
import {
  attention,
  cast,
  crossEntropy,
  layerNorm,
  linearCrossEntropy,
  logSoftmax,
  rmsNorm,
  rope,
  type Shape,
  softmax,
  square,
  sum,
  swiglu,
  type Tensor,
  valueAndGrad,
} from '@cria/tensor'
import { blocks, type Case, check, given, type Input, positive, real, whole } from '../case.js'
import type { Bound } from '../compare.js'

const smooth = { bound: 'smooth' } as const
const far = { bound: 'smooth', gradients: false, title: 'far' } as const
const rows: readonly Shape[] = [[7], [3, 5], [2, 3, 33], [2, 1, 2, 2, 3]]

const upTo = (n: number): ReturnType<typeof given> =>
  given(
    'i32',
    [n],
    Array.from({ length: n }, (_, i) => i),
  )

/** Caches of every dtype, with the bound that rounding of keys and activations allows. */
const caches: readonly (readonly ['f16' | 'bf16', Bound])[] = [
  ['f16', 'half'],
  ['bf16', 'half'],
]

/** A scalar and its gradients, as results of a case: under a gradient a loss may take another way than without. */
const back = (by: readonly Tensor[], loss: () => Tensor): Tensor[] => {
  const { value, grads } = valueAndGrad(loss, by)
  return [value, ...grads]
}

export const layers: readonly Case[] = [
  ...rows.flatMap(s => {
    const d = s.at(-1)!
    return [
      check('softmax', [real(s)], softmax, smooth),
      check('log_softmax', [real(s)], logSoftmax, smooth),
      check('rms_norm', [real(s), positive([d])], (x, w) => rmsNorm(x, w), smooth),
      check('layer_norm', [real(s), positive([d]), real([d])], (x, w, b) => layerNorm(x, w, b), smooth),
      check('swiglu', [real(s), real(s)], swiglu, smooth),
    ]
  }),
  ...(['f16', 'bf16'] as const).flatMap(dtype => [
    check('softmax', [real([3, 5], dtype)], softmax, smooth),
    check('rms_norm', [real([3, 8], dtype), positive([8], dtype)], (x, w) => rmsNorm(x, w), smooth),
    check('swiglu', [real([3, 5], dtype), real([3, 5], dtype)], swiglu, smooth),
  ]),
  check('softmax', [real([3, 1500])], softmax, { bound: 'smooth', gradients: false }),
  check('softmax', [given('f32', [2, 4], [1000, 999, -1000, 0, -1e30, 1, 2, -1e30])], softmax, far),
  check('log_softmax', [given('f32', [2, 3], [1000, 999, 0, -900, -901, -902])], logSoftmax, far),
  check('rms_norm', [real([2, 0, 4]), positive([4])], (x, w) => rmsNorm(x, w), { bound: 'smooth', gradients: false }),
  check('rms_norm', [real([2, 1030]), positive([1030])], (x, w) => rmsNorm(x, w, { eps: 1e-6 }), {
    bound: 'smooth',
    gradients: false,
    title: 'eps 1e-6',
  }),
  check('rms_norm', [given('f32', [2, 3], [0, 0, 0, 1e-4, -1e-4, 0]), positive([3])], (x, w) => rmsNorm(x, w), {
    ...smooth,
    gradients: false,
    title: 'tiny',
  }),

  ...[false, true].flatMap(interleaved => [
    check(
      'rope',
      [real([3, 2, 8]), given('i32', [3], [0, 5, 900]), real([4], 'f32', 0.01, 1)],
      (x, p, f) => rope(x, p, f, { interleaved }),
      { bound: 'smooth', gradients: [0], title: interleaved ? 'pairs' : 'halves' },
    ),
    check(
      'rope',
      [real([2, 3, 2, 10]), whole([2, 3], 0, 64), real([4], 'f32', 0.01, 1)],
      (x, p, f) => rope(x, p, f, { interleaved, scale: 1.5 }),
      { bound: 'smooth', gradients: [0], title: `${interleaved ? 'pairs' : 'halves'}, part of a head, scaled` },
    ),
  ]),

  check(
    'attention',
    [real([3, 2, 4]), real([3, 2, 4]), real([3, 2, 4]), upTo(3)],
    (q, k, v, positions) => attention(q, k, v, { positions }),
    smooth,
  ),
  check(
    'attention',
    [real([5, 6, 8]), real([5, 2, 8]), real([5, 2, 8]), upTo(5)],
    (q, k, v, positions) => attention(q, k, v, { positions }),
    { ...smooth, title: 'grouped' },
  ),
  check(
    'attention',
    [real([1, 4, 8]), real([9, 2, 8]), real([9, 2, 8]), given('i32', [1], [6])],
    (q, k, v, positions) => attention(q, k, v, { positions }),
    { ...smooth, title: 'one step on a cache' },
  ),
  check(
    'attention',
    [real([4, 2, 8]), real([12, 1, 8]), real([12, 1, 8]), given('i32', [4], [5, 6, 7, 8])],
    (q, k, v, positions) => attention(q, k, v, { positions, window: 3, scale: 0.5 }),
    { ...smooth, title: 'window and scale' },
  ),
  check(
    'attention',
    [
      real([2, 4, 2, 8]),
      real([2, 4, 2, 8]),
      real([2, 4, 2, 8]),
      given('i32', [2, 4], [0, 1, 2, 3, 0, 1, 2, 3]),
      given('i32', [2, 4], [0, 0, 2, 2, 0, 0, 0, 3]),
    ],
    (q, k, v, positions, start) => attention(q, k, v, { positions, start: start! }),
    { ...smooth, title: 'batch of packed documents' },
  ),
  ...(
    [
      [[4], [0, 1, 2, 3], [2, 4], [0, 0, 2, 2, 0, 0, 0, 3]],
      [[2, 4], [0, 1, 2, 3, 1, 1, 3, 3], [4], [0, 0, 1, 1]],
    ] as const
  ).map(([shape, positions, startShape, start]) =>
    check(
      'attention',
      [
        real([2, 4, 2, 8]),
        real([2, 4, 2, 8]),
        real([2, 4, 2, 8]),
        given('i32', shape, positions),
        given('i32', startShape, start),
      ],
      (q, k, v, at, from) => attention(q, k, v, { positions: at, start: from! }),
      { ...smooth, title: `rows share their ${shape.length === 1 ? 'positions' : 'starts'}` },
    ),
  ),
  check(
    'attention',
    [real([70, 2, 16]), real([70, 1, 16]), real([70, 1, 16]), upTo(70)],
    (q, k, v, positions) => attention(q, k, v, { positions }),
    { bound: 'smooth', gradients: false, title: 'long' },
  ),
  ...caches.map(([dtype, bound]) =>
    check(
      'attention',
      [real([2, 4, 8]), real([9, 2, 8], dtype), real([9, 2, 8], dtype), given('i32', [2], [4, 5])],
      (q, k, v, positions) => attention(q, k, v, { positions }),
      { bound, gradients: [0] },
    ),
  ),
  check(
    'attention',
    [real([2, 4, 32]), blocks('q8_0', [9, 2, 32]), blocks('q8_0', [9, 2, 32]), given('i32', [2], [4, 5])],
    (q, k, v, positions) => attention(q, k, v, { positions }),
    { bound: 'quantised', gradients: [0] },
  ),

  check('cross_entropy', [real([5, 7]), whole([5], 0, 7)], (x, t) => crossEntropy(x, t, { reduction: 'none' }), smooth),
  check(
    'cross_entropy',
    [real([2, 3, 7]), given('i32', [2, 3], [1, -100, 6, 0, 2, -100])],
    (x, t) => crossEntropy(x, t),
    { ...smooth, title: 'ignored rows' },
  ),
  check('cross_entropy', [real([2, 7]), given('i32', [2], [-1, -1])], (x, t) => crossEntropy(x, t), {
    ...smooth,
    title: 'nothing counts',
  }),
  check(
    'linear_cross_entropy',
    [real([2, 5, 6]), real([9, 6]), given('i32', [2, 5], [0, 8, -100, 3, 4, 5, 6, 7, -100, 1])],
    (h, w, t) => linearCrossEntropy(h, w, t, { chunk: 4 }),
    { bound: 'summed' },
  ),
  check(
    'linear_cross_entropy',
    [real([11, 6]), real([9, 6]), whole([11], 0, 9)],
    (h, w, t) => back([h, w], () => linearCrossEntropy(h, w, t, { chunk: 4, products: 'bf16', reduction: 'sum' })),
    { bound: 'summed', gradients: false, title: 'bf16 products, and gradients' },
  ),
  ...(['mean', 'sum'] as const).map(reduction =>
    check(
      'linear_cross_entropy',
      [real([5, 6]), real([9, 6]), given('i32', [5], [0, 8, -100, 3, 4]), given('i32', [5], [1, 4, 2, 0, 3])],
      (h, w, t, k) => back([h, w], () => linearCrossEntropy(h, w, t, { chunk: 2, weights: cast(k, 'f32'), reduction })),
      { bound: 'summed', gradients: false, title: `${reduction} of weighted rows, and gradients` },
    ),
  ),

  // The way back as a result: gradients as kernels against their definitions, on shapes too long for finite differences.
  ...[
    [3, 5],
    [70, 33],
    [2, 35, 64],
  ].flatMap(s => [
    check('rms_norm_grad', [real(s), positive([s.at(-1)!])], (x, w) => back([x, w], () => sum(square(rmsNorm(x, w)))), {
      bound: 'summed',
      gradients: false,
    }),
    check('swiglu_grad', [real(s), real(s)], (g, u) => back([g, u], () => sum(square(swiglu(g, u)))), {
      ...smooth,
      gradients: false,
    }),
    check(
      'cross_entropy_grad',
      [real(s), whole(s.slice(0, -1), -1, s.at(-1)!)],
      (x, t) => back([x], () => crossEntropy(x, t)),
      {
        ...smooth,
        gradients: false,
      },
    ),
  ]),
  ...(
    [
      ['grouped', [70, 6, 8], [70, 2, 8], {}],
      ['a batch, wide heads', [2, 33, 2, 48], [2, 33, 2, 48], {}],
      ['window', [40, 2, 64], [40, 1, 64], { window: 7 }],
    ] as const
  ).map(([title, q, k, options]) =>
    check(
      'attention_grad',
      [real(q), real(k), real(k), upTo(q.at(-3)!)],
      (x, y, z, positions) => back([x, y, z], () => sum(square(attention(x, y, z, { positions, ...options })))),
      { bound: 'summed', gradients: false, title },
    ),
  ),
  // Tiles leave out what their rows do not see: documents that begin inside a tile, and rows that end in no order.
  ...(
    [
      ['long packed documents', i => i, i => (i < 20 ? 0 : i < 37 ? 20 : 37)],
      ['positions in no order', i => (i * 37) % 60, () => 0],
    ] as const satisfies readonly (readonly [string, (i: number) => number, (i: number) => number])[]
  ).flatMap(([title, position, start]) => {
    const each = (of: (i: number) => number): Input =>
      given(
        'i32',
        [50],
        Array.from({ length: 50 }, (_, i) => of(i)),
      )
    const operands = [real([50, 4, 16]), real([60, 2, 16]), real([60, 2, 16]), each(position), each(start)]
    return [
      check('attention', operands, (q, k, v, positions, from) => attention(q, k, v, { positions, start: from! }), {
        bound: 'smooth',
        gradients: false,
        title,
      }),
      check(
        'attention_grad',
        operands,
        (q, k, v, positions, from) =>
          back([q, k, v], () => sum(square(attention(q, k, v, { positions, start: from! })))),
        { bound: 'summed', gradients: false, title },
      ),
    ]
  }),
]
