/** A WebAssembly module as an engine: relaxed SIMD where it validates, threads where memory can be shared. */
import { Unavailable } from '@cria/tensor'
import { Allocator } from './allocator.js'
import type { Compiled, Engine } from './engine.js'
import { canShare, inNode, maySleep, startWorker, type Thread } from './wasm-workers.js'

export interface WasmOptions {
  /** Threads that compute, at most those of the machine. Default: half of `hardwareConcurrency` (cores, not hyperthreads). */
  readonly threads?: number
  /** `relaxed` or `simd128`. Default: `relaxed` where it validates. */
  readonly isa?: 'relaxed' | 'simd128'
}

/** What native/wasm/module.cpp exports. */
interface Exports {
  readonly __heap_base: WebAssembly.Global
  readonly __stack_pointer: WebAssembly.Global
  pool_bytes(): number
  pool_init(pool: number, threads: number, maySleep: number): void
  pool_run(pool: number, words: number, n: number, scratch: number): void
  pool_send(pool: number, words: number, n: number, scratch: number): void
  pool_stop(pool: number): void
  pack(back: number, dtype: number, to: number, from: number, rows: number, cols: number): void
  measure_packed(...numbers: number[]): number
  measure_kind(...numbers: number[]): number
  measure_activations(...numbers: number[]): number
  measure_linear(...numbers: number[]): number
  measure_matmul(): number
}

/** Literal URLs, so that bundlers find the files. */
const urls = {
  simd128: () => new URL('../build/cria-simd128.wasm', import.meta.url),
  'simd128-threads': () => new URL('../build/cria-simd128-threads.wasm', import.meta.url),
  relaxed: () => new URL('../build/cria-relaxed.wasm', import.meta.url),
  'relaxed-threads': () => new URL('../build/cria-relaxed-threads.wasm', import.meta.url),
}

async function bytesOf(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (url.protocol === 'file:') {
      const builtin = 'node:fs/promises'
      const { readFile } = (await import(/* @vite-ignore */ builtin)) as typeof import('node:fs/promises')
      return new Uint8Array(await readFile(url))
    }
    const response = await fetch(url)
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    throw new Unavailable(
      'wasm',
      `the module ${url.href} cannot be read (${cause instanceof Error ? cause.message : cause})`,
      'In a clone run `pnpm --filter @cria/kernels-cpu build:wasm`; in a bundle let it copy files of `new URL`',
      { cause },
    )
  }
}

const stackBytes = 131072

/** An engine on WebAssembly. @throws Unavailable with the reason. */
export async function wasmEngine({ threads, isa }: WasmOptions = {}): Promise<Engine> {
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1 || threads > 256))
    throw new Unavailable(
      'wasm',
      `got threads ${threads}, expected a whole number from 1 to 256`,
      'Leave it out for one a core',
    )
  const shared = canShare()
  const suffix = shared ? '-threads' : ''
  let name = isa ?? 'relaxed'
  let bytes = await bytesOf(urls[`${name}${suffix}` as keyof typeof urls]())
  if (!WebAssembly.validate(bytes)) {
    if (isa === 'relaxed')
      throw new Unavailable(
        'wasm',
        'this engine has no relaxed SIMD',
        inNode ? 'Use Node 22, or --experimental-wasm-relaxed-simd' : 'Use isa simd128',
      )
    name = 'simd128'
    bytes = await bytesOf(urls[`${name}${suffix}` as keyof typeof urls]())
    if (!WebAssembly.validate(bytes))
      throw new Unavailable('wasm', 'this engine has no WebAssembly SIMD', 'Use a newer browser or Node')
  }
  const module = await WebAssembly.compile(bytes)
  const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536, shared })
  let engine: WasmEngine | undefined
  const imports = { env: { memory, finished: () => {} } }
  const exports = (await WebAssembly.instantiate(module, imports)).exports as unknown as Exports
  const cores = inNode
    ? await nodeCores()
    : Math.max(1, Math.floor((globalThis.navigator?.hardwareConcurrency ?? 2) / 2))
  const count = shared ? (threads ?? cores) : 1
  const allocator = new Allocator(memory, exports.__heap_base.value as number)
  const pool = allocator.alloc(exports.pool_bytes())
  exports.pool_init(pool, count, maySleep() ? 1 : 0)
  const crew: Thread[] = []
  for (let thread = 0; shared && thread < count; thread++) {
    const stack = allocator.alloc(stackBytes) + stackBytes
    crew.push(await startWorker({ module, memory, pool, thread, stack }, () => engine?.finish()))
  }
  engine = new WasmEngine(name, count, exports, memory, allocator, pool, crew)
  return engine
}

async function nodeCores(): Promise<number> {
  const builtin = 'node:os'
  const { availableParallelism } = (await import(/* @vite-ignore */ builtin)) as typeof import('node:os')
  return availableParallelism()
}

interface Program extends Compiled {
  readonly words: number
  readonly length: number
  readonly inputs: Float64Array
}

