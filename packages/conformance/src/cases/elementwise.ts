/** One element in, one element out: arithmetic, comparisons, functions, casts, select. */
import {
  abs,
  add,
  cast,
  cos,
  type DenseDType,
  div,
  equal,
  erf,
  exp,
  type FloatDType,
  floor,
  gelu,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  relu,
  rsqrt,
  type Shape,
  select,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  type Tensor,
  tanh,
} from '@cria/tensor'
import { apart, type Case, check, given, type Input, positive, quarters, real, whole } from '../case.js'
import type { Bound } from '../compare.js'

type Make = (shape: Shape, dtype?: FloatDType) => Input

const unary: readonly [string, (x: Tensor) => Tensor, Make, Bound][] = [
  ['neg', neg, real, 'exact'],
  ['abs', abs, apart, 'exact'],
  ['exp', exp, real, 'smooth'],
  ['log', log, positive, 'smooth'],
  ['sqrt', sqrt, positive, 'rounded'],
  ['sin', sin, real, 'smooth'],
  ['cos', cos, real, 'smooth'],
  ['tanh', tanh, real, 'smooth'],
  ['erf', erf, real, 'smooth'],
  ['square', square, real, 'rounded'],
  ['rsqrt', rsqrt, positive, 'rounded'],
  ['sigmoid', sigmoid, real, 'smooth'],
  ['silu', silu, real, 'smooth'],
  ['relu', relu, apart, 'exact'],
  ['softplus', softplus, real, 'smooth'],
  ['gelu_tanh', x => gelu(x, { approximate: 'tanh' }), real, 'smooth'],
  ['gelu_erf', x => gelu(x), real, 'smooth'],
]

const binary: readonly [string, (a: Tensor, b: Tensor) => Tensor, Make, Make, Bound][] = [
  ['add', add, real, real, 'rounded'],
  ['sub', sub, real, real, 'rounded'],
  ['mul', mul, real, real, 'rounded'],
  ['div', div, real, positive, 'rounded'],
  ['pow', pow, positive, real, 'smooth'],
  ['maximum', maximum, apart, quarters, 'exact'],
  ['minimum', minimum, apart, quarters, 'exact'],
]

const comparisons: readonly [string, (a: Tensor, b: Tensor) => Tensor][] = [
  ['equal', equal],
  ['less', less],
  ['less_equal', lessEqual],
]

/** Pairs of shapes that broadcast, up to rank 5. */
const pairs: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[7], [7]],
  [[3, 5], [5]],
  [
    [3, 1],
    [1, 4],
  ],
  [[], [2, 3]],
  [
    [2, 1, 3, 1],
    [4, 1, 5],
  ],
  [
    [2, 1, 3, 1, 2],
    [1, 2, 3, 5, 1],
  ],
  [
    [0, 3],
    [1, 3],
  ],
]

const halves: readonly FloatDType[] = ['f16', 'bf16']
const dense: readonly DenseDType[] = ['f32', 'f16', 'bf16', 'i32', 'u32', 'i8', 'u8']

const none = { gradients: false, bound: 'exact' } as const

