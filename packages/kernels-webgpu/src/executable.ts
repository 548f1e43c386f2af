/**
 * A program as WebGPU replays it: pipelines and bind groups made here, once; a run is one upload of all inputs, one
 * compute pass and one submit. Temporaries are whole buffers, reused when their lifetimes allow: a buffer must not be
 * read and written by one dispatch, so offsets into a common arena are no option.
 */
import { type Buf, byteLength, type Executable, isBlock, type Program, type Slot, type Spec } from '@cria/tensor'
import { type Gpu, type GpuBuf, isNoOp, type Prepared } from './gpu.js'
import type { GpuKernel } from './kernels.js'
import { type Shard, shardsOf } from './layout.js'

export interface Host {
  readonly gpu: Gpu
  readonly limit: number
  /** Sends eager work that waits, so that it comes before the run. */
  flush(): void
  alloc(s: Spec): GpuBuf
  write(buf: GpuBuf, bytes: Uint8Array): void
}

const align = 256
const roundUp = (n: number): number => Math.ceil(n / align) * align
const usage = (): number => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST

/** A tensor in a piece of a shared buffer. */
const view = (buffer: GPUBuffer, s: Spec, limit: number, offset = 0): GpuBuf & { spec: Spec } => ({
  buffers: [buffer],
  offset,
  spec: s,
  shards: shardsOf(s, limit).slice(0, 1) as readonly Shard[],
})

export function compile(program: Program, host: Host): Executable {
  const { gpu } = host
  const made: GPUBuffer[] = []
  const storage = new Array<GpuBuf | undefined>(program.slots.length)
  const own = (bytes: number): GPUBuffer => {
    const buffer = gpu.buffer(bytes, usage())
    made.push(buffer)
    return buffer
  }
  const uploads = placeInputs(program, host, own, storage)
  placeTemps(program, host, own, storage)
  const at = (slot: number): GpuBuf => storage[slot]!
  const prepared: Prepared[] = program.calls.flatMap(({ op, kernel, inputs, outputs, mutates }) => {
    const from = inputs.map(o => at(o.slot))
    const to = outputs.map(o => at(o.slot))
    if (isNoOp({ op, mutates }, from)) return []
    return (kernel as GpuKernel).dispatches.map(d => gpu.prepare(d, from, to))
  })
  const bytes = made.reduce((total, b) => total + b.size, 0)
  return {
    bytes,
    run(values) {
      host.flush()
      gpu.check('run')
      const copies = uploads.stage(values)
      const encoder = gpu.device.createCommandEncoder()
      for (const c of copies) encoder.copyBufferToBuffer(c.from, c.start, c.to, c.offset, c.bytes)
      const pass = encoder.beginComputePass()
      gpu.encode(pass, prepared)
      pass.end()
      gpu.submit(encoder)
    },
    output(i): Buf {
      const { slot, spec } = program.outputs[i]!
      const buf = at(slot)
      return program.slots[slot]!.kind === 'bound' ? buf : { ...buf, spec }
    },
    dispose() {
      host.flush()
      for (const buffer of made) buffer.destroy()
    },
  }
}

interface Copy {
  readonly from: GPUBuffer
  readonly start: number
  readonly to: GPUBuffer
  readonly offset: number
  readonly bytes: number
}

interface Uploads {
  /** Uploads bytes and names the copies of tensors that the run begins with. */
  stage(values: readonly (Uint8Array | Buf)[]): readonly Copy[]
}

/**
 * All inputs share one buffer and one upload; an input that the program changes, or that is too large to copy twice, has
 * a buffer of its own.
 */