class WasmEngine implements Engine {
  readonly name = 'wasm'
  private scratch = 0
  private scratchBytes = 0
  private staging = 0
  private stagingBytes = 0
  private replays = 0
  private sent = 0
  private readonly waiting: (() => void)[] = []
  private last: Promise<void> | undefined
  /** Programs whose owner is gone without a word. */
  private readonly programs = new FinalizationRegistry<number>(words => this.allocator.release(words))

  constructor(
    readonly isa: string,
    readonly threads: number,
    private readonly exports: Exports,
    private readonly memory: WebAssembly.Memory,
    private readonly allocator: Allocator,
    private readonly pool: number,
    private readonly crew: readonly Thread[],
  ) {}

  private view(address: number, bytes: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, bytes)
  }

  /** Waits, on this thread, until work that left it has finished. */
  private settle(): void {
    if (this.crew.length === 0) return
    const done = new Int32Array(this.memory.buffer, this.pool, 1)
    for (let seen = Atomics.load(done, 0); seen !== this.sent; seen = Atomics.load(done, 0)) {
      if (maySleep()) Atomics.wait(done, 0, seen)
    }
  }

  /** A job that left the event loop is done. */
  finish(): void {
    this.waiting.shift()?.()
    if (this.waiting.length === 0) this.crew[0]?.hold(false)
  }

  alloc(bytes: number): number {
    return this.allocator.alloc(bytes)
  }
  release(address: number): void {
    this.settle()
    this.allocator.release(address)
  }
  write(address: number, bytes: Uint8Array): void {
    this.settle()
    this.view(address, bytes.byteLength).set(bytes)
  }
  read(address: number, bytes: number): Uint8Array {
    this.settle()
    return new Uint8Array(this.view(address, bytes))
  }
  copy(to: number, from: number, bytes: number): void {
    this.settle()
    this.view(to, bytes).set(this.view(from, bytes))
  }

  pack(dtype: number, to: number, from: number | Uint8Array, rows: number, cols: number): void {
    this.settle()
    if (typeof from === 'number') {
      this.exports.pack(0, dtype, to, from, rows, cols)
      return
    }
    this.staged(from.byteLength, at => {
      this.view(at, from.byteLength).set(from)
      this.exports.pack(0, dtype, to, at, rows, cols)
    })
  }
  unpack(dtype: number, to: number | Uint8Array, from: number, rows: number, cols: number): void {
    this.settle()
    if (typeof to === 'number') {
      this.exports.pack(1, dtype, to, from, rows, cols)
      return
    }
    this.staged(to.byteLength, at => {
      this.exports.pack(1, dtype, at, from, rows, cols)
      to.set(this.view(at, to.byteLength))
    })
  }
  private staged(bytes: number, use: (at: number) => void): void {
    const at = this.allocator.alloc(bytes)
    try {
      use(at)
    } finally {
      this.allocator.release(at)
    }
  }

  measure(what: 'packed' | 'kind' | 'activations' | 'linear' | 'matmul', ...numbers: number[]): number {
    return this.exports[`measure_${what}`](...numbers) >>> 0
  }

  private reserve(bytes: number): void {
    if (bytes <= this.scratchBytes) return
    this.settle()
    if (this.scratchBytes > 0) this.allocator.release(this.scratch)
    this.scratch = this.allocator.alloc(bytes * this.threads)
    this.scratchBytes = bytes
  }

  execute(words: Int32Array, scratch: number): void {
    this.reserve(scratch)
    this.settle()
    if (words.byteLength > this.stagingBytes) {
      if (this.stagingBytes > 0) this.allocator.release(this.staging)
      this.staging = this.allocator.alloc(words.byteLength)
      this.stagingBytes = words.byteLength
    }
    new Int32Array(this.memory.buffer, this.staging, words.length).set(words)
    this.exports.pool_run(this.pool, this.staging, words.length, this.scratch)
  }

  compile(words: Int32Array, inputs: Float64Array, scratch: number): Compiled {
    this.reserve(scratch)
    const at = this.allocator.alloc(words.byteLength)
    new Int32Array(this.memory.buffer, at, words.length).set(words)
    const program: Program = { words: at, length: words.length, inputs }
    this.programs.register(program, at)
    return program
  }

  replay(compiled: Compiled, away: boolean, inputs: readonly (Uint8Array | number)[]): void | Promise<void> {
    const { words, length, inputs: places } = compiled as Program
    this.settle()
    inputs.forEach((value, i) => {
      const target = this.view(places[2 * i]!, places[2 * i + 1]!)
      target.set(typeof value === 'number' ? this.view(value, target.byteLength) : value)
    })
    this.replays++
    if (!away || this.crew.length === 0) {
      this.exports.pool_run(this.pool, words, length, this.scratch)
      return
    }
    this.sent++
    this.crew[0]!.hold(true)
    this.last = new Promise(resolve => this.waiting.push(resolve))
    this.exports.pool_send(this.pool, words, length, this.scratch)
    return this.last
  }

  settled(): void | Promise<void> {
    const { last } = this
    this.last = undefined
    return last
  }

  stats(): { bytes: number; replays: number } {
    return { bytes: this.allocator.live, replays: this.replays }
  }

  dispose(): void {
    this.settle()
    this.exports.pool_stop(this.pool)
    for (const thread of this.crew) thread.stop()
  }
}
