/** The native addon as an engine: finding it, and its calls. */
import { DeviceError, Unavailable } from '@cria/tensor'
import type { Compiled, Engine, Profile } from './engine.js'

/** What native/addon/addon.cpp exports. Addresses are numbers. */
interface Addon {
  create(isa: string, threads: number): object
  destroy(runtime: object): void
  describe(runtime: object): [isa: string, threads: number]
  stats(runtime: object): [bytes: number, replays: number]
  alloc(runtime: object, bytes: number): number
  release(runtime: object, address: number): void
  map(runtime: object, path: string, offset: number, bytes: number): number
  copy(runtime: object, to: number | Uint8Array, from: number | Uint8Array, bytes: number): void
  pack(
    runtime: object,
    back: number,
    dtype: number,
    to: number | Uint8Array,
    from: number | Uint8Array,
    rows: number,
    cols: number,
  ): void
  measure(runtime: object, what: string, ...numbers: number[]): number
  execute(runtime: object, words: Int32Array, scratch: number): void
  compile(runtime: object, words: Int32Array, inputs: Float64Array, scratch: number): object
  replay(program: object, away: boolean, inputs: readonly (Uint8Array | number)[]): undefined | Promise<void>
  times(program: object): number[]
}

export interface NativeOptions {
  /** Threads that compute. Default: the physical cores that this process may use. */
  readonly threads?: number
  /** Instruction set: `amx`, `avx512`, `avx2`, `neon` or `generic`. Default: the environment's CRIA_CPU_ISA, else the best. */
  readonly isa?: string
  /** Called after each replay of a plan with the time of every kernel call on the first thread. Default: nothing is timed. */
  readonly profile?: Profile
}

/** Where addons live, in the order in which they are tried. */
function candidates(): string[] {
  const { platform, arch } = process
  const libc = platform === 'linux' ? (isMusl() ? '-musl' : '-gnu') : platform === 'win32' ? '-msvc' : ''
  return [`@cria/kernels-cpu-${platform}-${arch}${libc}`, '../build/cria_cpu.node']
}

/** Node's report names the C library of glibc systems. */
function isMusl(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  return report?.header?.glibcVersionRuntime === undefined
}

/** What to do without an addon. */
export const remedy =
  'About twice as fast with it: install optional dependencies, or `npm run setup` in a clone of the repository, with a C++ compiler'

let loaded: Promise<Addon> | undefined

/** The addon, or a rejection that says what was tried and why it did not work. */
function addon(): Promise<Addon> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Addon> {
  if (typeof process === 'undefined' || process.versions?.node === undefined)
    throw new Unavailable('cpu', 'this is not Node', 'WebAssembly is used in browsers')
  // Not a literal: bundlers for browsers must not look for Node's modules.
  const builtin = 'node:module'
  const { createRequire } = (await import(/* @vite-ignore */ builtin)) as typeof import('node:module')
  const require = createRequire(import.meta.url)
  const reasons: string[] = []
  for (const name of candidates()) {
    try {
      return require(name) as Addon
    } catch (error) {
      // Being absent is the usual case and needs no details; anything else is a fault that has to be seen.
      if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') continue
      reasons.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
    }
  }
  loaded = undefined
  throw new Unavailable(
    'cpu',
    `no native addon for ${process.platform} ${process.arch}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}`,
    remedy,
  )
}

/** An engine on the native addon. @throws Unavailable with the reason. */
export async function nativeEngine({ threads, isa, profile }: NativeOptions = {}): Promise<Engine> {
  const native = await addon()
  const wanted = isa ?? process.env.CRIA_CPU_ISA ?? ''
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1 || threads > 1024))
    throw new Unavailable(
      'cpu',
      `got threads ${threads}, expected a whole number from 1 to 1024`,
      'Leave it out for one thread a core',
    )
  let runtime: object
  try {
    runtime = native.create(wanted, threads ?? 0)
  } catch (error) {
    const names = error instanceof Error ? error.message : ''
    throw new Unavailable(
      'cpu',
      `got instruction set ${wanted}, expected one of ${names}`,
      'Unset CRIA_CPU_ISA for the best one',
    )
  }
  const [name, count] = native.describe(runtime)
  return new NativeEngine(native, runtime, name, count, profile)
}

class NativeEngine implements Engine {
  readonly name = 'cpu'
  private last: Promise<void> | undefined

  constructor(
    private readonly native: Addon,
    private readonly runtime: object,
    readonly isa: string,
    readonly threads: number,
    readonly profile: Profile | undefined,
  ) {}

  alloc(bytes: number): number {
    const address = this.native.alloc(this.runtime, bytes)
    if (address === 0)
      throw new DeviceError(`cpu: got no memory for ${bytes} bytes. Free tensors, or use a smaller model or cache`)
    return address
  }
  release(address: number): void {
    this.native.release(this.runtime, address)
  }
  write(address: number, bytes: Uint8Array): void {
    this.native.copy(this.runtime, address, bytes, bytes.byteLength)
  }
  read(address: number, bytes: number): Uint8Array {
    const out = new Uint8Array(bytes)
    this.native.copy(this.runtime, out, address, bytes)
    return out
  }
  copy(to: number, from: number, bytes: number): void {
    this.native.copy(this.runtime, to, from, bytes)
  }
  pack(dtype: number, to: number, from: number | Uint8Array, rows: number, cols: number): void {
    this.native.pack(this.runtime, 0, dtype, to, from, rows, cols)
  }
  unpack(dtype: number, to: number | Uint8Array, from: number, rows: number, cols: number): void {
    this.native.pack(this.runtime, 1, dtype, to, from, rows, cols)
  }
  measure(what: string, ...numbers: number[]): number {
    return this.native.measure(this.runtime, what, ...numbers)
  }
  execute(words: Int32Array, scratch: number): void {
    this.native.execute(this.runtime, words, scratch)
  }
  compile(words: Int32Array, inputs: Float64Array, scratch: number): Compiled {
    return this.native.compile(this.runtime, words, inputs, scratch)
  }
  replay(program: Compiled, away: boolean, inputs: readonly (Uint8Array | number)[]): void | Promise<void> {
    const pending = this.native.replay(program, away, inputs)
    if (pending !== undefined) this.last = pending
    return pending
  }
  settled(): void | Promise<void> {
    const { last } = this
    this.last = undefined
    return last
  }
  times(program: Compiled): readonly number[] {
    return this.native.times(program)
  }
  map(path: string, offset: number, bytes: number): number {
    try {
      return this.native.map(this.runtime, path, offset, bytes)
    } catch (error) {
      throw new DeviceError(
        `load: got ${path} at ${offset} for ${bytes} bytes, expected a readable range (${error instanceof Error ? error.message : error}). Check that the file is complete`,
      )
    }
  }
  stats(): { bytes: number; replays: number } {
    const [bytes, replays] = this.native.stats(this.runtime)
    return { bytes, replays }
  }
  dispose(): void {
    this.native.destroy(this.runtime)
  }
}
