/** The backend over an engine: storage, eager calls and plans. The same for the native addon and for WebAssembly. */
import {
  type Backend,
  type Buf,
  byteLength,
  type Executable,
  isBlock,
  isFloat,
  type Program,
  type Spec,
} from '@cria/tensor'
import type { CallTime, Compiled, Engine } from './engine.js'
import { kernelFor } from './kernels/index.js'
import {
  type Assembled,
  assemble,
  type CpuKernel,
  Lowering,
  type OpenSlot,
  type Place,
  patch,
  type Step,
} from './lowering.js'
import { narrowed } from './narrow.js'
import { CpuBuf, type Form, Storage, stored } from './storage.js'

/** Plans that take longer than this (rough nanoseconds of AVX-512) leave the event loop; WebAssembly takes several times as long. */
const awayAbove = { cpu: 2e6, wasm: 5e5 }

export function engineBackend(engine: Engine, description: string): Backend {
  const storage = new Storage(engine)
  const eager = new Eager(engine, storage)
  const assembler = new Assembler(engine)
  return {
    name: engine.name,
    contract: 1,
    description,
    alloc: s => storage.alloc(s),
    free: buf => storage.free(buf as CpuBuf),
    write: (buf, bytes, at = 0) => storage.write(buf as CpuBuf, bytes, at),
    async read(buf, at, bytes) {
      await engine.settled()
      return storage.read(buf as CpuBuf, at, bytes)
    },
    ...(engine.map && {
      load: (s: Spec, { path, offset, bytes }: { path: string; offset: number; bytes: number }) =>
        storage.adopt(s, aligned(engine, s, engine.map!(path, offset, bytes), bytes)),
    }),
    kernel: kernelFor,
    run: (kernel, inputs, outputs) => eager.run(kernel as CpuKernel, inputs as CpuBuf[], outputs as CpuBuf[]),
    compile: program => new CpuExecutable(engine, storage, assembler, program),
    dispose() {
      eager.dispose()
      engine.dispose()
    },
  }
}

/** Kernels read dense rows as numbers of their width: a tensor at an odd place in its file is copied. */
function aligned(engine: Engine, s: Spec, mapped: number, bytes: number): number {
  if (isBlock(s.dtype) || mapped % 4 === 0 || byteLength({ dtype: s.dtype, shape: [] }) === 1) return mapped
  const copy = engine.alloc(bytes)
  engine.copy(copy, mapped, bytes)
  engine.release(mapped)
  return copy
}

/** One call at a time: its words are kept with the kernel and only the addresses change. */
class Eager {
  private workspace = 0
  private workspaceBytes = 0
  private readonly templates = new WeakMap<CpuKernel, Map<string, Assembled>>()

  constructor(
    private readonly engine: Engine,
    private readonly storage: Storage,
  ) {}

  run(kernel: CpuKernel, inputs: readonly CpuBuf[], outputs: readonly CpuBuf[]): void {
    const bufs = [...inputs, ...outputs]
    const forms = bufs.map((b, i) =>
      kernel.mutates.includes(i) && !isBlock(b.spec.dtype) ? 'rows' : formFor(kernel, b, i, this.storage),
    )
    const template = this.template(kernel, bufs, forms, inputs.length)
    if (template.arenaBytes > this.workspaceBytes) {
      if (this.workspaceBytes > 0) this.engine.release(this.workspace)
      this.workspace = this.engine.alloc(template.arenaBytes)
      this.workspaceBytes = template.arenaBytes
    }
    patch(template, slot =>
      slot < bufs.length ? this.storage.address(bufs[slot]!, forms[slot]!) : this.workspace + template.offsets[slot]!,
    )
    this.engine.execute(template.words, template.scratch)
    for (const i of kernel.mutates) this.storage.changed(bufs[i]!)
  }

  private template(kernel: CpuKernel, bufs: readonly CpuBuf[], forms: readonly Form[], inputs: number): Assembled {
    let known = this.templates.get(kernel)
    if (known === undefined) this.templates.set(kernel, (known = new Map()))
    const key = forms.join()
    let template = known.get(key)
    if (template === undefined) {
      const slots: OpenSlot[] = bufs.map(b => ({ spec: b.spec, kind: 'bound' }))
      const to = new Lowering(this.engine, slots)
      const places = kernel.specs.map((spec, slot): Place => ({ slot, spec, packed: forms[slot] === 'packed' }))
      kernel.lower(to, places.slice(0, inputs), places.slice(inputs))
      template = assemble(slots, to.steps, [], [], this.engine.threads)
      known.set(key, template)
    }
    return template
  }

  dispose(): void {
    if (this.workspaceBytes > 0) this.engine.release(this.workspace)
    this.workspaceBytes = 0
  }
}

/** Only `linear`, `embedding` and `dequantize` take packed weights. */
const takesPacked = (op: string, position: number): boolean =>
  (op === 'linear' && position === 1) ||
  (op === 'embedding' && position === 1) ||
  (op === 'dequantize' && position === 0)

function formFor(kernel: CpuKernel, buf: CpuBuf, position: number, storage: Storage): Form {
  const current = storage.current(buf)
  if (isBlock(buf.spec.dtype)) return current
  return current === 'packed' && !takesPacked(kernel.name, position) ? 'rows' : current
}

interface AssembledProgram extends Assembled {
  readonly steps: readonly Step[]
}

/** Lowers and assembles programs. Those that differ in bound storage alone share their calls, and so their words. */
class Assembler {
  private readonly known = new WeakMap<Program['calls'], Map<string, AssembledProgram>>()

  constructor(private readonly engine: Engine) {}

