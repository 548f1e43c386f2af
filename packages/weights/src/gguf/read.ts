/**
 * Reading GGUF, versions 2 and 3, little-endian, in one file or split into several. Only the header is read here;
 * tensors stay in the file.
 */
import { corrupt, unsupported, WeightsError } from '../errors.js'
import { addTensor, checkOverlaps, rangeFile, shown } from '../layout.js'
import type { ByteSource } from '../source.js'
import type { TensorInfo, WeightFile } from '../types.js'
import { Cursor, NeedMore } from './cursor.js'
import {
  defaultAlignment,
  type GgufArray,
  type GgufScalarType,
  type GgufValue,
  magic,
  removedTypes,
  tensorTypes,
  valueBytes,
  valueTypes,
} from './format.js'

export interface GgufFile extends WeightFile {
  readonly format: 'gguf'
  readonly version: number
  readonly alignment: number
  /** The metadata with its types; `metadata` has the bare values. */
  readonly values: ReadonlyMap<string, GgufValue>
}

interface Header {
  readonly version: number
  readonly alignment: number
  readonly values: Map<string, GgufValue>
  readonly tensors: Map<string, TensorInfo>
}

/** Headers are metadata, a vocabulary and a tensor table; llama.cpp's largest are some 20 MB. */
const maxHeader = 512 * 2 ** 20
const maxDepth = 4
const maxKey = 65535

/**
 * Opens a GGUF file. Pass all parts, in any order, when it is split.
 *
 * @throws WeightsError `format` for corrupt files, `unsupported` for version 1, big-endian or removed tensor types
 * @example
 * const file = await openGguf(bytesSource(bytes))
 * file.metadata['general.architecture'] // 'llama'
 * await file.read('token_embd.weight')
 */
export async function openGguf(source: ByteSource | readonly ByteSource[]): Promise<GgufFile> {
  const sources = Array.isArray(source) ? (source as readonly ByteSource[]) : [source as ByteSource]
  const headers: Header[] = []
  for (const part of sources) headers.push(await readHeader(part, sources.length > 1))
  const first = orderParts(sources, headers)
  const { values, version, alignment } = headers[first]!

  const tensors = new Map<string, TensorInfo>()
  const owner = new Map<string, ByteSource>()
  headers.forEach((header, i) => {
    for (const [name, tensor] of header.tensors) {
      if (tensors.has(name)) throw corrupt(sources[i]!.name, `tensor ${shown(name)} is also in another part`)
      tensors.set(name, tensor)
      owner.set(name, sources[i]!)
    }
  })
  const announced = values.get('split.tensors.count')?.value
  if (sources.length > 1 && announced !== undefined && announced !== tensors.size) {
    throw corrupt(sources[first]!.name, `got ${tensors.size} tensors in ${sources.length} parts, expected ${announced}`)
  }
  const metadata = Object.fromEntries([...values].map(([key, value]) => [key, plain(value)]))
  const base = rangeFile('gguf', 'gguf', metadata, tensors, tensor => owner.get(tensor.name)!, sources)
  return Object.assign(base, { format: 'gguf' as const, version, alignment, values })
}

/** Checks that the parts are the whole set; returns the index of the part that carries the metadata. */
function orderParts(sources: readonly ByteSource[], headers: readonly Header[]): number {
  const seen = new Set<unknown>()
  let first = 0
  headers.forEach(({ values }, i) => {
    const count = values.get('split.count')?.value ?? 1
    const number = values.get('split.no')?.value ?? 0
    if (count !== sources.length && !(count === 0 && sources.length === 1)) {
      throw new WeightsError(
        'missing',
        `${sources[i]!.name}: got ${sources.length} part(s) of a split GGUF, expected ${count}. Open all parts together`,
        { file: sources[i]!.name, got: sources.length, expected: count },
      )
    }
    if (seen.has(number)) throw corrupt(sources[i]!.name, `got part ${number} twice`)
    seen.add(number)
    if (number === 0) first = i
  })
  return first
}

const plain = (value: GgufValue): unknown =>
  value.type === 'array' && value.of === 'array' ? value.value.map(plain) : value.value

/** Parses a growing prefix: the size of a header is not known before it is read. */
async function readHeader(source: ByteSource, named: boolean): Promise<Header> {
  for (let size = Math.min(2 ** 20, source.size); ; size = Math.min(size * 4, source.size, maxHeader)) {
    const bytes = await source.read(0, size)
    try {
      return parseHeader(new Cursor(source.name, bytes, source.size), source, named)
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error
      if (size === source.size) throw corrupt(source.name, `the header runs past the end of the file (${size} bytes)`)
      if (size >= maxHeader) throw corrupt(source.name, `got a header of more than ${maxHeader} bytes`)
    }
  }
}

