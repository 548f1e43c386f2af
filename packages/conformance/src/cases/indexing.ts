/** Reading and writing by index, and the effects: assign, write_rows. */
import { assign, f32, gather, pick, scatterAdd, spec, writeRows } from '@cria/tensor'
import { type Case, check, given, nothing, real, whole } from '../case.js'

const exact = { bound: 'exact' } as const
const none = { bound: 'exact', gradients: false } as const

export const indexing: readonly Case[] = [
  check('gather', [real([5]), whole([3], 0, 5)], gather, exact),
  check('gather', [real([7, 3]), whole([2, 4], 0, 7)], gather, exact),
  check('gather', [real([4, 2, 3]), whole([], 0, 4)], gather, exact),
  check('gather', [real([3, 2]), given('i32', [4], [-1, 0, 2, 3])], gather, {
    ...exact,
    title: 'out of range gives zeros',
  }),
  check('gather', [real([5, 3], 'f16'), whole([3], 0, 5)], gather, exact),
  check('gather', [real([5, 3], 'bf16'), whole([3], 0, 5)], gather, exact),
  check('gather', [whole([5, 3], 0, 99), whole([3], 0, 5)], gather, none),
  check('gather', [whole([5, 3], 0, 99, 'u8'), whole([3], 0, 5)], gather, none),
  check('gather', [real([5, 3]), whole([0], 0, 5)], gather, none),

  check('scatter_add', [real([5]), whole([3], 0, 5), real([3])], scatterAdd, { bound: 'summed' }),
  check('scatter_add', [real([4, 3]), given('i32', [5], [1, 1, 3, 1, 0]), real([5, 3])], scatterAdd, {
    bound: 'summed',
    title: 'equal indices',
  }),
  check('scatter_add', [real([3, 2]), given('i32', [2, 2], [-1, 0, 7, 2]), real([2, 2, 2])], scatterAdd, {
    bound: 'summed',
    title: 'out of range',
  }),
  check('scatter_add', [real([3, 2]), whole([0], 0, 3), real([0, 2])], scatterAdd, none),
  check('scatter_add', [whole([4], 0, 9), whole([6], 0, 4), whole([6], 0, 9)], scatterAdd, none),
  check('scatter_add', [real([40, 33]), whole([200], 0, 40), real([200, 33])], scatterAdd, {
    bound: 'summed',
    gradients: false,
  }),

  check('pick', [real([4, 6]), whole([4], 0, 6)], pick, exact),
  check('pick', [real([2, 3, 5]), whole([2, 3], 0, 5)], pick, exact),
  check('pick', [real([3, 4]), given('i32', [3], [-1, 3, 4])], pick, { ...exact, title: 'out of range gives 0' }),
  check('pick', [real([5]), whole([], 0, 5)], pick, exact),

  ...[
    real([3, 5]),
    real([3, 5], 'f16'),
    real([3, 5], 'bf16'),
    whole([3, 5], -9, 9),
    whole([3, 5], 0, 99, 'u8'),
    real([]),
  ].map(input =>
    check('assign', [nothing(input.spec), input], (target, x) => void assign(target, x), { ...none, changes: [0] }),
  ),
  ...(['f32', 'f16', 'bf16', 'q8_0'] as const).flatMap(dtype => [
    check('write_rows', [nothing(spec(dtype, [6, 64])), real([2, 64]), given('i32', [2], [4, 1])], writeRowsOf, {
      bound: dtype === 'q8_0' ? 'half' : 'exact',
      gradients: false,
      changes: [0],
    }),
    check(
      'write_rows',
      [nothing(spec(dtype, [5, 2, 32])), real([3, 2, 32]), given('i32', [3], [2, 7, -1])],
      writeRowsOf,
      { bound: dtype === 'q8_0' ? 'half' : 'exact', changes: [0], title: 'out of range' },
    ),
  ]),
  check('write_rows', [real([4, 3], 'f16'), real([1, 3]), whole([1], 0, 4)], writeRowsOf, {
    ...none,
    changes: [0],
    title: 'odd rows',
  }),
  check('write_rows', [nothing(f32([4])), real([2]), given('i32', [2], [3, 0])], writeRowsOf, {
    ...none,
    changes: [0],
  }),
  check('write_rows', [real([4, 3]), real([0, 3]), whole([0], 0, 4)], writeRowsOf, {
    ...none,
    changes: [0],
    title: 'nothing',
  }),
]

function writeRowsOf(...[target, rows, index]: Parameters<Case['run']>): undefined {
  writeRows(target!, rows!, index!)
}
