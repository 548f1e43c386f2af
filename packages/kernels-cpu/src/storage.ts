/**
 * Storage of tensors. Dense tensors are rows; weight matrices in block formats are packed for the kernels. A dense
 * weight matrix starts as rows and is packed (and the rows freed) when the first plan wants it as a weight; whoever
 * needs rows again gets them back. Each form remembers who holds its address.
 */
import { type Buf, byteLength, decodeBlocks, isBlock, type Spec, sizeOf } from '@cria/tensor'
import type { Engine } from './engine.js'
import { dtypeCode } from './opcodes.js'

export type Form = 'rows' | 'packed'

/** What a spec is stored as: block formats without kernels are decoded once, to f32. */
export const stored = ({ dtype, shape }: Spec): Spec => ({ dtype: dtypeCode(dtype) < 0 ? 'f32' : dtype, shape })

export class CpuBuf implements Buf {
  /** Addresses of the forms that exist. */
  readonly at: { rows?: number; packed?: number } = {}
  /** How many programs hold each address. */
  readonly pins: Record<Form, number> = { rows: 0, packed: 0 }
  /** Raised when the rows change; the packed form of an older version is stale. */
  version = 0
  packedVersion = 0

  /** Packed, but nothing has been written yet: zero bytes are not zero values in every packed format. */
  fresh = false
  /** The canonical bytes of a block format that is stored decoded. */
  decoded: { readonly spec: Spec; readonly bytes: Uint8Array } | undefined

  constructor(
    /** As stored. */
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

  alloc(canonical: Spec): CpuBuf {
    const s = stored(canonical)
    const buf = new CpuBuf(s)
    if (s.dtype !== canonical.dtype) buf.decoded = { spec: canonical, bytes: new Uint8Array(byteLength(canonical)) }
    if (packedOnly(s)) {
      buf.at.packed = this.engine.alloc(this.packedBytes(s))
      buf.fresh = true
    } else buf.at.rows = this.engine.alloc(byteLength(s))
    return buf
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
    if (stored(s).dtype !== s.dtype) {
      const decoded = this.alloc(s)
      this.write(decoded, this.engine.read(mapped, byteLength(s)), 0)
      this.engine.release(mapped)
      return decoded
    }
    const buf = new CpuBuf(s)
    if (packedOnly(s)) {
      buf.at.packed = this.engine.alloc(this.packedBytes(s))
      this.engine.pack(dtypeCode(s.dtype), buf.at.packed, mapped, s.shape[0]!, s.shape[1]!)
      this.engine.release(mapped)
    } else buf.at.rows = mapped
    return buf
  }

  write(buf: CpuBuf, bytes: Uint8Array, at: number): void {
    const { spec: s, decoded } = buf
    if (decoded !== undefined) {
      decoded.bytes.set(bytes, at)
      const values = new Float32Array(sizeOf(s.shape))
      decodeBlocks(decoded.spec.dtype as Parameters<typeof decodeBlocks>[0], decoded.bytes, values)
      this.engine.write(this.rows(buf), new Uint8Array(values.buffer))
      this.changed(buf)
      return
    }
    if (packedOnly(s)) {
      const [rows, cols] = s.shape as [number, number]
      this.settle(buf, at === 0 && bytes.byteLength === byteLength(s))
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
    if (buf.decoded !== undefined) return buf.decoded.bytes.slice(at, at + bytes)
    if (buf.at.rows !== undefined) return this.engine.read(buf.at.rows + at, bytes)
    this.settle(buf)
    const whole = new Uint8Array(byteLength(s))
    if (whole.byteLength > 0) this.engine.unpack(dtypeCode(s.dtype), whole, buf.at.packed!, s.shape[0]!, s.shape[1]!)
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
    if (packedOnly(s)) {
      this.settle(buf)
      return buf.at.packed!
    }
    if (buf.at.packed === undefined) buf.at.packed = this.engine.alloc(this.packedBytes(s))
    else if (buf.at.rows === undefined || buf.packedVersion === buf.version) return buf.at.packed
    this.engine.pack(dtypeCode(s.dtype), buf.at.packed, buf.at.rows!, s.shape[0]!, s.shape[1]!)
    buf.packedVersion = buf.version
    if (buf.pins.rows === 0) this.drop(buf, 'rows')
    return buf.at.packed
  }

  /** Fresh packed storage gets its zeros when somebody looks. */
  private settle(buf: CpuBuf, overwritten = false): void {
    if (!buf.fresh) return
    buf.fresh = false
    const { spec: s } = buf
    if (!overwritten)
      this.engine.pack(dtypeCode(s.dtype), buf.at.packed!, new Uint8Array(byteLength(s)), s.shape[0]!, s.shape[1]!)
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
