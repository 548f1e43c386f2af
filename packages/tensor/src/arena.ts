/**
 * Places a program's temporaries and inputs in one arena: storage whose lifetimes do not meet shares bytes. For
 * backends that can bind any offset (CPU, WASM, CUDA); others reuse whole buffers by the same lifetimes.
 */
import type { Program } from './backend.js'
import { byteLength, type Spec } from './spec.js'

export interface Arena {
  /** Byte offset of each slot; undefined for bound slots. */
  readonly offsets: readonly (number | undefined)[]
  readonly bytes: number
}

/** Greedy by size: the largest first, each at the lowest offset that is free over its whole life. */
export function packArena({ slots, outputs }: Program, align = 64, bytesOf: (s: Spec) => number = byteLength): Arena {
  const kept = new Set(outputs.map(o => o.slot))
  const offsets = new Array<number | undefined>(slots.length).fill(undefined)
  const placed: { from: number; to: number; first: number; last: number }[] = []
  let total = 0
  const order = slots
    .map((slot, index) => ({ slot, index, bytes: Math.ceil(bytesOf(slot.spec) / align) * align }))
    .filter(({ slot }) => slot.kind !== 'bound')
    .sort((a, b) => b.bytes - a.bytes || a.index - b.index)
  for (const { slot, index, bytes } of order) {
    // Inputs are written before the first call and outputs read after the last, whatever the calls do.
    const first = slot.kind === 'input' || kept.has(index) ? -1 : slot.first
    const last = kept.has(index) ? Number.POSITIVE_INFINITY : slot.last
    let at = 0
    for (const p of placed) {
      if (p.first > last || p.last < first) continue
      if (at + bytes <= p.from) break
      at = Math.max(at, p.to)
    }
    offsets[index] = at
    total = Math.max(total, at + bytes)
    placed.push({ from: at, to: at + bytes, first, last })
    placed.sort((a, b) => a.from - b.from)
  }
  return { offsets, bytes: total }
}
