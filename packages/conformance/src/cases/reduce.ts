/** Reductions, scans and top-k. */
import { argmax, cumsum, logsumexp, max, mean, min, type Shape, sum, type Tensor, topK } from '@cria/tensor'
import { apart, type Case, check, given, type Input, real, whole } from '../case.js'
import type { Bound } from '../compare.js'

const axes: readonly (readonly [Shape, number | undefined])[] = [
  [[7], 0],
  [[3, 5], 1],
  [[3, 5], 0],
  [[2, 3, 4], 1],
  [[2, 3, 2, 3, 2], 3],
  [[2, 3, 4], undefined],
  [[300, 3], 0],
  [[3, 1031], 1],
]

const reductions: readonly [string, (x: Tensor, axis?: number) => Tensor, (s: Shape) => Input, Bound, boolean][] = [
  ['sum', sum, s => real(s), 'summed', true],
  ['mean', mean, s => real(s), 'summed', true],
  ['max', max, s => apart(s), 'exact', true],
  ['argmax', argmax, s => apart(s), 'exact', false],
  ['logsumexp', logsumexp, s => real(s), 'smooth', true],
]

const none = { bound: 'exact', gradients: false } as const

export const reduce: readonly Case[] = [
  ...reductions.flatMap(([op, fn, make, bound, differentiable]) => [
    ...axes
      .filter(([, axis]) => axis !== undefined || (op !== 'argmax' && op !== 'logsumexp'))
      .map(([s, axis]) =>
        check(op, [make(s)], x => fn(x, axis), { bound, gradients: differentiable, title: `axis ${axis}` }),
      ),
    check(op, [real([3, 5], 'f16')], x => fn(x, -1), { bound, gradients: differentiable }),
    check(op, [real([3, 5], 'bf16')], x => fn(x, 0), { bound, gradients: differentiable }),
  ]),
  check('sum', [real([0, 3])], x => sum(x, 0), { ...none, title: 'over nothing' }),
  check('sum', [real([3, 0])], x => sum(x, 0), { ...none, title: 'of nothing' }),
  check('sum', [whole([3, 5], -99, 99)], x => sum(x, 1), none),
  check('sum', [real([3, 5])], x => sum(x, 1, { keep: true }), { bound: 'summed', title: 'keeps the axis' }),
  check('sum', [real([70_001], 'f32', 0, 1)], x => sum(x), { bound: 'summed', gradients: false, title: 'long' }),
  check('max', [whole([3, 5], -99, 99)], x => max(x, 1), none),
  check('max', [apart([4, 6])], x => min(x, 1), { bound: 'exact', title: 'as min' }),
  check('max', [given('f32', [2, 3], [-5, -4, -4, -1e30, -1e30, -1e30])], x => max(x, 1), {
    bound: 'exact',
    gradients: false,
    title: 'negative and ties',
  }),
  check('argmax', [given('f32', [3, 4], [1, 3, 3, 2, -1, -1, -1, -1, -9, -8, -7, -7])], x => argmax(x), {
    ...none,
    title: 'first of equals',
  }),
  check('argmax', [whole([3, 5], -99, 99)], x => argmax(x, 0), none),
  check('logsumexp', [given('f32', [2, 3], [-1000, -1001, -1002, 1000, 999, 998])], x => logsumexp(x), {
    bound: 'smooth',
    gradients: false,
    title: 'far',
  }),

  check('cumsum', [real([9])], cumsum, { bound: 'summed' }),
  check('cumsum', [real([2, 3, 5])], cumsum, { bound: 'summed' }),
  check('cumsum', [real([2, 600])], cumsum, { bound: 'summed', gradients: false }),
  check('cumsum', [real([2, 0])], cumsum, none),
  check('cumsum', [whole([3, 7], -9, 9)], cumsum, none),
  check('cumsum', [real([2, 5], 'f16')], cumsum, { bound: 'summed' }),

  check('top_k', [apart([9])], x => topK(x, 3).values, { bound: 'exact', title: 'values' }),
  ...([1, 4, 11] as const).map(k =>
    check('top_k', [apart([3, 11])], x => Object.values(topK(x, k)), {
      bound: 'exact',
      gradients: k === 4,
      title: `k ${k}`,
    }),
  ),
  check('top_k', [apart([2, 1000])], x => Object.values(topK(x, 50)), { ...none, title: 'k 50' }),
  check('top_k', [given('f32', [6], [2, 1, 2, 3, 1, 3])], x => Object.values(topK(x, 5)), {
    ...none,
    title: 'first of equals',
  }),
]
