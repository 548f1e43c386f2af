/** The backend contract over WebGPU. Eager calls gather in one command buffer, sent when somebody looks or it is long. */
import {
  type Backend,
  type Buf,
  byteLength,
  DeviceError,
  type Executable,
  format,
  type Kernel,
  type OpCall,
  type Program,
  type Spec,
} from '@cria/tensor'
import { compile } from './executable.js'
import { type Counters, Gpu, type GpuBuf, isNoOp } from './gpu.js'
import { type GpuKernel, kernelFor } from './kernels.js'
import { blockLayout, isSplit, type Shard, shardsOf, split, unsplit } from './layout.js'
import { patch } from './patch.js'
import { Readback } from './readback.js'

/** A tensor's storage that the core allocated. */
interface Owned extends GpuBuf {
  readonly spec: Spec
}

/** Bytes of a binding in which 32 bits index every element of every format. */
const largestBinding = 2 ** 30

/** Eager dispatches in one command buffer before it is sent. */
const batch = 128

export interface BackendOptions {
  readonly description: string
  /** Bytes of the largest storage binding to use. Default: what the device allows. */
  readonly bindingLimit?: number
}

export class WebGpuBackend implements Backend {
  readonly name = 'webgpu'
  readonly contract = 1
  readonly description: string
  readonly gpu: Gpu
  private readonly limit: number
  private readonly readback: Readback
  private encoder: GPUCommandEncoder | undefined
  private pass: GPUComputePassEncoder | undefined
  private pending = 0
  /** Freed while commands that use them wait to be sent. */
  private doomed: GPUBuffer[] = []

  constructor(device: GPUDevice, { description, bindingLimit }: BackendOptions) {
    this.gpu = new Gpu(device)
    this.description = description
    this.limit = Math.min(bindingLimit ?? largestBinding, largestBinding, device.limits.maxStorageBufferBindingSize)
    this.readback = new Readback(this.gpu)
  }

  get counters(): Counters {
    return this.gpu.counters
  }

