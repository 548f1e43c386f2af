/** Reading one safetensors file; `shards.ts` puts several together. */
import type { FileDType } from '../dtype.js'
import { corrupt, unsupported } from '../errors.js'
import { parseJson } from '../json.js'
import { addTensor, rangeFile, shown } from '../layout.js'
import type { ByteSource } from '../source.js'
import type { TensorInfo, WeightFile } from '../types.js'

/** The limit of the reference implementation. */
const maxHeader = 100_000_000

export const safetensorsTypes: Readonly<Record<string, FileDType>> = {
  F64: 'f64',
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  I64: 'i64',
  I32: 'i32',
  I16: 'i16',
  I8: 'i8',
  U64: 'u64',
  U32: 'u32',
  U16: 'u16',
  U8: 'u8',
  BOOL: 'bool',
  F8_E4M3: 'f8_e4m3',
  F8_E5M2: 'f8_e5m2',
}

/**
 * Opens one safetensors file.
 *
 * @throws WeightsError `format` for headers that break the format's rules (holes and overlaps included),
 *   `unsupported` for element types that have no meaning here
 * @example const file = await openSafetensors(bytesSource(bytes))
 */
export async function openSafetensors(source: ByteSource): Promise<WeightFile> {
  const { tensors, metadata } = await readHeader(source)
  return rangeFile('safetensors', 'hf', metadata, tensors, () => source, [source])
}

interface Header {
  readonly tensors: Map<string, TensorInfo>
  readonly metadata: Record<string, string>
}

async function readHeader(source: ByteSource): Promise<Header> {
  const { name: file } = source
  if (source.size < 10) throw corrupt(file, `got ${source.size} bytes, expected a safetensors header`)
  const head = await source.read(0, 8)
  const length = Number(new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true))
  if (length > maxHeader || length > source.size - 8) {
    throw corrupt(file, `got a header of ${length} bytes, expected at most ${Math.min(maxHeader, source.size - 8)}`)
  }
  const header = parseJson(file, await source.read(8, length))
  if (!isObject(header)) throw corrupt(file, 'got a header that is not a JSON object')
  const metadata: Record<string, string> = {}
  const tensors = new Map<string, TensorInfo>()
  const start = 8 + length
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isObject(entry)) throw corrupt(file, 'got a "__metadata__" that is not an object')
      for (const [key, value] of Object.entries(entry)) {
        if (typeof value !== 'string') throw corrupt(file, `metadata ${shown(key)}: expected a string`)
        metadata[key] = value
      }
      continue
    }
    if (
      !isObject(entry) ||
      !isNumbers(entry.shape) ||
      !isNumbers(entry.data_offsets) ||
      entry.data_offsets.length !== 2
    ) {
      throw corrupt(file, `tensor ${shown(name)}: expected { dtype, shape, data_offsets: [begin, end] }`)
    }
    const dtype = typeof entry.dtype === 'string' ? safetensorsTypes[entry.dtype] : undefined
    if (!dtype) throw unsupported(file, `tensor ${shown(name)} has the element type ${shown(String(entry.dtype))}`)
    const [begin, end] = entry.data_offsets as [number, number]
    addTensor(tensors, source, { name, shape: entry.shape, dtype, offset: start + begin }, end - begin)
  }
  checkCoverage(file, [...tensors.values()], start, source.size)
  return { tensors, metadata }
}

/** The format demands that tensors cover the data exactly: no hole, no overlap, nothing behind. */
function checkCoverage(file: string, tensors: TensorInfo[], start: number, end: number): void {
  let at = start
  for (const tensor of tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (tensor.offset !== at) {
      const what = tensor.offset < at ? 'overlaps the tensor before it' : `leaves a hole of ${tensor.offset - at} bytes`
      throw corrupt(file, `tensor ${shown(tensor.name)} ${what}`)
    }
    at += tensor.bytes
  }
  if (at !== end)
    throw corrupt(file, `got ${end - start} bytes of data, expected ${at - start}. The file is truncated or corrupt`)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(n => Number.isSafeInteger(n) && n >= 0)
