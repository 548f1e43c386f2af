/**
 * From calls of ops to steps of the binary program. A lowering writes what each kernel does as steps on slots, adding
 * temporaries of its own (prepared activations, partial results); `assemble` places them, finds where threads must wait
 * for each other, and writes the words.
 */
import {
  byteLength,
  type Kernel,
  type OpCall,
  type Program,
  packArena,
  type Shape,
  type Slot,
  type Spec,
} from '@cria/tensor'
import type { Engine } from './engine.js'
import { dtypeCode, type Opcode, opcodes } from './opcodes.js'

/** A slot seen by a kernel: its shape as the kernel wants it, and its form. */
export interface Place {
  readonly slot: number
  readonly spec: Spec
  readonly packed: boolean
  /** Bytes from the start of the slot. Default 0. */
  readonly offset?: number
}

export interface Step {
  readonly opcode: Opcode
  readonly operands: readonly Place[]
  /** Positions of the operands that it writes. Default: the last. */
  readonly writes: readonly number[]
  readonly attrs: readonly number[]
  /** Bytes of private memory for each thread. */
  readonly scratch: number
  /** Rough nanoseconds on one thread. */
  readonly cost: number
}

export interface StepOptions {
  readonly attrs?: readonly number[]
  readonly writes?: readonly number[]
  readonly scratch?: number
  readonly cost?: number
}

/** Writes the steps of one call. */
export type Lower = (to: Lowering, inputs: readonly Place[], outputs: readonly Place[]) => void

export interface CpuKernel extends Kernel {
  readonly lower: Lower
  readonly mutates: readonly number[]
  /** Specs of the inputs, then of the outputs. */
  readonly specs: readonly Spec[]
}

/** Chooses how to compute a call, or undefined: then the core runs its definition. */
export type KernelMaker = (call: OpCall) => Lower | undefined

/** A slot before it has a place. */
export interface OpenSlot {
  readonly spec: Spec
  readonly kind: Slot['kind']
  readonly address?: number
}

/** The same storage under another shape. */
export const view = (p: Place, shape: Shape): Place => ({ ...p, spec: { dtype: p.spec.dtype, shape } })
export const flat = (p: Place): Place => view(p, [sizeOf(p)])
/** Rows `from` … `to` of a matrix of f32 or i32, or elements of a vector. */
export const rowsOf = (p: Place, from: number, to: number): Place => {
  const [, ...rest] = p.spec.shape
  const width = rest.reduce((a, b) => a * b, 1)
  return { ...view(p, [to - from, ...rest]), offset: (p.offset ?? 0) + from * width * 4 }
}
export const sizeOf = (p: Place): number => p.spec.shape.reduce((a, b) => a * b, 1)

export class Lowering {
  readonly steps: Step[] = []
  private readonly prepared = new Map<string, Place>()

  constructor(
    readonly engine: Engine,
    readonly slots: OpenSlot[],
  ) {}

  /** A temporary of the kernel's own. */
  temp(spec: Spec): Place {
    return { slot: this.slots.push({ spec, kind: 'temp' }) - 1, spec, packed: false }
  }

  step(opcode: Opcode, operands: readonly Place[], options: StepOptions = {}): void {
    const { attrs = [], writes = [operands.length - 1], scratch = 0, cost } = options
    const touched = operands.reduce((a, o) => a + sizeOf(o), 0)
    this.steps.push({ opcode, operands, attrs, writes, scratch, cost: cost ?? touched * 0.15 })
    for (const i of writes) this.forget(operands[i]!.slot)
  }

  /** A value that several calls can share, made by the first: activations prepared once for Q, K and V. */
  shared(key: string, source: Place, make: () => Place): Place {
    const full = `${source.slot}:${key}`
    let place = this.prepared.get(full)
    if (place === undefined) {
      place = make()
      this.prepared.set(full, place)
    }
    return place
  }

  private forget(slot: number): void {
    for (const key of this.prepared.keys()) if (key.startsWith(`${slot}:`)) this.prepared.delete(key)
  }
}

/** Words of a call's header and of an operand: native/executor/call.h. */
const headerWords = 8
const operandWords = 12
const barrierBefore = 1
const solo = 2
const timed = 4
/** Work below this many nanoseconds is done by one thread: two waits cost about as much. */
const soloBelow = 1500

export interface Assembled {
  readonly words: Int32Array
  /** Byte offset of each slot in the arena; undefined for slots that have an address of their own. */
  readonly offsets: readonly (number | undefined)[]
  readonly arenaBytes: number
  readonly scratch: number
  /** Rough nanoseconds on one thread. */
  readonly cost: number
  readonly barriers: number
  /** Where the words hold the address of each slot. */
  readonly patches: readonly { readonly word: number; readonly slot: number; readonly offset: number }[]
}