export const elementwise: readonly Case[] = [
  ...unary.flatMap(([op, fn, make, bound]) => [
    check(op, [make([33])], fn, { bound }),
    check(op, [make([2, 0, 3])], fn, { bound, gradients: false }),
    check(op, [make([2, 1, 3, 2, 2])], fn, { bound }),
    ...halves.map(dtype => check(op, [make([3, 5], dtype)], fn, { bound })),
  ]),
  check('floor', [real([33])], floor, none),
  check('sign', [given('f32', [5], [-2, -0.5, 0, 0.5, 9])], sign, none),
  check('exp', [given('f32', [6], [-200, -87, -1e-9, 0, 80, 200])], exp, {
    bound: 'smooth',
    gradients: false,
    title: 'far',
  }),
  check('sin', [given('f32', [5], [-1000.5, 100.25, 512.125, 2047.5, 4095])], sin, {
    bound: 'smooth',
    gradients: false,
    title: 'far',
  }),
  check('cos', [given('f32', [5], [-1000.5, 100.25, 512.125, 2047.5, 4095])], cos, {
    bound: 'smooth',
    gradients: false,
    title: 'far',
  }),
  check('tanh', [given('f32', [6], [-100, -20, -1e-4, 1e-4, 20, 100])], tanh, {
    bound: 'smooth',
    gradients: false,
    title: 'far',
  }),
  check('softplus', [given('f32', [4], [-100, -20, 20, 100])], softplus, {
    bound: 'smooth',
    gradients: false,
    title: 'far',
  }),
  check('silu', [given('f32', [4], [-200, -90, 90, 200])], silu, { bound: 'smooth', gradients: false, title: 'far' }),
  check('erf', [given('f32', [6], [-6, -3, -1e-3, 1e-3, 3, 6])], erf, {
    bound: 'smooth',
    gradients: false,
    title: 'far',
  }),

  ...binary.flatMap(([op, fn, a, b, bound]) => [
    ...pairs.map(([m, n]) => check(op, [a(m), b(n)], fn, { bound, gradients: !m.includes(0) })),
    ...halves.map(dtype => check(op, [a([2, 3], dtype), b([3], dtype)], fn, { bound })),
  ]),
  check('add', [real([4099]), real([4099])], add, { gradients: false, title: 'long' }),
  check('mul', [real([3, 70, 31]), real([70, 1])], mul, { gradients: false }),
  check('pow', [real([6]), given('f32', [6], [0, 1, 2, 3, 2, 3])], pow, {
    bound: 'smooth',
    gradients: [0],
    title: 'whole exponents',
  }),
  ...(['i32', 'u32'] as const).flatMap(dtype => [
    check('add', [whole([3, 4], 0, 1000, dtype), whole([4], 0, 1000, dtype)], add, none),
    check('sub', [whole([3, 4], 500, 1000, dtype), whole([4], 0, 500, dtype)], sub, none),
    check('mul', [whole([3, 4], 0, 60_000, dtype), whole([4], 0, 30_000, dtype)], mul, none),
    check('div', [whole([3, 4], 0, 1000, dtype), whole([4], 1, 9, dtype)], div, none),
    check('maximum', [whole([3, 4], 0, 1000, dtype), whole([4], 0, 1000, dtype)], maximum, none),
  ]),
  check('div', [given('i32', [5], [-7, 7, -8, 5, 0]), given('i32', [5], [2, -2, 3, 0, 0])], div, {
    ...none,
    title: 'signs and zero',
  }),
  check('neg', [whole([5], -9, 9)], neg, none),
  check('abs', [whole([5], -9, 9)], abs, none),
  check('square', [whole([5], -9, 9)], square, none),

  ...comparisons.flatMap(([op, fn]) => [
    check(op, [whole([4, 5], 0, 3), whole([5], 0, 3)], fn, none),
    check(op, [whole([2, 1, 5], 0, 3, 'u32'), whole([3, 1], 0, 3, 'u32')], fn, none),
    check(op, [given('f32', [4], [1, 2, -3, 0]), given('f32', [4], [1, 3, -4, 0])], fn, none),
    check(op, [given('bf16', [4], [1, 2, -3, 0]), given('bf16', [4], [1, 3, -4, 0])], fn, none),
    check(op, [real([0]), real([1])], fn, none),
  ]),
  check('less', [real([3, 4]), real([4])], greater, { ...none, title: 'as greater' }),
  check('less_equal', [real([3, 4]), real([4])], greaterEqual, { ...none, title: 'as greater or equal' }),

  check('select', [whole([3, 4], 0, 2), real([3, 4]), real([4])], select, { bound: 'exact', gradients: [1, 2] }),
  check('select', [whole([2, 1, 4], 0, 2), real([]), real([3, 1])], select, { bound: 'exact', gradients: [1, 2] }),
  check('select', [whole([5], -1, 2), whole([5], 0, 99), whole([1], 0, 99)], select, none),
  check('select', [whole([5], 0, 2), real([5], 'f16'), real([], 'f16')], select, { bound: 'exact', gradients: [1, 2] }),
  check('select', [whole([0], 0, 2), real([1]), real([])], select, none),

  // Every dense dtype to every other, with values that all of them hold, then the awkward ones.
  ...dense.flatMap(from =>
    dense
      .filter(to => to !== from)
      .map(to =>
        check('cast', [given(from, [2, 3], [0, 1, 2, 3, 100, 127])], x => cast(x, to), { ...none, title: `to ${to}` }),
      ),
  ),
  check('cast', [given('f32', [6], [1.9, -1.9, 3e9, -3e9, 0.5, -0.5])], x => cast(x, 'i32'), {
    ...none,
    title: 'to i32, truncates and saturates',
  }),
  check('cast', [given('f32', [4], [1.9, -1.9, 300, -300])], x => cast(x, 'u8'), {
    ...none,
    title: 'to u8, saturates',
  }),
  check('cast', [given('f32', [4], [1.9, -1.9, 300, -300])], x => cast(x, 'i8'), {
    ...none,
    title: 'to i8, saturates',
  }),
  check(
    'cast',
    [given('f32', [8], [1.00048828125, 1.00146484375, 65504, 65520, 1e-7, 6e-8, -1e-3, 2.98e-8])],
    x => cast(x, 'f16'),
    { ...none, title: 'to f16, nearest even and subnormal' },
  ),
  check('cast', [given('f32', [5], [1.00390625, 1.01171875, 3e38, 1e-20, -1e-3])], x => cast(x, 'bf16'), {
    ...none,
    title: 'to bf16, nearest even',
  }),
  check('cast', [real([33])], x => cast(x, 'bf16'), { bound: 'exact', gradients: false, title: 'odd length' }),
  check('cast', [real([33], 'f16')], x => cast(x, 'f32'), { bound: 'exact', title: 'odd length' }),
  check('cast', [real([0])], x => cast(x, 'f16'), none),
]
