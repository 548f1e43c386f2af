/**
 * A tensor: a spec, the device it lives on, and its storage. Tensors carry no ops as methods, so unused ops never
 * reach a bundle: `add(a, b)`, not `a.add(b)`.
 */
import type { Buf } from './backend.js'
import { decodeBlocks } from './blocks/index.js'
import type { Device } from './device.js'
import { DisposedError, PlanError } from './errors.js'
import { bf16ToF32, f16ToF32 } from './half.js'
import { byteLength, type DType, format, isBlock, type Shape, type Spec, sizeOf } from './spec.js'

/** Storage on a device, shared by a tensor and its reshapes; freed with the last of them. */
export interface Storage {
  readonly buf: Buf
  readonly bytes: number
  /** Tensors that share it. */
  refs: number
  /** Owned by a plan: disposing a tensor never frees it, and the next replay overwrites it. */
  readonly plan?: boolean
}

/** Where a tensor inside a trace will live. */
export interface TracedSlot {
  readonly trace: object
  readonly slot: number
}

export type TensorData = Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array

const brand = Symbol.for('cria.tensor')
let nextId = 0

export class Tensor implements Spec {
  readonly shape: Shape
  readonly dtype: DType
  readonly device: Device
  /** Unique in this process; what tapes and scopes remember. */
  readonly id: number = nextId++
  /** @internal */
  place: Storage | TracedSlot | undefined

  constructor(device: Device, spec: Spec, place: Storage | TracedSlot) {
    this.device = device
    this.shape = spec.shape
    this.dtype = spec.dtype
    this.place = place
    ;(this as unknown as Record<symbol, boolean>)[brand] = true
  }

  get rank(): number {
    return this.shape.length
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  /** @internal The storage, or a typed error: disposed, or abstract inside a trace. */
  storage(use: string): Storage {
    if (this.place === undefined) {
      throw new DisposedError(
        `${use}: got a disposed tensor ${format(this)}, expected a live one. Return it from scope() to keep it, or dispose it later`,
        { op: use },
      )
    }
    if ('trace' in this.place) {
      throw new PlanError(
        `${use}: got a tensor inside a trace (${format(this)}), expected one with data. A plan records calls once and has no values yet: return the tensor and read it after run()`,
        { op: use },
      )
    }
    return this.place
  }

  /** The canonical bytes. */
  async bytes(): Promise<Uint8Array> {
    return this.device.backend.read(this.storage('bytes').buf, 0, byteLength(this))
  }

  /**
   * The values, row-major. Halves and block formats come as Float32Array, integers as their own array type.
   *
   * @example
   * const x = device.tensor([1, 2, 3])
   * await x.data() // Float32Array [1, 2, 3]
   */
  async data(): Promise<TensorData> {
    return decode(this, await this.bytes())
  }

  /** The value of a tensor with one element. */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new PlanError(`item: got ${format(this)}, expected one element. Use data()`, { op: 'item' })
    return (await this.data())[0]!
  }

  /** Releases the storage (the last tensor that shares it frees it). Harmless when already disposed. */
  dispose(): void {
    const { place } = this
    if (place === undefined || 'trace' in place) return
    this.place = undefined
    this.device.release(this, place)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  toString(): string {
    return `Tensor ${format(this)} on ${this.device.name}`
  }
}

export const isTensor = (x: unknown): x is Tensor => typeof x === 'object' && x !== null && brand in x

/** Canonical bytes as numbers. */
export function decode(spec: Spec, bytes: Uint8Array): TensorData {
  const { dtype } = spec
  const n = sizeOf(spec.shape)
  if (isBlock(dtype)) {
    const out = new Float32Array(n)
    decodeBlocks(dtype, bytes, out)
    return out
  }
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  const { buffer, byteOffset } = aligned
  switch (dtype) {
    case 'f32':
      return new Float32Array(buffer, byteOffset, n)
    case 'i32':
      return new Int32Array(buffer, byteOffset, n)
    case 'u32':
      return new Uint32Array(buffer, byteOffset, n)
    case 'i8':
      return new Int8Array(buffer, byteOffset, n)
    case 'u8':
      return new Uint8Array(buffer, byteOffset, n)
    case 'f16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, n), f16ToF32)
    case 'bf16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, n), bf16ToF32)
  }
}