/** Places temporaries, orders threads and writes the words; addresses are filled in by `patch`. */
export function assemble(
  slots: readonly OpenSlot[],
  steps: readonly Step[],
  inputs: readonly number[],
  outputs: readonly number[],
  threads: number,
  profile = false,
): Assembled {
  const arena = place(slots, steps, inputs, outputs)
  const flags = schedule(slots, steps, arena.offsets, threads)
  const patches: { word: number; slot: number; offset: number }[] = []
  // The same for every call, or a thread that is ahead of another, in the same region, would write over its scratch.
  const scratch = steps.reduce((n, s) => Math.max(n, s.scratch), 0)
  const total = steps.reduce((n, s) => n + headerWords + s.operands.length * operandWords + s.attrs.length, 0)
  const words = new Int32Array(total)
  let at = 0
  steps.forEach((step, i) => {
    const { operands, attrs } = step
    const length = headerWords + operands.length * operandWords + attrs.length
    words.set(
      [length, opcodes.indexOf(step.opcode), flags[i]! | (profile ? timed : 0), scratch, operands.length, attrs.length],
      at,
    )
    let o = at + headerWords
    for (const { slot, spec, packed, offset = 0 } of operands) {
      patches.push({ word: o, slot, offset })
      words[o + 2] = dtypeCode(spec.dtype) + (packed ? 256 : 0)
      words[o + 3] = spec.shape.length
      words.set(spec.shape, o + 4)
      o += operandWords
    }
    words.set(attrs, o)
    at += length
  })
  return {
    words,
    offsets: arena.offsets,
    arenaBytes: arena.bytes,
    scratch,
    cost: steps.reduce((n, s) => n + s.cost, 0),
    barriers: flags.filter(f => f & barrierBefore).length,
    patches,
  }
}

/** Lifetimes of the slots over the steps, and their packing into one arena. */
function place(
  slots: readonly OpenSlot[],
  steps: readonly Step[],
  inputs: readonly number[],
  outputs: readonly number[],
): ReturnType<typeof packArena> {
  const first = new Array<number>(slots.length).fill(0)
  const last = new Array<number>(slots.length).fill(-1)
  steps.forEach((step, i) => {
    for (const { slot } of step.operands) {
      if (last[slot] === -1) first[slot] = i
      last[slot] = i
    }
  })
  const program: Program = {
    slots: slots.map((s, i) => ({ ...s, kind: s.kind, first: first[i]!, last: Math.max(last[i]!, first[i]!) })),
    calls: [],
    inputs,
    outputs: outputs.map(slot => ({ slot, spec: slots[slot]!.spec })),
  }
  return packArena(program)
}

interface Touched {
  readonly base: number
  readonly from: number
  readonly to: number
  readonly writes: boolean
  readonly solo: boolean
}

/**
 * Flags of each step: whether thread 0 works alone, and whether threads must meet before it because it reads what
 * others wrote, or writes what others may still read, since the last meeting. Steps between two meetings run in one
 * parallel region: Q, K and V, or gate and up.
 */
function schedule(
  slots: readonly OpenSlot[],
  steps: readonly Step[],
  offsets: readonly (number | undefined)[],
  threads: number,
): number[] {
  let since: Touched[] = []
  return steps.map(step => {
    const alone = threads === 1 || step.cost < soloBelow
    const touched = step.operands.map(({ slot }, i): Touched => {
      const offset = offsets[slot]
      const writes = step.writes.includes(i)
      // Slots outside the arena are storage of their own; reshapes of one storage share a slot.
      if (offset === undefined) return { base: slot, from: 0, to: 1, writes, solo: alone }
      return { base: -1, from: offset, to: offset + Math.max(1, byteLength(slots[slot]!.spec)), writes, solo: alone }
    })
    const meets = touched.some(a =>
      since.some(
        b => a.base === b.base && a.from < b.to && b.from < a.to && (a.writes || b.writes) && !(a.solo && b.solo),
      ),
    )
    since = meets ? touched : [...since, ...touched]
    return (meets ? barrierBefore : 0) | (alone ? solo : 0)
  })
}

/** Writes the address of every operand. */
export function patch({ words, patches }: Assembled, addressOf: (slot: number) => number): void {
  for (const { word, slot, offset } of patches) {
    const address = addressOf(slot) + offset
    words[word] = address | 0
    words[word + 1] = Math.floor(address / 2 ** 32)
  }
}