function placeInputs(
  program: Program,
  { gpu, limit, alloc, write }: Host,
  own: (bytes: number) => GPUBuffer,
  storage: (GpuBuf | undefined)[],
): Uploads {
  const changed = new Set(program.calls.flatMap(c => c.mutates.map(i => c.inputs[i]!.slot)))
  const offsets = new Map<number, number>()
  let total = 0
  for (const slot of program.inputs) {
    const { spec } = program.slots[slot]!
    const shards = shardsOf(spec, limit)
    if (changed.has(slot) || isBlock(spec.dtype) || shards.length > 1 || total + shards[0]!.bytes > limit) {
      if (shards[0]!.bytes > limit) alloc(spec) // Throws the typed error that says how large.
      storage[slot] = { buffers: shards.map(shard => own(shard.bytes)), shards, offset: 0, spec } as GpuBuf
      continue
    }
    offsets.set(slot, total)
    total += roundUp(shards[0]!.bytes)
  }
  const shared = total > 0 ? own(total) : undefined
  const staging = new Uint8Array(total)
  for (const [slot, offset] of offsets) storage[slot] = view(shared!, program.slots[slot]!.spec, limit, offset)

  const asides = new Map<number, GPUBuffer>()
  /** An input of this plan handed back to it: WebGPU copies within a buffer only by way of another one. */
  const setAside = (slot: number, { offset }: GpuBuf, bytes: number): GPUBuffer => {
    const aside = asides.get(slot) ?? own(roundUp(bytes))
    asides.set(slot, aside)
    const encoder = gpu.device.createCommandEncoder()
    encoder.copyBufferToBuffer(shared!, offset, aside, 0, bytes)
    gpu.submit(encoder)
    return aside
  }

  return {
    stage(values) {
      const copies: Copy[] = []
      let upload = false
      program.inputs.forEach((slot, i) => {
        const value = values[i]!
        const target = storage[slot]!
        const offset = offsets.get(slot)
        if (value instanceof Uint8Array) {
          if (offset === undefined) write(target, value)
          else {
            staging.set(value, offset)
            upload = true
          }
          return
        }
        const given = value as GpuBuf
        given.buffers.forEach((from, k) => {
          const [to, { bytes }] = [target.buffers[k]!, target.shards[k]!]
          if (from === shared)
            copies.push({ from: setAside(slot, given, bytes), start: 0, to, offset: offset ?? 0, bytes })
          else if (from !== to) copies.push({ from, start: given.offset, to, offset: offset ?? 0, bytes })
        })
      })
      if (upload) gpu.device.queue.writeBuffer(shared!, 0, staging)
      return copies
    },
  }
}

/** Temporaries in the order of their first use, each in the smallest free buffer that is not far too large. */
function placeTemps(
  program: Program,
  { limit, alloc }: Host,
  own: (bytes: number) => GPUBuffer,
  storage: (GpuBuf | undefined)[],
): void {
  const kept = new Set(program.outputs.map(o => o.slot))
  const free: GPUBuffer[] = []
  const ending = new Map<number, GPUBuffer[]>()
  const starting = new Map<number, number[]>()
  program.slots.forEach((slot: Slot, index) => {
    if (slot.kind === 'bound') storage[index] = slot.buf as GpuBuf
    else if (slot.kind === 'temp') starting.set(slot.first, [...(starting.get(slot.first) ?? []), index])
  })
  for (let call = 0; call <= program.calls.length; call++) {
    for (const index of starting.get(call) ?? []) {
      const { spec, last } = program.slots[index]!
      const [shard] = shardsOf(spec, limit)
      // A temporary never spans buffers: its kernels write it whole.
      const bytes = roundUp(Math.max(shard!.bytes, byteLength(spec)))
      const best = free.filter(b => b.size >= bytes && b.size <= 2 * bytes).sort((a, b) => a.size - b.size)[0]
      if (best !== undefined) free.splice(free.indexOf(best), 1)
      else if (bytes > limit) alloc(spec) // Throws the typed error that says how large.
      const buffer = best ?? own(bytes)
      storage[index] = view(buffer, spec, limit)
      if (!kept.has(index)) ending.set(last, [...(ending.get(last) ?? []), buffer])
    }
    free.push(...(ending.get(call) ?? []))
  }
}
