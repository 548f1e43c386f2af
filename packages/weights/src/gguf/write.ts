/** Writing GGUF version 3, little-endian: header first, then tensors one at a time in the given order. */
import { tensorBytes } from '../dtype.js'
import { WeightsError } from '../errors.js'
import { type ByteSink, type TensorInput, writeTensor } from '../sink.js'
import { defaultAlignment, type GgufScalarType, type GgufValue, magic, tensorTypes, valueTypes } from './format.js'

export interface GgufInput {
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: readonly TensorInput[]
}

/**
 * Writes a GGUF file that llama.cpp reads. The alignment is `general.alignment`, or 32.
 *
 * @throws WeightsError `argument` for names, shapes or values that the format cannot hold
 * @example
 * const sink = memorySink()
 * await writeGguf(sink, {
 *   metadata: new Map([['general.architecture', { type: 'string', value: 'llama' }]]),
 *   tensors: [{ name: 'output_norm.weight', shape: [64], dtype: 'f32', data: () => new Uint8Array(256) }],
 * })
 */
export async function writeGguf(sink: ByteSink, { metadata, tensors }: GgufInput): Promise<void> {
  const alignment = Number(metadata.get('general.alignment')?.value ?? defaultAlignment)
  const out = new Writer()
  out.u32(magic)
  out.u32(3)
  out.u64(tensors.length)
  out.u64(metadata.size)
  for (const [key, value] of metadata) {
    out.string(key)
    out.u32(valueTypes.indexOf(value.type))
    out.value(value)
  }
  const sizes: number[] = []
  const seen = new Set<string>()
  let offset = 0
  for (const { name, shape, dtype } of tensors) {
    const type = tensorTypes.indexOf(dtype)
    const bytes = tensorBytes(dtype, shape)
    if (seen.has(name)) throw new WeightsError('argument', `writeGguf: got two tensors named "${name}"`)
    seen.add(name)
    if (type < 0 || bytes === undefined || shape.length > 4) {
      throw new WeightsError(
        'argument',
        `writeGguf: tensor "${name}": got [${shape}] ${dtype}, expected at most 4 axes of a ggml type, rows in whole blocks`,
      )
    }
    out.string(name)
    out.u32(shape.length)
    for (const n of [...shape].reverse()) out.u64(n)
    out.u32(type)
    out.u64(offset)
    sizes.push(bytes)
    offset = align(offset + bytes, alignment)
  }
  const header = out.bytes()
  await sink.write(header)
  await sink.write(new Uint8Array(align(header.length, alignment) - header.length))
  for (const [i, tensor] of tensors.entries()) {
    await writeTensor(sink, tensor, sizes[i]!)
    const padding = align(sizes[i]!, alignment) - sizes[i]!
    if (padding > 0) await sink.write(new Uint8Array(padding))
  }
}

const align = (n: number, alignment: number): number => Math.ceil(n / alignment) * alignment

const utf8 = new TextEncoder()

/** Appends little-endian values to a growing buffer. */
class Writer {
  private buffer = new Uint8Array(65536)
  private view = new DataView(this.buffer.buffer)
  private length = 0

  /** Makes room for `bytes` more and returns where they begin. May replace `buffer` and `view`. */
  private room(bytes: number): number {
    const at = this.length
    if (at + bytes > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.buffer.length * 2, at + bytes))
      larger.set(this.buffer)
      this.buffer = larger
      this.view = new DataView(larger.buffer)
    }
    this.length += bytes
    return at
  }

  private put(bytes: number, set: (view: DataView, at: number) => void): void {
    const at = this.room(bytes)
    set(this.view, at)
  }

  u8 = (v: number): void => this.put(1, (view, at) => view.setUint8(at, v))
  i8 = (v: number): void => this.put(1, (view, at) => view.setInt8(at, v))
  u16 = (v: number): void => this.put(2, (view, at) => view.setUint16(at, v, true))
  i16 = (v: number): void => this.put(2, (view, at) => view.setInt16(at, v, true))
  u32 = (v: number): void => this.put(4, (view, at) => view.setUint32(at, v, true))
  i32 = (v: number): void => this.put(4, (view, at) => view.setInt32(at, v, true))
  f32 = (v: number): void => this.put(4, (view, at) => view.setFloat32(at, v, true))
  f64 = (v: number): void => this.put(8, (view, at) => view.setFloat64(at, v, true))
  u64 = (v: number | bigint): void => this.put(8, (view, at) => view.setBigUint64(at, BigInt(v), true))
  i64 = (v: number | bigint): void => this.put(8, (view, at) => view.setBigInt64(at, BigInt(v), true))
  bool = (v: boolean): void => this.u8(v ? 1 : 0)

  string(text: string): void {
    const bytes = utf8.encode(text)
    this.u64(bytes.length)
    const at = this.room(bytes.length)
    this.buffer.set(bytes, at)
  }

  value(value: GgufValue): void {
    if (value.type !== 'array') {
      this.scalar(value.type, value.value)
      return
    }
    this.u32(valueTypes.indexOf(value.of))
    this.u64(value.value.length)
    for (const item of value.value) {
      if (value.of === 'array') this.value(item as GgufValue)
      else this.scalar(value.of, item as string | number | bigint | boolean)
    }
  }

  private scalar(type: GgufScalarType, value: string | number | bigint | boolean): void {
    if (type === 'string') this.string(value as string)
    else if (type === 'bool') this.bool(value as boolean)
    else if (type === 'u64' || type === 'i64') this[type](value as number | bigint)
    else this[type](Number(value))
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }
}
