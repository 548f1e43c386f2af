/**
 * Reading llama2.c's `.bin` files: version 0 (a bare header of seven integers), 1 ("ak42", float32 with a 256-byte
 * header) and 2 (int8 in groups). The order of tensors is fixed; they are given their Hugging Face names.
 */
import { corrupt, unsupported } from '../errors.js'
import { addTensor, rangeFile, tensorOf } from '../layout.js'
import type { ByteSource } from '../source.js'
import type { TensorInfo, WeightFile } from '../types.js'

export interface Llama2cHeader {
  readonly version: 0 | 1 | 2
  readonly dim: number
  readonly ffnDim: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly vocab: number
  readonly context: number
  readonly tied: boolean
  /** Values under one scale, version 2 only. */
  readonly groupSize?: number
}

const magic = 0x616b3432 // "ak42"

/**
 * Opens a llama2.c checkpoint. `metadata` is a `Llama2cHeader`.
 *
 * Version 2 keeps each matrix as int8 followed by one float32 scale for every group. Such tensors are shown as f32:
 * `read` decodes them, and `location` has nothing to map.
 *
 * @throws WeightsError `format` when the header is not plausible or the size of the file does not fit it
 */
export async function openLlama2c(source: ByteSource): Promise<WeightFile> {
  const { name: file, size } = source
  if (size < 28) throw corrupt(file, `got ${size} bytes, expected a llama2.c header of at least 28`)
  const head = await source.read(0, Math.min(256, size))
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const marked = view.getUint32(0, true) === magic
  const version = marked ? view.getInt32(4, true) : 0
  if (marked && version !== 1 && version !== 2)
    throw unsupported(file, `got llama2.c version ${version}, expected 0, 1 or 2`)
  if (marked && size < 256) throw corrupt(file, `got ${size} bytes, expected a header of 256`)
  const header = parseHeader(file, view, version as 0 | 1 | 2)
  return version === 2 ? openInt8(source, header) : openFloat(source, header)
}

function parseHeader(file: string, view: DataView, version: 0 | 1 | 2): Llama2cHeader {
  const at = version === 0 ? 0 : 8
  const field = (i: number): number => view.getInt32(at + 4 * i, true)
  const [dim, ffnDim, layers, heads, kvHeads, rawVocab, context] = [0, 1, 2, 3, 4, 5, 6].map(field) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  // Version 0 marks an untied classifier by a negative vocabulary.
  const vocab = version === 0 ? Math.abs(rawVocab) : rawVocab
  const fields = { dim, ffnDim, layers, heads, kvHeads, vocab, context }
  for (const [name, value] of Object.entries(fields)) {
    if (value <= 0)
      throw corrupt(
        file,
        `got ${name} ${value} in the header, expected a positive number. Is it a model? Neither GGUF, safetensors nor PyTorch, it was read as llama2.c`,
      )
  }
  if (dim % heads !== 0 || heads % kvHeads !== 0 || (dim / heads) % 2 !== 0 || layers > 65536) {
    throw corrupt(
      file,
      `got dim ${dim}, ${heads} heads, ${kvHeads} kv heads, ${layers} layers, expected the header of a llama2.c model. Is it a model? It is neither GGUF, safetensors nor PyTorch`,
    )
  }
  const tied = version === 0 ? rawVocab > 0 : view.getUint8(at + 28) !== 0
  if (version !== 2) return { version, ...fields, tied }
  const groupSize = view.getInt32(at + 29, true)
  if (groupSize <= 0 || dim % groupSize !== 0 || ffnDim % groupSize !== 0) {
    throw corrupt(file, `got groups of ${groupSize} for rows of ${dim} and ${ffnDim}`)
  }
  return { version, ...fields, tied, groupSize }
}

type Part = readonly [suffix: string, rows: number, columns?: number]

const layer = (i: number, suffix: string): string => `model.layers.${i}.${suffix}.weight`

/** The matrices of a layer in the file's order; both layouts go through one kind for all layers before the next. */
function matrices({ dim, ffnDim, heads, kvHeads }: Llama2cHeader): readonly Part[] {
  const kv = (dim / heads) * kvHeads
  return [
    ['self_attn.q_proj', dim, dim],
    ['self_attn.k_proj', kv, dim],
    ['self_attn.v_proj', kv, dim],
    ['self_attn.o_proj', dim, dim],
    ['mlp.gate_proj', ffnDim, dim],
    ['mlp.down_proj', dim, ffnDim],
    ['mlp.up_proj', ffnDim, dim],
  ]
}

