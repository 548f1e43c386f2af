/**
 * The reference backend: plain TypeScript over typed arrays, in double precision between loads and stores. It is the
 * oracle that every other backend is held against, so it is written to be read, not to be fast. It has kernels for
 * the primitives alone; everything else runs by its definition.
 */
import { packArena } from '../arena.js'
import type { Backend, Buf, Executable, Kernel, OpCall, Program } from '../backend.js'
import { createDevice, type Device } from '../device.js'
import { byteLength, type DType, isBlock, type Spec, sizeOf } from '../spec.js'
import { elementwise } from './elementwise.js'
import { indexing } from './indexing.js'
import { matrix } from './matrix.js'
import { movement } from './movement.js'
import { reductions } from './reductions.js'

/** Elements as they are stored: halves as their bits, block formats as bytes. */
export type Elements = Float32Array | Uint16Array | Int32Array | Uint32Array | Int8Array | Uint8Array

/** Builds the function that computes a call, or undefined where the dtypes are not its own. */
export type KernelMaker = (
  call: OpCall,
) => ((inputs: readonly Elements[], outputs: readonly Elements[]) => void) | undefined

interface ReferenceKernel extends Kernel {
  readonly compute: (inputs: readonly Elements[], outputs: readonly Elements[]) => void
}

interface ReferenceBuf {
  readonly elements: Elements
}

const makers: Readonly<Record<string, KernelMaker>> = {
  ...elementwise,
  ...movement,
  ...reductions,
  ...matrix,
  ...indexing,
}

const arrays: Record<'f32' | 'f16' | 'bf16' | 'i32' | 'u32' | 'i8' | 'u8', new (n: number) => Elements> = {
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i8: Int8Array,
  u8: Uint8Array,
}

const allocate = (s: Spec): Elements =>
  isBlock(s.dtype) ? new Uint8Array(byteLength(s)) : new arrays[s.dtype](sizeOf(s.shape))
const bytesOf = (a: Elements): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength)
const elementsOf = (buf: Buf): Elements => (buf as ReferenceBuf).elements

/**
 * A device on the reference backend.
 *
 * @example
 * const device = reference()
 * await add(device.tensor([1, 2]), 1).data() // [2, 3]
 */
export const reference = (): Device => createDevice(referenceBackend())

/** The backend itself, for suites that wrap it. */
export function referenceBackend(): Backend {
  return {
    name: 'reference',
    contract: 1,
    description: 'plain TypeScript, one thread',
    alloc: (s): ReferenceBuf => ({ elements: allocate(s) }),
    free() {},
    write(buf, bytes, at = 0) {
      bytesOf(elementsOf(buf)).set(bytes, at)
    },
    async read(buf, at, bytes) {
      return bytesOf(elementsOf(buf)).slice(at, at + bytes)
    },
    kernel(call): ReferenceKernel | undefined {
      const compute = makers[call.op]?.(call)
      return compute && { name: call.op, compute }
    },
    run(kernel, inputs, outputs) {
      ;(kernel as ReferenceKernel).compute(inputs.map(elementsOf), outputs.map(elementsOf))
    },
    compile,
  }
}

/** Storage is placed once, with lifetimes sharing one arena as other backends do, so that the planner is tested here too. */
function compile(program: Program): Executable {
  const { offsets, bytes } = packArena(program, 8)
  const arena = new ArrayBuffer(bytes)
  const at = (slot: number, s: Spec): Elements => {
    const offset = offsets[slot]
    if (offset === undefined) return elementsOf(program.slots[slot]!.buf!)
    return isBlock(s.dtype)
      ? new Uint8Array(arena, offset, byteLength(s))
      : window(arena, offset, s.dtype, sizeOf(s.shape))
  }
  const steps = program.calls.map(({ kernel, inputs, outputs }) => ({
    compute: (kernel as ReferenceKernel).compute,
    inputs: inputs.map(o => at(o.slot, o.spec)),
    outputs: outputs.map(o => at(o.slot, o.spec)),
  }))
  const targets = program.inputs.map(slot => bytesOf(at(slot, program.slots[slot]!.spec)))
  return {
    bytes,
    run(inputs) {
      inputs.forEach((value, i) => targets[i]!.set(value instanceof Uint8Array ? value : bytesOf(elementsOf(value))))
      for (const step of steps) step.compute(step.inputs, step.outputs)
    },
    output(i): ReferenceBuf {
      const { slot, spec } = program.outputs[i]!
      return { elements: at(slot, spec) }
    },
    dispose() {},
  }
}

function window(arena: ArrayBuffer, offset: number, dtype: Exclude<DType, 'q4_0'>, n: number): Elements {
  const Make = arrays[dtype as keyof typeof arrays] as unknown as new (
    b: ArrayBuffer,
    at: number,
    n: number,
  ) => Elements
  return new Make(arena, offset, n)
}
