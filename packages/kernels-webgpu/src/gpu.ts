/** Between kernels and WebGPU: pipelines by their text, bind groups, and the counters that tests hold to budgets. */
import { DeviceError, type OpCall } from '@cria/tensor'
import type { Shard } from './layout.js'
import { type Dispatch, metaWords } from './wgsl/template.js'

/** What this backend did so far. */
export interface Counters {
  /** Compute dispatches encoded. */
  dispatches: number
  /** Command buffers submitted. */
  submits: number
  bindGroups: number
  pipelines: number
  /** Buffers created. */
  buffers: number
  /** Reads mapped back to JavaScript. */
  reads: number
}

/** Storage of one tensor: a buffer for each shard. */
export interface GpuBuf {
  readonly buffers: readonly GPUBuffer[]
  readonly shards: readonly Shard[]
  /** Where the tensor begins in its buffer; other than 0 only for the inputs of a plan. */
  readonly offset: number
}

/**
 * Whether a call would read a buffer that it also writes, which WebGPU forbids. Writing a tensor onto itself changes
 * nothing, so `assign` has nothing to do; for other effects it is a mistake.
 */
export function isNoOp({ op, mutates }: Pick<OpCall, 'op' | 'mutates'>, inputs: readonly GpuBuf[]): boolean {
  const clash = mutates.some(i => inputs.some((buf, j) => i !== j && buf.buffers[0] === inputs[i]!.buffers[0]))
  if (clash && op !== 'assign') {
    throw new DeviceError(`${op}: got one tensor to read and to change, expected two. Copy it first: add(x, 0)`, { op })
  }
  return clash
}

/** A dispatch with everything that encoding needs. */
export interface Prepared {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly groups: readonly [number, number, number]
}

export class Gpu {
  readonly counters: Counters = { dispatches: 0, submits: 0, bindGroups: 0, pipelines: 0, buffers: 0, reads: 0 }
  private readonly pipelines = new Map<string, GPUComputePipeline>()
  private readonly metas = new WeakMap<Dispatch, GPUBuffer>()
  private failure: string | undefined

  constructor(readonly device: GPUDevice) {
    device.addEventListener('uncapturederror', event => {
      this.failure ??= (event as GPUUncapturedErrorEvent).error.message
    })
    void device.lost.then(info => {
      if (info.reason !== 'destroyed') this.failure ??= `device lost: ${info.message}`
    })
  }

  /** Throws what the GPU reported since it began, as one typed error. */
  check(use: string): void {
    if (this.failure !== undefined)
      throw new DeviceError(`${use}: got an error from the GPU: ${this.failure}. Make a new device`, { op: use })
  }

  buffer(size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    this.counters.buffers++
    return this.device.createBuffer({ size, usage })
  }

  pipeline(code: string): GPUComputePipeline {
    let pipeline = this.pipelines.get(code)
    if (pipeline === undefined) {
      this.counters.pipelines++
      const module = this.device.createShaderModule({ code })
      pipeline = this.device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } })
      this.pipelines.set(code, pipeline)
    }
    return pipeline
  }

  /** The uniform of a dispatch: written once, since kernels are made for one call. */
  private meta(dispatch: Dispatch): GPUBuffer {
    let buffer = this.metas.get(dispatch)
    if (buffer === undefined) {
      buffer = this.buffer(metaWords * 4, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST)
      this.device.queue.writeBuffer(
        buffer,
        0,
        Uint32Array.from({ length: metaWords }, (_, i) => dispatch.meta[i] ?? 0),
      )
      this.metas.set(dispatch, buffer)
    }
    return buffer
  }

  /** Binds a dispatch to storage. */
  prepare(dispatch: Dispatch, inputs: readonly GpuBuf[], outputs: readonly GpuBuf[]): Prepared {
    const pipeline = this.pipeline(dispatch.code)
    this.counters.bindGroups++
    const storage = dispatch.bind.map(({ from, index, shard = 0 }, i): GPUBindGroupEntry => {
      const buf = (from === 'input' ? inputs : outputs)[index]!
      const resource: GPUBufferBinding = {
        buffer: buf.buffers[shard]!,
        offset: buf.offset,
        size: buf.shards[shard]!.bytes,
      }
      return { binding: i + 1, resource }
    })
    const group = this.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: this.meta(dispatch) } }, ...storage],
    })
    return { pipeline, group, groups: dispatch.groups }
  }

  encode(pass: GPUComputePassEncoder, prepared: readonly Prepared[]): void {
    let last: GPUComputePipeline | undefined
    for (const { pipeline, group, groups } of prepared) {
      if (pipeline !== last) pass.setPipeline(pipeline)
      last = pipeline
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(groups[0], groups[1], groups[2])
    }
    this.counters.dispatches += prepared.length
  }

  submit(encoder: GPUCommandEncoder): void {
    this.counters.submits++
    this.device.queue.submit([encoder.finish()])
  }
}
