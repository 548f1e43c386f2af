/**
 * The backend contract: everything a device must be able to do, on one page. A backend is a value handed to
 * `createDevice`; no model ever imports one. Only the primitives of `ops/` need kernels: every other op has a
 * definition in simpler ops that runs until the backend brings a kernel of its own.
 */
import type { Spec } from './spec.js'

/** A backend's storage for one tensor. Opaque to the core. */
export type Buf = object

/** What an op needs to know besides its tensors: plain data, so that calls can be compared, printed and sent. */
export type Attr = number | string | boolean | readonly number[] | undefined
export type Attrs = Readonly<Record<string, Attr>>

/** One application of an op to specs. The question `kernel()` answers. */
export interface OpCall {
  readonly op: string
  readonly inputs: readonly Spec[]
  readonly outputs: readonly Spec[]
  readonly attrs: Attrs
  /** Indices of inputs that the call changes in place (effect ops); empty for pure ops. */
  readonly mutates: readonly number[]
}

/** A kernel chosen for one `OpCall`. The backend extends it with what it needs to run. */
export interface Kernel {
  readonly name: string
}

/** Storage in a program. */
export interface Slot {
  readonly spec: Spec
  /**
   * `input`: written by each replay. `bound`: a tensor that exists outside (weights, cache, optimiser state,
   * constants). `temp`: lives only inside the replay; the backend places it.
   */
  readonly kind: 'input' | 'bound' | 'temp'
  /** The input's name; undefined for the rest. */
  readonly name?: string
  /** The storage of a bound slot. */
  readonly buf?: Buf
  /** Indices of the first and last call that touch it. An output's `last` is `calls.length`: it outlives the replay. */
  readonly first: number
  readonly last: number
}

/** A slot seen through a spec: reshapes share storage. */
export interface Operand {
  readonly slot: number
  readonly spec: Spec
}

export interface ProgramCall {
  readonly op: string
  readonly kernel: Kernel
  readonly inputs: readonly Operand[]
  readonly outputs: readonly Operand[]
  readonly attrs: Attrs
  readonly mutates: readonly number[]
}

/** A recorded computation: plain data, in execution order. */
export interface Program {
  readonly slots: readonly Slot[]
  readonly calls: readonly ProgramCall[]
  /** Slots of the inputs, in the order in which `Executable.run` takes their values. */
  readonly inputs: readonly number[]
  readonly outputs: readonly Operand[]
}

/** A program in the backend's best form. */
export interface Executable {
  /**
   * Replays the program. Each value is the canonical bytes of an input, or a `Buf` of this backend to copy from.
   * Returns a promise where the work leaves the calling thread; results may be read once it has settled.
   */
  run(inputs: readonly (Uint8Array | Buf)[]): void | Promise<void>
  /** The storage of output `i` (a bound slot's own storage if it is one): overwritten by the next run. */
  output(i: number): Buf
  /** Bytes of temporaries and inputs that the executable holds. */
  readonly bytes: number
  dispose(): void
}

/** A range of a local file that holds a tensor's canonical bytes. */
export interface FileRange {
  readonly path: string
  readonly offset: number
  readonly bytes: number
}

export interface Backend {
  /** `cpu`, `wasm`, `webgpu`, `reference`, … */
  readonly name: string
  /** Raised when this interface changes in a way that old backends cannot serve. */
  readonly contract: 1
  /** One line for people: instruction set, threads, adapter. */
  readonly description: string
  /**
   * Storage for a tensor, in whatever layout the backend likes for that dtype (quantised blocks are usually
   * repacked): `write` and `read` translate from and to the canonical layout. Fresh storage reads as zeros.
   */
  alloc(spec: Spec): Buf
  free(buf: Buf): void
  /** Writes canonical bytes at a byte offset. Block formats are written in whole rows. */
  write(buf: Buf, bytes: Uint8Array, at?: number): void
  /** Reads canonical bytes after all work queued so far. */
  read(buf: Buf, at: number, bytes: number): Promise<Uint8Array>
  /** Storage filled from a file without passing through JavaScript. Absent where the host has no files. */
  load?(spec: Spec, from: FileRange): Buf
  /** A kernel for the call, or undefined: then the core runs the op's definition. */
  kernel(call: OpCall): Kernel | undefined
  /** Runs one kernel now (or queues it, in order). `inputs` and `outputs` match the specs it was asked for. */
  run(kernel: Kernel, inputs: readonly Buf[], outputs: readonly Buf[]): void
  compile(program: Program): Executable
  dispose?(): void
}