function parseHeader(cursor: Cursor, source: ByteSource, named: boolean): Header {
  const { name: file } = source
  if (source.size < 24) throw corrupt(file, `got ${source.size} bytes, expected a GGUF header of at least 24`)
  if (cursor.u32() !== magic) throw corrupt(file, 'got other bytes, expected a file that begins with "GGUF"')
  const version = cursor.u32()
  if (version === 0x02000000 || version === 0x03000000) {
    throw unsupported(
      file,
      'got a big-endian GGUF file, expected little-endian. Convert it with gguf_convert_endian.py',
    )
  }
  if (version === 1) throw unsupported(file, 'got GGUF version 1, expected 2 or 3. Convert the model again')
  if (version !== 2 && version !== 3) throw corrupt(file, `got GGUF version ${version}, expected 2 or 3`)
  const tensorCount = cursor.count('the number of tensors')
  const valueCount = cursor.count('the number of metadata keys')
  cursor.claim(valueCount, 13)
  const values = new Map<string, GgufValue>()
  for (let i = 0; i < valueCount; i++) {
    const key = cursor.string()
    if (key.length > maxKey) throw corrupt(file, `got a metadata key of ${key.length} characters`)
    if (values.has(key)) throw corrupt(file, `got the metadata key ${shown(key)} twice`)
    values.set(key, readValue(cursor, cursor.u32(), key, 0))
  }
  const alignment = alignmentOf(file, values.get('general.alignment'))

  cursor.claim(tensorCount, 24)
  const infos: { name: string; shape: number[]; type: number; offset: number }[] = []
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.string()
    const rank = cursor.u32()
    if (rank > 4) throw corrupt(file, `tensor ${shown(name)}: got ${rank} axes, expected at most 4`)
    const shape: number[] = []
    for (let axis = 0; axis < rank; axis++) shape.unshift(cursor.count('the length of an axis'))
    infos.push({ name, shape, type: cursor.u32(), offset: cursor.count('the offset of a tensor') })
  }
  const data = Math.ceil(cursor.at / alignment) * alignment
  const tensors = new Map<string, TensorInfo>()
  for (const { name, shape, type, offset } of infos) {
    const dtype = tensorTypes[type]
    if (!dtype) {
      const removed = removedTypes[type]
      if (removed) throw unsupported(file, `tensor ${shown(name)} has type ${removed}, which llama.cpp removed`)
      throw unsupported(file, `tensor ${shown(name)} has the unknown type ${type}`)
    }
    if (offset % alignment !== 0) {
      throw corrupt(file, `tensor ${shown(name)}: got offset ${offset}, expected a multiple of ${alignment}`)
    }
    addTensor(tensors, source, { name, shape, dtype, offset: data + offset, ...(named ? { file } : {}) })
  }
  checkOverlaps(file, tensors.values())
  return { version, alignment, values, tensors }
}

function alignmentOf(file: string, value: GgufValue | undefined): number {
  if (value === undefined) return defaultAlignment
  const n = value.type === 'u32' ? Number(value.value) : 0
  if (n === 0 || (n & (n - 1)) !== 0) {
    throw corrupt(file, `got general.alignment ${value.type} ${String(value.value)}, expected a power of two as u32`)
  }
  return n
}

function readValue(cursor: Cursor, id: number, key: string, depth: number): GgufValue {
  const type = valueTypes[id]
  if (!type) throw corrupt(cursor.file, `metadata ${shown(key)}: got value type ${id}, expected 0 … 12`)
  if (type === 'array') return readArray(cursor, key, depth)
  return { type, value: readScalar(cursor, type) } as GgufValue
}

const readScalar = (cursor: Cursor, type: GgufScalarType): number | bigint | boolean | string => cursor[type]()

const typedArrays = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const

function readArray(cursor: Cursor, key: string, depth: number): GgufValue {
  if (depth >= maxDepth) throw corrupt(cursor.file, `metadata ${shown(key)}: arrays nest more than ${maxDepth} deep`)
  const id = cursor.u32()
  const of = valueTypes[id]
  if (!of) throw corrupt(cursor.file, `metadata ${shown(key)}: got element type ${id}, expected 0 … 12`)
  const count = cursor.count('the length of an array')
  cursor.claim(count, valueBytes[of])
  if (of === 'array') {
    const value: GgufValue[] = []
    for (let i = 0; i < count; i++) value.push(readArray(cursor, key, depth + 1))
    return { type: 'array', of, value }
  }
  if (of in typedArrays) {
    const Type = typedArrays[of as keyof typeof typedArrays]
    return { type: 'array', of, value: new Type(cursor.raw(count, valueBytes[of])) }
  }
  const value: unknown[] = []
  for (let i = 0; i < count; i++) value.push(readScalar(cursor, of))
  return { type: 'array', of, value: value as unknown as GgufArray }
}