  alloc(s: Spec): Owned {
    const shards = shardsOf(s, this.limit)
    const largest = Math.max(...shards.map(shard => shard.bytes))
    const { maxBufferSize } = this.gpu.device.limits
    if (largest > Math.min(maxBufferSize, this.gpu.device.limits.maxStorageBufferBindingSize)) {
      throw new DeviceError(
        `alloc: got ${format(s)} (${largest} bytes), expected at most ${this.limit} bytes in one buffer on this adapter. Use a smaller batch or context`,
        { op: 'alloc', got: largest, expected: this.limit },
      )
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    return { spec: s, shards, offset: 0, buffers: shards.map(shard => this.gpu.buffer(shard.bytes, usage)) }
  }

  free(buf: Buf): void {
    this.doomed.push(...(buf as Owned).buffers)
    if (this.encoder === undefined) this.flush()
  }

  /** Sends what eager calls have gathered. */
  flush(): void {
    if (this.encoder !== undefined) {
      this.pass?.end()
      this.gpu.submit(this.encoder)
      this.encoder = undefined
      this.pass = undefined
      this.pending = 0
    }
    for (const buffer of this.doomed.splice(0)) buffer.destroy()
  }

  write(buf: Buf, bytes: Uint8Array, at = 0): void {
    this.flush()
    const { spec, shards, buffers } = buf as Owned
    for (const { shard, index, from, to } of covered(spec, shards, at, bytes.byteLength)) {
      const part = bytes.subarray(from - at, to - at)
      this.writeShard(spec, shard, buffers[index]!, part, from - start(shard))
    }
  }

  private writeShard(s: Spec, shard: Shard, buffer: GPUBuffer, bytes: Uint8Array, at: number): void {
    const { queue } = this.gpu.device
    if (isSplit(s)) {
      const { quants, scales } = split(s, bytes)
      const row = at / (shard.canonical / shard.rows)
      const { blocksPerRow, quantWords, scalesAt } = blockLayout(s, shard.rows)
      queue.writeBuffer(buffer, row * blocksPerRow * quantWords * 4, plain(quants))
      queue.writeBuffer(buffer, scalesAt * 4 + row * Math.ceil(blocksPerRow / 2) * 4, plain(scales))
    } else if (at % 4 === 0 && (bytes.byteLength % 4 === 0 || at + bytes.byteLength === shard.canonical)) {
      // The last word may hold padding: nobody reads it.
      const whole = bytes.byteLength & ~3
      if (whole > 0) queue.writeBuffer(buffer, at, plain(bytes), 0, whole)
      if (whole < bytes.byteLength) {
        const tail = new Uint8Array(4)
        tail.set(bytes.subarray(whole))
        queue.writeBuffer(buffer, at + whole, tail)
      }
    } else patch(this.gpu, buffer, bytes, at)
  }

  async read(buf: Buf, at: number, bytes: number): Promise<Uint8Array> {
    this.flush()
    const { spec, shards, buffers, offset } = buf as Owned
    const out = new Uint8Array(bytes)
    const parts = covered(spec, shards, at, bytes).map(async ({ shard, index, from, to }) => {
      out.set(await this.readShard(spec, shard, buffers[index]!, offset, from - start(shard), to - from), from - at)
    })
    await Promise.all(parts)
    this.gpu.check('read')
    return out
  }

  private async readShard(
    s: Spec,
    shard: Shard,
    buffer: GPUBuffer,
    offset: number,
    at: number,
    bytes: number,
  ): Promise<Uint8Array> {
    if (!isSplit(s)) return this.readback.read(buffer, offset + at, bytes)
    const perRow = shard.canonical / shard.rows
    const [row, rows] = [Math.floor(at / perRow), Math.ceil((at + bytes) / perRow)]
    const { blocksPerRow, quantWords, scalesAt } = blockLayout(s, shard.rows)
    const [quantRow, scaleRow] = [blocksPerRow * quantWords * 4, Math.ceil(blocksPerRow / 2) * 4]
    const [quants, scales] = await Promise.all([
      this.readback.read(buffer, row * quantRow, (rows - row) * quantRow),
      this.readback.read(buffer, scalesAt * 4 + row * scaleRow, (rows - row) * scaleRow),
    ])
    return unsplit(s, quants, scales).subarray(at - row * perRow, at - row * perRow + bytes)
  }

  kernel(call: OpCall): Kernel | undefined {
    return kernelFor(call, this.limit)
  }

  run(kernel: Kernel, inputs: readonly Buf[], outputs: readonly Buf[]): void {
    const { call, dispatches } = kernel as GpuKernel
    if (dispatches.length === 0 || isNoOp(call, inputs as readonly GpuBuf[])) return
    const prepared = dispatches.map(d => this.gpu.prepare(d, inputs as readonly GpuBuf[], outputs as readonly GpuBuf[]))
    this.encoder ??= this.gpu.device.createCommandEncoder()
    this.pass ??= this.encoder.beginComputePass()
    this.gpu.encode(this.pass, prepared)
    this.pending += prepared.length
    if (this.pending >= batch) this.flush()
  }

  compile(program: Program): Executable {
    return compile(program, {
      gpu: this.gpu,
      limit: this.limit,
      flush: () => this.flush(),
      alloc: s => this.alloc(s),
      write: (buf, bytes) => this.write(buf, bytes),
    })
  }

  dispose(): void {
    this.flush()
    this.readback.dispose()
    this.gpu.device.destroy()
  }
}

/** WebGPU takes shared memory too; its types do not say so. */
const plain = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => bytes as Uint8Array<ArrayBuffer>

/** The canonical byte where a shard begins. */
const start = (shard: Shard): number => (shard.start === 0 ? 0 : (shard.canonical / shard.rows) * shard.start)

/** The parts of a canonical byte range that lie in each shard. */
function covered(
  s: Spec,
  shards: readonly Shard[],
  at: number,
  bytes: number,
): { shard: Shard; index: number; from: number; to: number }[] {
  if (at < 0 || at + bytes > byteLength(s)) {
    throw new DeviceError(
      `storage: got bytes ${at} … ${at + bytes}, expected within ${byteLength(s)} of ${format(s)}`,
      {
        op: 'storage',
      },
    )
  }
  return shards
    .map((shard, index) => {
      const first = start(shard)
      return { shard, index, from: Math.max(at, first), to: Math.min(at + bytes, first + shard.canonical) }
    })
    .filter(({ from, to }) => from < to)
}
