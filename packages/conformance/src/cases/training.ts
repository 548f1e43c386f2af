/** What a training step adds: random numbers, norms of gradients, AdamW in place. */
import { adamw, clipFactor, f32, globalNorm, normal, randomBits, uniform } from '@cria/tensor'
import { type Case, check, given, nothing, positive, real } from '../case.js'

const none = { bound: 'exact', gradients: false } as const
const key = given('u32', [2], [20260101, 7])
const scalar = (value: number): ReturnType<typeof given> => given('f32', [], [value])

export const training: readonly Case[] = [
  check('random_bits', [key], k => randomBits(k, [9]), none),
  check('random_bits', [given('u32', [2], [0xffffffff, 0xffffffff])], k => randomBits(k, [2, 3, 5]), none),
  check('random_bits', [key], k => randomBits(k, []), none),
  check('random_bits', [key], k => randomBits(k, [0]), none),
  check('random_bits', [key], k => randomBits(k, [70_000]), { ...none, title: 'long' }),
  check('uniform', [key], k => uniform(k, [3, 5]), none),
  check('normal', [key], k => normal(k, [3, 5]), { bound: 'smooth', gradients: false }),
  check('sum_squares', [real([5]), real([2, 3])], (a, b) => globalNorm([a, b]), {
    bound: 'summed',
    title: 'global norm',
  }),
  check('sum_squares', [real([3, 4], 'bf16')], a => globalNorm([a]), { bound: 'summed', gradients: false }),
  check('minimum', [positive([])], norm => clipFactor(norm, 0.5), { title: 'clip factor' }),
  check(
    'adamw',
    [real([3, 5]), real([3, 5]), real([3, 5], 'f32', -0.1, 0.1), real([3, 5], 'f32', 0, 0.1), scalar(3e-4), scalar(7)],
    (p, g, m, v, lr, step) => void adamw(p, g, m, v, { lr, step, weightDecay: 0.1 }),
    { bound: 'smooth', changes: [0, 2, 3] },
  ),
  check(
    'adamw',
    [real([1030]), real([1030]), nothing(f32([1030])), nothing(f32([1030])), scalar(1e-3), scalar(1), scalar(0.25)],
    (p, g, m, v, lr, step, scale) => void adamw(p, g, m, v, { lr, step, scale: scale!, beta2: 0.999, eps: 1e-8 }),
    { bound: 'smooth', changes: [0, 2, 3], title: 'first step, clipped' },
  ),
  check(
    'adamw',
    [
      real([5]),
      given('f32', [5], Array(5).fill(Number.NaN)),
      real([5]),
      positive([5]),
      scalar(1e-3),
      scalar(3),
      scalar(0),
    ],
    (p, g, m, v, lr, step, scale) => void adamw(p, g, m, v, { lr, step, scale: scale!, weightDecay: 0.1 }),
    { bound: 'exact', changes: [0, 2, 3], title: 'a scale of 0 skips the step' },
  ),
]
