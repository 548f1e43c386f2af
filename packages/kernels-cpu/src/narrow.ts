/**
 * Half the memory for what only products of bf16 read: they round their operands to bf16 anyway, so the kernel that makes
 * such a value rounds it, once and to the same bits.
 */
import type { OpenSlot, Place, Step } from './lowering.js'
import type { Opcode } from './opcodes.js'

/** Kernels that write through `Sink` (native/ops/op.h). */
const makers: ReadonlySet<Opcode> = new Set<Opcode>([
  'rms_norm',
  'swiglu',
  'rope',
  'attention_tiles',
  'swiglu_grad',
  'attention_grad',
])

const isBf16Product = ({ opcode, attrs }: Step): boolean => opcode === 'matmul' && (attrs[8]! & 2) !== 0

/** Numbers of the temporaries of f32 that are read, by products of bf16 alone, and made whole by one of `makers`. */
function narrowSlots(slots: readonly OpenSlot[], steps: readonly Step[], outputs: readonly number[]): Set<number> {
  const read = new Set<number>()
  const never = new Set<number>(outputs)
  for (const step of steps) {
    step.operands.forEach(({ slot, offset = 0 }, i) => {
      const fits = step.writes.includes(i) ? makers.has(step.opcode) && offset === 0 : isBf16Product(step)
      if (!fits) never.add(slot)
      else if (!step.writes.includes(i)) read.add(slot)
    })
  }
  for (const slot of read) {
    const { kind, spec } = slots[slot]!
    if (never.has(slot) || kind !== 'temp' || spec.dtype !== 'f32') read.delete(slot)
  }
  return read
}

/** Makes bf16 of the slots that allow it, in place; returns the steps on them. */
export function narrowed(slots: OpenSlot[], steps: readonly Step[], outputs: readonly number[]): readonly Step[] {
  const narrow = narrowSlots(slots, steps, outputs)
  for (const slot of narrow) slots[slot] = { ...slots[slot]!, spec: { ...slots[slot]!.spec, dtype: 'bf16' } }
  const place = (p: Place): Place =>
    narrow.has(p.slot) ? { ...p, spec: { ...p.spec, dtype: 'bf16' }, offset: (p.offset ?? 0) / 2 } : p
  return steps.map(step => ({ ...step, operands: step.operands.map(place) }))
}
