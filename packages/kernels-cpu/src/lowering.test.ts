import { expect, test } from 'vitest'
import { assemble, type OpenSlot, type Place, type Step } from './lowering.js'

test('a thread has the same scratch in every call, as one may be ahead of the other without a meeting between them', () => {
  const slots: OpenSlot[] = Array.from({ length: 4 }, () => ({ spec: { dtype: 'f32', shape: [4096] }, kind: 'bound' }))
  const place = (slot: number): Place => ({ slot, spec: slots[slot]!.spec, packed: false })
  const step = (from: number, to: number, scratch: number): Step => ({
    opcode: 'unary',
    operands: [place(from), place(to)],
    writes: [1],
    attrs: [0],
    scratch,
    cost: 1e6,
  })
  const made = assemble(slots, [step(0, 1, 512), step(2, 3, 1 << 20)], [], [], 2)
  expect(made.barriers, 'independent steps are one region').toBe(0)
  const second = made.words[0]!
  expect([made.words[3], made.words[second + 3], made.scratch]).toEqual([1 << 20, 1 << 20, 1 << 20])
})
