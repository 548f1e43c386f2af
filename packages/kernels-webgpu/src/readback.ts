/** From GPU buffers to JavaScript: one mapped staging buffer a read, kept for the next one. */
import type { Gpu } from './gpu.js'

/** Staging buffers up to this size are kept. */
const keepBytes = 1 << 20

export class Readback {
  private idle: GPUBuffer[] = []

  constructor(private readonly gpu: Gpu) {}

  /** Copies a byte range, widened to whole words for the GPU. */
  async read(buffer: GPUBuffer, at: number, bytes: number): Promise<Uint8Array> {
    if (bytes === 0) return new Uint8Array(0)
    const from = at & ~3
    const size = ((at + bytes + 3) & ~3) - from
    const staging = this.take(size)
    const encoder = this.gpu.device.createCommandEncoder()
    encoder.copyBufferToBuffer(buffer, from, staging, 0, size)
    this.gpu.submit(encoder)
    this.gpu.counters.reads++
    await staging.mapAsync(GPUMapMode.READ, 0, size)
    const out = new Uint8Array(staging.getMappedRange(0, size)).slice(at - from, at - from + bytes)
    staging.unmap()
    if (staging.size <= keepBytes && this.idle.length < 4) this.idle.push(staging)
    else staging.destroy()
    return out
  }

  private take(size: number): GPUBuffer {
    const index = this.idle.findIndex(b => b.size >= size)
    if (index >= 0) return this.idle.splice(index, 1)[0]!
    const rounded = 2 ** Math.ceil(Math.log2(Math.max(size, 256)))
    return this.gpu.buffer(size <= keepBytes ? rounded : size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST)
  }

  dispose(): void {
    for (const buffer of this.idle.splice(0)) buffer.destroy()
  }
}
