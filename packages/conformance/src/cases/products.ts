/** Matrix products, and layers on weights of every dtype. */
import {
  type BlockDType,
  blockFormats,
  dequantize,
  embedding,
  linear,
  type MatmulOptions,
  matmul,
  type Shape,
  square,
  sum,
  type Tensor,
  valueAndGrad,
} from '@cria/tensor'
import { blocks, type Case, check, given, real, whole } from '../case.js'
import type { Bound } from '../compare.js'

const product = { bound: 'product' } as const
const plain = { bound: 'product', gradients: false } as const

const matrices: readonly (readonly [Shape, Shape])[] = [
  [
    [1, 1],
    [1, 1],
  ],
  [
    [3, 5],
    [5, 4],
  ],
  [
    [1, 17],
    [17, 9],
  ],
  [
    [2, 3, 5],
    [2, 5, 4],
  ],
  [
    [2, 3, 5],
    [5, 4],
  ],
  [
    [2, 3, 2, 5],
    [2, 3, 5, 3],
  ],
  [
    [2, 1, 2, 3, 4],
    [2, 1, 2, 4, 3],
  ],
]

const swap = (s: Shape): Shape => [...s.slice(0, -2), s.at(-1)!, s.at(-2)!]
const formats = Object.keys(blockFormats) as BlockDType[]
const weights: readonly (readonly ['f32' | 'f16' | 'bf16', Bound])[] = [
  ['f32', 'product'],
  ['f16', 'half'],
  ['bf16', 'half'],
]

function bf16Grads(x: Tensor, y: Tensor, options: MatmulOptions): Tensor[] {
  const { value, grads } = valueAndGrad(() => sum(square(matmul(x, y, { ...options, products: 'bf16' }))), [x, y])
  return [value, ...grads]
}

export const products: readonly Case[] = [
  ...matrices.flatMap(([a, b]) => [
    check('matmul', [real(a), real(b)], (x, y) => matmul(x, y), product),
    check('matmul', [real(swap(a)), real(b)], (x, y) => matmul(x, y, { transposeA: true }), {
      ...product,
      title: 'Aᵀ',
    }),
    check('matmul', [real(a), real(swap(b))], (x, y) => matmul(x, y, { transposeB: true }), {
      ...product,
      title: 'Bᵀ',
    }),
    check('matmul', [real(swap(a)), real(swap(b))], (x, y) => matmul(x, y, { transposeA: true, transposeB: true }), {
      ...product,
      title: 'Aᵀ Bᵀ',
    }),
  ]),
  // Rounding has no slope, so what bf16 products send back is compared as a result instead of by finite differences.
  ...matrices.map(([a, b]) =>
    check('matmul_bf16', [real(a), real(b)], (x, y) => bf16Grads(x, y, {}), { ...plain, title: 'and gradients' }),
  ),
  check('matmul_bf16', [real([70, 33]), real([70, 129])], (x, y) => bf16Grads(x, y, { transposeA: true }), {
    ...plain,
    title: 'and gradients, Aᵀ',
  }),
  check('matmul_bf16', [real([3, 33]), real([7, 33])], (x, w) => linear(x, w, undefined, { products: 'bf16' }), plain),
  check('matmul', [real([65, 130]), real([130, 67])], (x, y) => matmul(x, y), plain),
  check('matmul', [real([3, 0]), real([0, 4])], (x, y) => matmul(x, y), { ...plain, title: 'empty sum' }),
  check('matmul', [real([0, 4]), real([4, 3])], (x, y) => matmul(x, y), { ...plain, title: 'no rows' }),
  check('matmul', [real([3, 5], 'f16'), real([5, 4], 'f16')], (x, y) => matmul(x, y), { bound: 'half' }),
  check('matmul', [real([2, 3, 5], 'bf16'), real([5, 4], 'bf16')], (x, y) => matmul(x, y), { bound: 'half' }),

  ...weights.flatMap(([dtype, bound]) => [
    check('linear', [real([3, 33]), real([7, 33], dtype)], (x, w) => linear(x, w), { bound }),
    check('linear', [real([64]), real([5, 64], dtype)], (x, w) => linear(x, w), { bound, title: 'a vector' }),
    check('linear', [real([2, 3, 32]), real([40, 32], dtype)], (x, w) => linear(x, w), { bound }),
    check('linear', [real([37, 96]), real([70, 96], dtype)], (x, w) => linear(x, w), { bound, gradients: false }),
    check('embedding', [whole([4], 0, 9), real([9, 5], dtype)], embedding, { bound: 'exact' }),
    check('embedding', [whole([2, 3], 0, 9), real([9, 33], dtype)], embedding, { bound: 'exact', gradients: false }),
  ]),
  check('linear', [real([3, 8]), real([5, 8]), real([5])], (x, w, b) => linear(x, w, b), { ...product, title: 'bias' }),
  check('linear', [real([0, 8]), real([5, 8])], (x, w) => linear(x, w), { ...plain, title: 'no rows' }),
  check('embedding', [given('i32', [3], [-1, 2, 3]), real([3, 4])], embedding, {
    bound: 'exact',
    title: 'out of range gives zeros',
  }),

  ...formats.flatMap(dtype => {
    const { block } = blockFormats[dtype]
    return [
      check('dequantize', [blocks(dtype, [3, 2 * block])], dequantize, { bound: 'rounded', gradients: false }),
      check('linear', [real([1, 2 * block]), blocks(dtype, [5, 2 * block])], (x, w) => linear(x, w), {
        bound: 'quantised',
        gradients: [0],
      }),
      check('linear', [real([2, 3, block]), blocks(dtype, [9, block])], (x, w) => linear(x, w), {
        bound: 'quantised',
        gradients: false,
      }),
      check('embedding', [whole([2, 2], 0, 6), blocks(dtype, [6, block])], embedding, {
        bound: 'rounded',
        gradients: false,
      }),
    ]
  }),
  ...(['q8_0', 'q4_0', 'q4_k', 'q6_k'] as const).map(dtype =>
    check('linear', [real([35, 512]), blocks(dtype, [40, 512])], (x, w) => linear(x, w), {
      bound: 'quantised',
      gradients: false,
      title: 'many rows',
    }),
  ),
]