function openFloat(source: ByteSource, header: Llama2cHeader): WeightFile {
  const { version, dim, layers, heads, vocab, context, tied } = header
  const tensors = new Map<string, TensorInfo>()
  let offset = version === 0 ? 28 : 256
  const add = (name: string, shape: readonly number[]): void => {
    addTensor(tensors, source, { name, shape, dtype: 'f32', offset })
    offset += tensors.get(name)!.bytes
  }
  const perLayer = (suffix: string, shape: readonly number[]): void => {
    for (let i = 0; i < layers; i++) add(layer(i, suffix), shape)
  }
  const [q, k, v, o, gate, down, up] = matrices(header) as [Part, Part, Part, Part, Part, Part, Part]
  const matrix = ([suffix, rows, columns]: Part): void => perLayer(suffix, [rows, columns!])
  if (version === 0) {
    add('model.embed_tokens.weight', [vocab, dim])
    perLayer('input_layernorm', [dim])
    for (const part of [q, k, v, o]) matrix(part)
    perLayer('post_attention_layernorm', [dim])
    for (const part of [gate, down, up]) matrix(part)
    add('model.norm.weight', [dim])
    offset += 2 * context * (dim / heads / 2) * 4 // tables of cosines and sines, no longer used
  } else {
    perLayer('input_layernorm', [dim])
    perLayer('post_attention_layernorm', [dim])
    add('model.norm.weight', [dim])
    add('model.embed_tokens.weight', [vocab, dim])
    for (const part of [q, k, v, o, gate, down, up]) matrix(part)
  }
  if (!tied) add('lm_head.weight', [vocab, dim])
  if (offset !== source.size) throw corrupt(source.name, `got ${source.size} bytes, expected ${offset} for this header`)
  return rangeFile('llama2c', 'hf', { ...header }, tensors, () => source, [source])
}

function openInt8(source: ByteSource, header: Llama2cHeader): WeightFile {
  const { dim, layers, vocab, tied, groupSize } = header as Llama2cHeader & { groupSize: number }
  const tensors = new Map<string, TensorInfo>()
  const quantised = new Set<string>()
  let offset = 256
  const norm = (name: string): void => {
    addTensor(tensors, source, { name, shape: [dim], dtype: 'f32', offset })
    offset += dim * 4
  }
  const matrix = (name: string, rows: number, columns: number): void => {
    const count = rows * columns
    // The range of the int8 values is checked here; the scales behind them by the size of the whole file.
    addTensor(tensors, source, { name, shape: [rows, columns], dtype: 'i8', offset })
    tensors.set(name, { name, shape: [rows, columns], dtype: 'f32', bytes: count * 4, offset })
    quantised.add(name)
    offset += count + (count / groupSize) * 4
  }
  for (const norms of ['input_layernorm', 'post_attention_layernorm']) {
    for (let i = 0; i < layers; i++) norm(layer(i, norms))
  }
  norm('model.norm.weight')
  matrix('model.embed_tokens.weight', vocab, dim)
  for (const [suffix, rows, columns] of matrices(header)) {
    for (let i = 0; i < layers; i++) matrix(layer(i, suffix), rows, columns!)
  }
  if (!tied) matrix('lm_head.weight', vocab, dim)
  if (offset !== source.size) throw corrupt(source.name, `got ${source.size} bytes, expected ${offset} for this header`)

  const base = rangeFile('llama2c', 'hf', { ...header }, tensors, () => source, [source])
  return {
    ...base,
    async read(name) {
      if (!quantised.has(name)) return base.read(name)
      const { offset: at, bytes } = tensorOf(base, name)
      const count = bytes / 4
      const values = await source.read(at, count)
      const raw = await source.read(at + count, (count / groupSize) * 4)
      const scales = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
      const out = new Float32Array(count)
      for (let i = 0; i < count; i++) {
        out[i] = ((values[i]! << 24) >> 24) * scales.getFloat32(Math.floor(i / groupSize) * 4, true)
      }
      return new Uint8Array(out.buffer)
    },
    location: name => (quantised.has(name) ? undefined : base.location(name)),
  }
}
