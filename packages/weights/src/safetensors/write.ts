/** Writing safetensors: a JSON header padded to eight bytes, then the tensors, largest alignment first. */
import { tensorBytes, unitOf } from '../dtype.js'
import { WeightsError } from '../errors.js'
import { type ByteSink, type TensorInput, writeTensor } from '../sink.js'
import { safetensorsTypes } from './read.js'

export interface SafetensorsInput {
  readonly tensors: readonly TensorInput[]
  /** `__metadata__`; transformers wants `{ format: 'pt' }`, which is the default. */
  readonly metadata?: Readonly<Record<string, string>>
}

const names = new Map(Object.entries(safetensorsTypes).map(([name, dtype]) => [dtype, name]))

/**
 * Writes one safetensors file.
 *
 * @throws WeightsError `argument` for block formats, which safetensors does not have
 * @example
 * await writeSafetensors(sink, { tensors: [{ name: 'w', shape: [2], dtype: 'f32', data: () => new Uint8Array(8) }] })
 */
export async function writeSafetensors(sink: ByteSink, input: SafetensorsInput): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: input.metadata ?? { format: 'pt' } }
  // Wide elements first keeps every tensor aligned to its element, as the reference writer does.
  const tensors = [...input.tensors].sort((a, b) => unitOf(b.dtype).bytes - unitOf(a.dtype).bytes)
  const sizes: number[] = []
  let at = 0
  for (const { name, shape, dtype } of tensors) {
    const type = names.get(dtype)
    const bytes = tensorBytes(dtype, shape)
    if (Object.hasOwn(header, name))
      throw new WeightsError('argument', `writeSafetensors: got two tensors named "${name}"`)
    if (!type || bytes === undefined) {
      throw new WeightsError(
        'argument',
        `writeSafetensors: tensor "${name}": got [${shape}] ${dtype}, expected one of ${[...names.keys()].join(', ')}`,
      )
    }
    header[name] = { dtype: type, shape, data_offsets: [at, at + bytes] }
    sizes.push(bytes)
    at += bytes
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const padded = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20)
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true)
  padded.set(json, 8)
  await sink.write(padded)
  for (const [i, tensor] of tensors.entries()) await writeTensor(sink, tensor, sizes[i]!)
}
