/** Moving elements about: reshape, transpose, slice, concat, broadcast; and making them: full, iota. */
import {
  broadcastTo,
  concat,
  type DenseDType,
  full,
  iota,
  ones,
  reshape,
  type Shape,
  slice,
  stopGradient,
  transpose,
  zeros,
} from '@cria/tensor'
import { type Case, check, type Input, real, whole } from '../case.js'

const exact = { bound: 'exact' } as const
const none = { bound: 'exact', gradients: false } as const

const perms: readonly (readonly [Shape, readonly number[]])[] = [
  [[], []],
  [[5], [0]],
  [
    [3, 5],
    [1, 0],
  ],
  [
    [2, 3, 4],
    [2, 0, 1],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 1, 3],
  ],
  [
    [2, 3, 2, 3, 2],
    [4, 2, 0, 3, 1],
  ],
  [
    [0, 3],
    [1, 0],
  ],
]

/** A little of every dense dtype, with an odd number of elements. */
const each = (shape: Shape): readonly Input[] => [
  real(shape, 'f16'),
  real(shape, 'bf16'),
  whole(shape, -90, 90),
  whole(shape, 0, 2 ** 32, 'u32'),
  whole(shape, -128, 128, 'i8'),
  whole(shape, 0, 256, 'u8'),
]

export const shape: readonly Case[] = [
  check('reshape', [real([2, 3, 4])], x => reshape(x, [4, -1]), exact),
  check('reshape', [real([1])], x => reshape(x, []), exact),
  check('stop_gradient', [real([3])], x => stopGradient(x), none),
  ...perms.map(([s, perm]) =>
    check('transpose', [real(s)], x => transpose(x, perm), {
      bound: 'exact',
      gradients: !s.includes(0),
      title: `axes [${perm}]`,
    }),
  ),
  ...each([3, 5]).map(input => check('transpose', [input], x => transpose(x), none)),
  check('transpose', [real([67, 130])], x => transpose(x), none),

  check('slice', [real([7])], x => slice(x, 0, 2, 5), exact),
  check('slice', [real([3, 5])], x => slice(x, 1, 1, -1), exact),
  check('slice', [real([3, 5, 2])], x => slice(x, 0, 1), exact),
  check('slice', [real([2, 3, 5, 2, 2])], x => slice(x, 2, 1, 4), exact),
  check('slice', [real([3, 5])], x => slice(x, 1, 2, 2), { ...none, title: 'to nothing' }),
  ...each([3, 5]).map(input => check('slice', [input], x => slice(x, 1, 1, 4), none)),

  check('concat', [real([3]), real([4])], (a, b) => concat([a, b]), exact),
  check('concat', [real([2, 3]), real([2, 1]), real([2, 2])], (a, b, c) => concat([a, b, c], 1), exact),
  check('concat', [real([1, 3, 2]), real([4, 3, 2])], (a, b) => concat([a, b], 0), exact),
  check('concat', [real([2, 3, 1, 2, 2]), real([2, 3, 4, 2, 2])], (a, b) => concat([a, b], 2), exact),
  check('concat', [real([0, 3]), real([2, 3])], (a, b) => concat([a, b], 0), none),
  ...each([3, 5]).map(input => check('concat', [input, input], (a, b) => concat([a, b], 1), none)),

  check('broadcast', [real([3, 1])], x => broadcastTo(x, [2, 3, 4]), exact),
  ...(['f32', 'f16', 'bf16', 'i32', 'u32', 'i8', 'u8'] as const satisfies readonly DenseDType[]).flatMap(dtype => [
    check('full', [real([1])], x => full(x.device, [3, 5], 3, dtype), { ...none, title: dtype }),
    check('iota', [real([1])], x => iota(x.device, 37, dtype), { ...none, title: dtype }),
  ]),
  check('full', [real([1])], x => full(x.device, [], -0.3), { ...none, title: 'scalar' }),
  check('full', [real([1])], x => full(x.device, [2], -1e30), { ...none, title: 'large' }),
  check('full', [real([1])], x => [zeros(x.device, [0]), ones(x.device, [2, 3])], {
    ...none,
    title: 'empty, and ones',
  }),
  check('iota', [real([1])], x => iota(x.device, 0), { ...none, title: 'empty' }),
]