  of(program: Program, forms: readonly Form[]): AssembledProgram {
    let byForm = this.known.get(program.calls)
    if (byForm === undefined) this.known.set(program.calls, (byForm = new Map()))
    const key = forms.join()
    let made = byForm.get(key)
    if (made === undefined) byForm.set(key, (made = this.assemble(program, forms)))
    return made
  }

  private assemble({ slots: given, calls, inputs, outputs }: Program, forms: readonly Form[]): AssembledProgram {
    const slots: OpenSlot[] = given.map(s => ({ spec: s.spec, kind: s.kind }))
    const to = new Lowering(this.engine, slots)
    for (const call of calls) {
      const place = ({ slot, spec }: { slot: number; spec: Spec }): Place => ({
        slot,
        spec: stored(spec),
        packed: forms[slot] === 'packed',
      })
      ;(call.kernel as CpuKernel).lower(to, call.inputs.map(place), call.outputs.map(place))
    }
    const { threads, profile } = this.engine
    const results = outputs.map(o => o.slot)
    const steps = narrowed(slots, to.steps, results)
    return {
      ...assemble(slots, steps, inputs, results, threads, profile !== undefined),
      steps: profile === undefined ? [] : steps,
    }
  }
}

class CpuExecutable implements Executable {
  readonly bytes: number
  private readonly arena: number
  private readonly compiled: Compiled
  private readonly away: boolean
  private readonly bound: readonly { buf: CpuBuf; form: Form }[]
  private readonly changes: readonly CpuBuf[]
  private readonly repacked: readonly CpuBuf[]
  private readonly offsets: readonly (number | undefined)[]
  /** What the program does, for a profile alone. */
  private readonly steps: readonly Step[]

  constructor(
    private readonly engine: Engine,
    private readonly storage: Storage,
    assembler: Assembler,
    private readonly program: Program,
  ) {
    const forms = chooseForms(program, storage)
    const made = assembler.of(program, forms)
    const changes = new Set<CpuBuf>()
    for (const call of program.calls) {
      for (const i of call.mutates) {
        const { buf } = program.slots[call.inputs[i]!.slot]!
        if (buf !== undefined) changes.add(buf as CpuBuf)
      }
    }
    this.steps = made.steps
    this.offsets = made.offsets
    this.bytes = made.arenaBytes
    this.arena = engine.alloc(made.arenaBytes)
    this.bound = program.slots.flatMap((s, i) =>
      s.kind === 'bound' ? [{ buf: s.buf as CpuBuf, form: forms[i]! }] : [],
    )
    for (const { buf, form } of this.bound) {
      storage.pin(buf, form)
      storage.address(buf, form)
    }
    patch(made, slot => {
      const offset = made.offsets[slot]
      return offset === undefined
        ? storage.address(program.slots[slot]!.buf as CpuBuf, forms[slot]!)
        : this.arena + offset
    })
    const inputs = program.inputs.flatMap(slot => [
      this.arena + made.offsets[slot]!,
      byteLength(program.slots[slot]!.spec),
    ])
    this.compiled = engine.compile(made.words, Float64Array.from(inputs), made.scratch)
    this.changes = [...changes]
    this.repacked = this.bound.filter(b => b.form === 'packed' && !isBlock(b.buf.spec.dtype)).map(b => b.buf)
    this.away = made.cost / engine.threads > awayAbove[engine.name]
  }

  run(inputs: readonly (Uint8Array | Buf)[]): void | Promise<void> {
    // A dense weight that was changed since is packed again.
    for (const buf of this.repacked) if (buf.packedVersion !== buf.version) this.storage.packed(buf)
    const given = inputs.map(x => (x instanceof Uint8Array ? x : this.storage.rows(x as CpuBuf)))
    for (const buf of this.changes) this.storage.changed(buf)
    const pending = this.engine.replay(this.compiled, this.away, given)
    const { profile } = this.engine
    if (profile === undefined) return pending
    if (pending === undefined) return profile(this.times())
    return pending.then(() => profile(this.times()))
  }

  private times(): CallTime[] {
    const times = this.engine.times?.(this.compiled) ?? []
    return this.steps.map(({ opcode, operands }, i) => ({
      kernel: opcode,
      shapes: operands.map(o => o.spec.shape),
      waited: times[2 * i] ?? 0,
      worked: times[2 * i + 1] ?? 0,
    }))
  }

  output(i: number): Buf {
    const { slot, spec } = this.program.outputs[i]!
    const offset = this.offsets[slot]
    if (offset === undefined) return this.program.slots[slot]!.buf!
    const buf = new CpuBuf(spec, true)
    buf.at.rows = this.arena + offset
    return buf
  }

  dispose(): void {
    this.engine.release(this.arena)
    for (const { buf, form } of this.bound) this.storage.unpin(buf, form)
  }
}

/**
 * The form of every bound slot. A dense matrix is packed where every use takes it packed, at least one is `linear`, and
 * nothing here changes it; block formats are what they are.
 */
function chooseForms(program: Program, storage: Storage): Form[] {
  const linear = new Set<number>()
  const rows = new Set<number>(program.outputs.map(o => o.slot))
  for (const { op, inputs, mutates } of program.calls) {
    inputs.forEach(({ slot, spec }, i) => {
      if (op === 'linear' && i === 1) linear.add(slot)
      if (mutates.includes(i) || !takesPacked(op, i) || spec.shape.length !== 2) rows.add(slot)
    })
  }
  return program.slots.map((s, i) => {
    if (s.kind !== 'bound') return 'rows'
    const buf = s.buf as CpuBuf
    if (isBlock(buf.spec.dtype)) return storage.current(buf)
    const whole = buf.spec.shape.length === 2 && isFloat(buf.spec.dtype) && !buf.borrowed
    return whole && linear.has(i) && !rows.has(i) ? 'packed' : 'rows'
  })
}
