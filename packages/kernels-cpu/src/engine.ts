/**
 * What runs binary programs: the native addon or a WebAssembly module. Addresses are plain numbers; storage, layouts and
 * programs are made above it and are the same for both.
 */

/** A compiled program on the engine's side. */
export type Compiled = object

/** One kernel call of a replay, as the first thread saw it. */
export interface CallTime {
  /** The kernel: an opcode of native/executor/opcodes.h. */
  readonly kernel: string
  readonly shapes: readonly (readonly number[])[]
  /** Nanoseconds waiting for other threads before it, and working. */
  readonly waited: number
  readonly worked: number
}

/** Receives the calls of a replay in their order. */
export type Profile = (calls: readonly CallTime[]) => void

export interface Engine {
  readonly name: 'cpu' | 'wasm'
  /** Instruction set: `amx`, `avx512`, `avx2`, `neon`, `generic`, `simd128`, `relaxed`. */
  readonly isa: string
  readonly threads: number
  /** Zeroed memory at a cache line. Throws when there is none. */
  alloc(bytes: number): number
  release(address: number): void
  write(address: number, bytes: Uint8Array): void
  read(address: number, bytes: number): Uint8Array
  copy(to: number, from: number, bytes: number): void
  /** Canonical rows to the kernels' layout. */
  pack(dtype: number, to: number, from: number | Uint8Array, rows: number, cols: number): void
  /** And back. */
  unpack(dtype: number, to: number | Uint8Array, from: number, rows: number, cols: number): void
  /** Sizes that the matrix kernels decide; see native/linear/linear.h. */
  measure(what: 'packed' | 'kind' | 'activations' | 'linear' | 'matmul', ...numbers: number[]): number
  /** Runs a program once, now. */
  execute(words: Int32Array, scratch: number): void
  /** Keeps a program. `inputs` are address and bytes of each input, one after another. */
  compile(words: Int32Array, inputs: Float64Array, scratch: number): Compiled
  /** Copies the inputs (bytes, or addresses of other storage) and runs, off the calling thread when `away`. */
  replay(program: Compiled, away: boolean, inputs: readonly (Uint8Array | number)[]): void | Promise<void>
  /** Settles when everything that was started has finished. */
  settled(): void | Promise<void>
  /** A private view of a range of a file. */
  map?(path: string, offset: number, bytes: number): number
  /** Where times of kernel calls go; absent: nothing is timed. */
  readonly profile?: Profile | undefined
  /** Waited and worked nanoseconds of each call of a program's last replay, one after another. */
  times?(program: Compiled): readonly number[]
  stats(): { readonly bytes: number; readonly replays: number }
  dispose(): void
}
