/**
 * The KV cache: keys and values of every layer at a fixed capacity, written in place. Its length is kept here, not on
 * the device, so cutting it back costs nothing: rows beyond it are never seen and will be overwritten.
 */
import { ArgumentError, type Device, type DType, spec, type Tensor, UnsupportedError, writeRows } from '@cria/tensor'
import type { CacheDType, LlamaConfig } from './config.js'

export interface CacheOptions {
  /** Tokens it can hold. */
  readonly capacity: number
  /** Default: the model's `cacheDType`. f32 is exact, f16 and bf16 take half of it, q8_0 about a quarter. */
  readonly dtype?: CacheDType
}

/** Bytes of one token in one layer's keys. */
export function cacheRowBytes({ numKeyValueHeads, headDim }: LlamaConfig, dtype: CacheDType): number {
  const n = numKeyValueHeads * headDim
  return dtype === 'f32' ? n * 4 : dtype === 'q8_0' ? (n / 32) * 34 : n * 2
}

export class KVCache {
  readonly capacity: number
  readonly dtype: CacheDType
  /** [capacity, Hkv, D] for each layer. */
  readonly keys: readonly Tensor[]
  readonly values: readonly Tensor[]
  private used = 0

  constructor(
    readonly device: Device,
    readonly config: LlamaConfig,
    { capacity, dtype = config.cacheDType }: CacheOptions,
  ) {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new ArgumentError(`kv_cache: got capacity ${capacity}, expected a whole number of tokens ≥ 1`, {
        op: 'kv_cache',
        got: capacity,
      })
    const { numHiddenLayers, numKeyValueHeads, headDim } = config
    if (dtype === 'q8_0' && headDim % 32 !== 0)
      throw new UnsupportedError(`kv_cache: got q8_0 for heads of ${headDim}, expected a multiple of 32. Use f16`, {
        op: 'kv_cache',
      })
    this.capacity = capacity
    this.dtype = dtype
    const row = spec(dtype as DType, [capacity, numKeyValueHeads, headDim])
    this.keys = Array.from({ length: numHiddenLayers }, () => device.empty(row))
    this.values = Array.from({ length: numHiddenLayers }, () => device.empty(row))
  }

  /** Every tensor of it, in a fixed order: what a plan for another cache of the same shape is bound to. */
  get state(): readonly Tensor[] {
    return [...this.keys, ...this.values]
  }

  /** Tokens it holds. */
  get length(): number {
    return this.used
  }

  /** Effect: stores this step's keys and values [T, Hkv, D] at their positions; returns what attention reads. */
  write(layer: number, k: Tensor, v: Tensor, positions: Tensor): readonly [Tensor, Tensor] {
    const keys = this.keys[layer]!
    const values = this.values[layer]!
    writeRows(keys, k, positions)
    writeRows(values, v, positions)
    return [keys, values]
  }

  /** Counts tokens that a step has written. */
  advance(tokens: number): void {
    if (this.used + tokens > this.capacity) {
      throw new ArgumentError(
        `kv_cache: got ${tokens} more tokens at length ${this.used}, expected at most ${this.capacity - this.used}. Make a larger cache or truncate() it`,
        { op: 'kv_cache' },
      )
    }
    this.used += tokens
  }

  /** Forgets everything after the first `length` tokens. */
  truncate(length: number): void {
    if (!Number.isSafeInteger(length) || length < 0 || length > this.used) {
      throw new ArgumentError(`kv_cache: got truncate(${length}), expected 0 … ${this.used}`, {
        op: 'kv_cache',
        got: length,
        expected: this.used,
      })
    }
    this.used = length
  }

  /** A copy that goes its own way from here. */
  async fork(): Promise<KVCache> {
    const copy = new KVCache(this.device, this.config, { capacity: this.capacity, dtype: this.dtype })
    const rows = await this.rows()
    copy.fill(rows, this.used)
    return copy
  }

  /** The canonical bytes of the rows in use: keys and values of each layer in turn. */
  async rows(): Promise<Uint8Array[]> {
    const { backend } = this.device
    const read = (t: Tensor): Promise<Uint8Array> =>
      backend.read(t.storage('kv_cache').buf, 0, this.used * this.rowBytes)
    const out: Uint8Array[] = []
    for (const [layer, keys] of this.keys.entries()) out.push(await read(keys), await read(this.values[layer]!))
    return out
  }

  /** Takes rows that `rows()` of an equal cache gave. */
  fill(rows: readonly Uint8Array[], length: number): void {
    const { backend } = this.device
    if (
      length > this.capacity ||
      rows.length !== this.keys.length * 2 ||
      rows.some(r => r.byteLength !== length * this.rowBytes)
    ) {
      throw new ArgumentError(
        `kv_cache: got ${rows.length} lists of rows for ${length} tokens, expected ${this.keys.length * 2} of ${length * this.rowBytes} bytes within capacity ${this.capacity}`,
        { op: 'kv_cache' },
      )
    }
    rows.forEach((bytes, i) => {
      if (bytes.byteLength > 0)
        backend.write((i % 2 === 0 ? this.keys : this.values)[i >> 1]!.storage('kv_cache').buf, bytes)
    })
    this.used = length
  }

  /** Bytes of one token in one layer's keys. */
  get rowBytes(): number {
    return cacheRowBytes(this.config, this.dtype)
  }

  dispose(): void {
    for (const t of this.state) t.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
