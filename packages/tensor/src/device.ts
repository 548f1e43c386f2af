/**
 * A device: a backend plus what the core keeps beside it (live storage, scopes, the trace and the tapes that are
 * active). All mutable state of the core hangs here, so two installed copies of this package cannot split it.
 */
import type { Attrs, Backend, FileRange, Kernel, OpCall } from './backend.js'
import { encode, type Values } from './encode.js'
import { DeviceError, DisposedError } from './errors.js'
import type { OpDefinition } from './op.js'
import { byteLength, type DType, format, type Shape, type Spec, spec } from './spec.js'
import { isTensor, type Storage, Tensor } from './tensor.js'

/** What records calls instead of running them. */
export interface Recorder {
  /** Storage for an output of a recorded call, or for an operand that exists outside. */
  temp(spec: Spec): Tensor
  record(kernel: Kernel, call: OpCall, inputs: readonly Tensor[], outputs: readonly Tensor[]): void
}

/** What remembers calls for the backward pass. */
export interface Tracker {
  /** Its backward pass will need what runs now, so inner scopes must not free it. */
  readonly keeps: boolean
  track(node: TapeNode): void
  watches(tensor: Tensor): boolean
}

/** One remembered call. */
export interface TapeNode {
  readonly op: OpDefinition<readonly Tensor[], Attrs>
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly attrs: Attrs
}

type Scoped =
  | Tensor
  | readonly Scoped[]
  | { readonly [key: string]: Scoped }
  | undefined
  | null
  | number
  | string
  | boolean

/** Makes a device from a backend. The one line to change when the hardware changes is the one that makes the backend. */
export function createDevice(backend: Backend): Device {
  if (backend.contract !== 1) {
    throw new DeviceError(
      `createDevice: got backend ${backend.name} with contract ${String(backend.contract)}, expected 1. Install matching versions of @cria/tensor and the backend`,
    )
  }
  return new Device(backend)
}

export class Device {
  readonly backend: Backend
  /** Bytes of live tensors in the canonical layout; plans add what they hold. */
  liveBytes = 0
  liveTensors = 0
  /** @internal The active trace. */
  recorder: Recorder | undefined
  /** @internal The active tapes, outermost first. */
  tapes: readonly Tracker[] = []
  /** @internal Told of every upload; how `recompute` notices that a segment brings other numbers the second time. */
  witness: ((bytes: Uint8Array) => void) | undefined
  /** Kernel launches of eager ops so far; what tests count. */
  launches = 0
  private scopes: Set<Tensor>[] = []
  private readonly kernels = new Map<string, Kernel | undefined>()
  private readonly constants = new Map<string, Tensor>()
  private disposed = false

  constructor(backend: Backend) {
    this.backend = backend
  }

  get name(): string {
    return this.backend.name
  }

  /** One line for people: backend, instruction set, threads. */
  get description(): string {
    return this.backend.description
  }

  /**
   * A tensor from numbers. `shape` defaults to one axis, `dtype` to f32.
   *
   * @example
   * const w = device.tensor([[1, 2], [3, 4]].flat(), [2, 2])
   */
  tensor(values: Values, shape?: Shape, dtype: DType = 'f32'): Tensor {
    const s = spec(dtype, shape ?? (typeof values === 'number' ? [] : [values.length]))
    return this.upload(s, encode(s, values, 'tensor'))
  }

  /** A tensor from its canonical bytes (for block formats: ggml's layout). */
  upload(s: Spec, bytes: Uint8Array): Tensor {
    if (bytes.byteLength !== byteLength(s)) {
      throw new DeviceError(`upload: got ${bytes.byteLength} bytes, expected ${byteLength(s)} for ${format(s)}`, {
        got: bytes.byteLength,
        expected: byteLength(s),
      })
    }
    const t = this.empty(s)
    this.backend.write(t.storage('upload').buf, bytes)
    this.witness?.(bytes)
    return t
  }

  /** A tensor from a range of a local file; memory-mapped or streamed where the backend can. Undefined where it cannot. */
  load(s: Spec, from: FileRange): Tensor | undefined {
    this.check('load')
    const buf = this.backend.load?.(s, from)
    return buf === undefined ? undefined : this.adopt(s, { buf, bytes: byteLength(s), refs: 0 })
  }

  /** Fresh storage, all zeros. Inside a trace it is still real: state that the plan changes in place. */
  empty(s: Spec): Tensor {
    this.check('empty')
    return this.adopt(s, { buf: this.backend.alloc(s), bytes: byteLength(s), refs: 0 })
  }

