/**
 * A whole backend on a page: canonical bytes for storage, plain loops for the primitives, nothing else. Every other op
 * runs by its definition. A real backend starts like this and then adds kernels where the time goes.
 */
import {
  type Backend,
  type Buf,
  byteLength,
  type DType,
  decode,
  encode,
  isInt,
  type Kernel,
  type OpCall,
  type Program,
  type Spec,
  sizeOf,
} from '@cria/tensor'
import { type Compute, elements, indices, type Values, wholes } from './page-kernels.js'
import { q8Row } from './page-math.js'

interface PageBuf {
  bytes: Uint8Array
  readonly spec: Spec
}
interface PageKernel extends Kernel {
  readonly call: OpCall
  readonly compute: Compute
}

/** Numbers as canonical bytes. Integer arrays wrap by themselves; casts from floats saturate first. */
function pack(s: Spec, values: Values, cast: boolean): Uint8Array {
  if (s.dtype === 'q8_0') return q8Row(values)
  const array = { i32: Int32Array, u32: Uint32Array, i8: Int8Array, u8: Uint8Array }[s.dtype as 'i32']
  if (array === undefined) return encode(s, values, 'page')
  const most = { i32: 2 ** 31 - 1, u32: 2 ** 32 - 1, i8: 127, u8: 255 }[s.dtype as 'i32']
  const least = s.dtype.startsWith('i') ? -most - 1 : 0
  return encode(
    s,
    array.from(values, v => (cast ? Math.min(most, Math.max(least, Math.trunc(v))) : v)),
    'page',
  )
}

function run({ call, compute }: PageKernel, inputs: readonly PageBuf[], outputs: readonly PageBuf[]): void {
  const values = inputs.map((b, i) => decode({ ...call.inputs[i]!, dtype: b.spec.dtype as DType }, b.bytes))
  const results = compute(values, call)
  const targets = call.mutates.length > 0 ? call.mutates.map(i => inputs[i]!) : outputs
  targets.forEach((buf, i) => buf.bytes.set(pack(buf.spec, results[i]!, call.op === 'cast')))
}

/** The example of the README: `createDevice(page())`. */
export function page(): Backend {
  const alloc = (spec: Spec): PageBuf => ({ spec, bytes: new Uint8Array(byteLength(spec)) })
  const of = (buf: Buf): PageBuf => buf as PageBuf
  return {
    name: 'page',
    contract: 1,
    description: 'the example of the conformance suite',
    alloc,
    free() {},
    write: (buf, bytes, at = 0) => of(buf).bytes.set(bytes, at),
    read: async (buf, at, bytes) => of(buf).bytes.slice(at, at + bytes),
    kernel(call): PageKernel | undefined {
      const element = elements[call.op]
      const integer = call.inputs.some(t => isInt(t.dtype))
      const compute: Compute | undefined = element
        ? (inputs, c) => [indices(sizeOf(c.outputs[0]!.shape)).map(element(inputs, c, integer))]
        : wholes[call.op]
      return compute && { name: call.op, call, compute }
    },
    run: (kernel, inputs, outputs) => run(kernel as PageKernel, inputs.map(of), outputs.map(of)),
    compile(program: Program) {
      const bufs = program.slots.map(s => of(s.buf ?? alloc(s.spec)))
      return {
        bytes: 0,
        run(values) {
          program.inputs.forEach((slot, i) => {
            const v = values[i]!
            bufs[slot]!.bytes.set(v instanceof Uint8Array ? v : of(v).bytes)
          })
          for (const { kernel, inputs, outputs } of program.calls)
            run(
              kernel as PageKernel,
              inputs.map(o => bufs[o.slot]!),
              outputs.map(o => bufs[o.slot]!),
            )
        },
        output: i => bufs[program.outputs[i]!.slot]!,
        dispose() {},
      }
    },
  }
}
