/**
 * Storage of tensors. Dense tensors are rows; weight matrices in block formats are packed for the kernels. A dense
 * weight matrix starts as rows and is packed (and the rows freed) when the first plan wants it as a weight; whoever
 * needs rows again gets them back. Each form remembers who holds its address.
 */
import { type Buf, byteLength, isBlock, type Spec, UnsupportedError } from '@cria/tensor'
import type { Engine } from './engine.js'
import { dtypeCode } from './opcodes.js'

export type Form = 'rows' | 'packed'

export class CpuBuf implements Buf {
  /** Addresses of the forms that exist. */
  readonly at: { rows?: number; packed?: number } = {}
  /** How many programs hold each address. */
  readonly pins: Record<Form, number> = { rows: 0, packed: 0 }
  /** Raised when the rows change; the packed form of an older version is stale. */
  version = 0
  packedVersion = 0

  constructor(
    readonly spec: Spec,
    /** Belongs to an executable's arena: never freed here. */
    readonly borrowed: boolean = false,
  ) {}
}

/** A weight matrix in a block format: always packed. Caches in block formats have more axes and stay rows. */
const packedOnly = (s: Spec): boolean => isBlock(s.dtype) && s.shape.length === 2

export class Storage {
  constructor(readonly engine: Engine) {}

  private packedBytes(s: Spec): number {
    return this.engine.measure('packed', dtypeCode(s.dtype), s.shape[0]!, s.shape[1]!)
  }

  alloc(s: Spec): CpuBuf {
    const buf = new CpuBuf(s)
    if (packedOnly(s)) {
      this.supported(s)
      buf.at.packed = this.engine.alloc(this.packedBytes(s))
    } else buf.at.rows = this.engine.alloc(byteLength(s))
    return buf
  }

  private supported(s: Spec): void {
    if (dtypeCode(s.dtype) < 0)
      throw new UnsupportedError(
        `${this.engine.name}: got a weight of dtype ${s.dtype}, expected one with kernels (f32, f16, bf16, q4_0 … q8_0, q2_k … q6_k, iq4_nl). Convert the file, or dequantise it while loading`,
        { got: s.dtype },
      )
  }

  free(buf: CpuBuf): void {
    if (buf.borrowed) return
    for (const form of ['rows', 'packed'] as const) {
      if (buf.at[form] !== undefined) this.engine.release(buf.at[form])
      delete buf.at[form]
    }
  }

  /** Adopts mapped memory as the rows of a dense tensor, or packs it. */
  adopt(s: Spec, mapped: number): CpuBuf {
    const buf = new CpuBuf(s)
    if (packedOnly(s)) {
      this.supported(s)
      buf.at.packed = this.engine.alloc(this.packedBytes(s))
      this.engine.pack(dtypeCode(s.dtype), buf.at.packed, mapped, s.shape[0]!, s.shape[1]!)
      this.engine.release(mapped)
    } else buf.at.rows = mapped
    return buf
  }

  write(buf: CpuBuf, bytes: Uint8Array, at: number): void {
    const { spec: s } = buf
    if (packedOnly(s)) {
      const [rows, cols] = s.shape as [number, number]
      if (at === 0 && bytes.byteLength === byteLength(s)) {
        this.engine.pack(dtypeCode(s.dtype), buf.at.packed!, bytes, rows, cols)
        return
      }
      // A part: through the canonical bytes, since rows are interleaved by groups.
      const whole = new Uint8Array(byteLength(s))
      this.engine.unpack(dtypeCode(s.dtype), whole, buf.at.packed!, rows, cols)
      whole.set(bytes, at)
      this.engine.pack(dtypeCode(s.dtype), buf.at.packed!, whole, rows, cols)
      return
    }
    this.engine.write(this.rows(buf) + at, bytes)
    this.changed(buf)
  }

  read(buf: CpuBuf, at: number, bytes: number): Uint8Array {
    const { spec: s } = buf
    if (buf.at.rows !== undefined) return this.engine.read(buf.at.rows + at, bytes)
    const whole = new Uint8Array(byteLength(s))
    if (whole.byteLength > 0)
      this.engine.unpack(dtypeCode(s.dtype), whole, buf.at.packed!, s.shape[0]!, s.shape[1]!)
    return at === 0 && bytes === whole.byteLength ? whole : whole.slice(at, at + bytes)
  }

  /** The address of the rows, made from the packed form if they are gone. */
  rows(buf: CpuBuf): number {
    if (buf.at.rows === undefined) {
      const { spec: s } = buf
      buf.at.rows = this.engine.alloc(byteLength(s))
      this.engine.unpack(dtypeCode(s.dtype), buf.at.rows, buf.at.packed!, s.shape[0]!, s.shape[1]!)
      buf.packedVersion = buf.version
      if (buf.pins.packed === 0) this.drop(buf, 'packed')
    }
    return buf.at.rows
  }

  /** The address of the packed form, made or brought up to date if need be. */
  packed(buf: CpuBuf): number {
    const { spec: s } = buf
    if (packedOnly(s)) return buf.at.packed!
    if (buf.at.packed === undefined) buf.at.packed = this.engine.alloc(this.packedBytes(s))
    else if (buf.at.rows === undefined || buf.packedVersion === buf.version) return buf.at.packed
    this.engine.pack(dtypeCode(s.dtype), buf.at.packed, buf.at.rows!, s.shape[0]!, s.shape[1]!)
    buf.packedVersion = buf.version
    if (buf.pins.rows === 0) this.drop(buf, 'rows')
    return buf.at.packed
  }

  /** The form that an eager kernel should use without moving anything. */
  current(buf: CpuBuf): Form {
    return buf.at.rows === undefined ? 'packed' : 'rows'
  }

  address(buf: CpuBuf, form: Form): number {
    return form === 'packed' ? this.packed(buf) : this.rows(buf)
  }

  /** The rows were written: a packed copy is stale. */
  changed(buf: CpuBuf): void {
    buf.version++
    if (buf.at.packed !== undefined && buf.at.rows !== undefined && buf.pins.packed === 0) this.drop(buf, 'packed')
  }

  pin(buf: CpuBuf, form: Form): void {
    buf.pins[form]++
  }

  unpin(buf: CpuBuf, form: Form): void {
    buf.pins[form]--
  }

  private drop(buf: CpuBuf, form: Form): void {
    this.engine.release(buf.at[form]!)
    delete buf.at[form]
  }
}