  /** @internal A cached scalar: literals like the 2 in `mul(x, 2)`. Lives as long as the device. */
  constant(value: number, dtype: DType): Tensor {
    const key = `${dtype}:${Object.is(value, -0) ? '-0' : value}`
    let t = this.constants.get(key)
    if (t === undefined) {
      const s = spec(dtype, [])
      const buf = this.backend.alloc(s)
      this.backend.write(buf, encode(s, value, 'constant'))
      t = new Tensor(this, s, { buf, bytes: 0, refs: 1 })
      this.constants.set(key, t)
    }
    return t
  }

  /** @internal The same storage under another spec. */
  alias(t: Tensor, s: Spec): Tensor {
    const { place } = t
    return place !== undefined && 'trace' in place ? new Tensor(this, s, place) : this.adopt(s, t.storage('alias'))
  }

  /** @internal Wraps storage, counting it and handing it to the current scope. */
  adopt(s: Spec, storage: Storage): Tensor {
    const t = new Tensor(this, s, storage)
    if (storage.plan) return t
    if (storage.refs++ === 0) this.liveBytes += storage.bytes
    this.liveTensors++
    this.scopes.at(-1)?.add(t)
    smokeAlarm?.register(t, { device: this, storage, what: format(s) }, t)
    return t
  }

  /** @internal */
  release(t: Tensor, storage: Storage): void {
    if (storage.plan) return
    smokeAlarm?.unregister(t)
    for (const scope of this.scopes) scope.delete(t)
    this.drop(storage)
  }

  /** @internal */
  hold(storage: Storage): void {
    storage.refs++
    this.liveTensors++
  }

  /** @internal */
  drop(storage: Storage): void {
    this.liveTensors--
    if (--storage.refs === 0) {
      this.liveBytes -= storage.bytes
      if (!this.disposed) this.backend.free(storage.buf)
    }
  }

  /**
   * Runs `fn` and disposes every tensor made inside, save those it returns (alone, in arrays or in records), which
   * move to the surrounding scope. Synchronous: a promise is refused, since its tensors would die before it ends.
   *
   * @example
   * const y = device.scope(() => mul(add(x, 1), 2)) // the sum is gone, y stays
   */
  scope<T extends Scoped>(fn: () => T): T
  scope(fn: () => void): void
  scope<T extends Scoped>(fn: () => T): T {
    const own = new Set<Tensor>()
    this.scopes.push(own)
    let kept: T | undefined
    try {
      const result = fn()
      if (result instanceof Promise) {
        throw new DeviceError(
          'scope: got an async function, expected a synchronous one. Read data after the scope, or dispose by hand',
        )
      }
      kept = result
      return result
    } finally {
      this.scopes.pop()
      const outer = this.scopes.at(-1)
      for (const t of tensorsIn(kept)) if (own.delete(t)) outer?.add(t)
      // Under a tape, intermediates belong to the backward pass: the scope around the tape frees them.
      if (outer !== undefined && this.tapes.some(tape => tape.keeps)) for (const t of own) outer.add(t)
      else for (const t of own) t.dispose()
    }
  }

  /** @internal Asks the backend once per distinct call. */
  kernel(call: OpCall): Kernel | undefined {
    const key = callKey(call)
    if (this.kernels.has(key)) return this.kernels.get(key)
    const kernel = this.backend.kernel(call)
    if (this.kernels.size >= 4096) this.kernels.clear()
    this.kernels.set(key, kernel)
    return kernel
  }

  /** @internal */
  check(use: string): void {
    if (this.disposed)
      throw new DisposedError(`${use}: got device ${this.name} after dispose(), expected a live one`, { op: use })
  }

  /** Frees everything. Tensors of this device are unusable afterwards. */
  dispose(): void {
    if (this.disposed) return
    for (const t of this.constants.values()) this.backend.free(t.storage('dispose').buf)
    this.constants.clear()
    this.disposed = true
    this.backend.dispose?.()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function callKey({ op, inputs, outputs, attrs }: OpCall): string {
  let key = op
  for (const s of inputs) key += `|${s.dtype}${s.shape.join(',')}`
  key += '>'
  for (const s of outputs) key += `|${s.dtype}${s.shape.join(',')}`
  for (const name in attrs) key += `;${name}=${String(attrs[name])}`
  return key
}

/** Every tensor in a result of nested arrays and records. */
export function* tensorsIn(value: unknown): Generator<Tensor> {
  if (isTensor(value)) yield value
  else if (Array.isArray(value)) for (const v of value) yield* tensorsIn(v)
  else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const v of Object.values(value)) yield* tensorsIn(v)
  }
}

/** Last resort for tensors that were forgotten: frees their storage. Ownership never relies on it. */
const smokeAlarm =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<{ device: Device; storage: Storage; what: string }>(({ device, storage }) =>
        device.drop(storage),
      )
