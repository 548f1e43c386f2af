/** Reading PyTorch checkpoints (`torch.save` since 1.6: a zip archive with a pickle and one entry for each storage). */
import { elementCount, type FileDType, unitOf } from '../dtype.js'
import { corrupt, unsupported, WeightsError } from '../errors.js'
import { addTensor, rangeFile, shown, tensorOf } from '../layout.js'
import type { ByteSource } from '../source.js'
import type { TensorInfo, WeightFile } from '../types.js'
import { isKind, type PickleValue, type TensorRef, unpickle } from './unpickle.js'
import { readZip, type ZipEntry } from './zip.js'

const maxPickle = 64 * 2 ** 20

/** Dictionaries in which training scripts keep the weights beside optimiser and counters. */
const wrappers = ['state_dict', 'model', 'module', 'model_state_dict']

/**
 * Opens a `.pth`, `.pt` or `.bin` checkpoint. Nothing of the file is executed: the pickle may only describe tensors,
 * dictionaries, lists and plain values.
 *
 * @throws WeightsError `unsupported` for other globals (named), for the format before PyTorch 1.6, for sparse and
 *   big-endian data; `format` for corrupt archives
 */
export async function openPytorch(source: ByteSource): Promise<WeightFile> {
  const { name: file } = source
  await refuseOtherFormats(source)
  const entries = await readZip(source)
  const pickle = [...entries.keys()].find(name => /^[^/]+\/data\.pkl$/.test(name))
  if (pickle === undefined) throw corrupt(file, 'got a zip archive without data.pkl, expected a PyTorch checkpoint')
  const root = pickle.slice(0, -'data.pkl'.length)
  const order = entries.get(`${root}byteorder`)
  if (order && order.bytes <= 16) {
    const text = new TextDecoder().decode(await source.read(order.offset, order.bytes))
    if (text !== 'little') throw unsupported(file, `got byte order ${shown(text)}, expected little`)
  }
  const { offset, bytes } = entries.get(pickle)!
  if (bytes > maxPickle) throw corrupt(file, `got a pickle of ${bytes} bytes, more than any state_dict needs`)
  const { weights, metadata } = findWeights(file, unpickle(file, await source.read(offset, bytes)))

  const tensors = new Map<string, TensorInfo>()
  const strided = new Map<string, TensorRef>()
  for (const [name, tensor] of weights) {
    addTensor(tensors, source, { name, ...place(file, name, tensor, entries.get(`${root}data/${tensor.storage.key}`)) })
    if (!isContiguous(tensor)) strided.set(name, tensor)
  }
  const naming = tensors.has('tok_embeddings.weight') ? 'meta' : 'hf'
  const base = rangeFile('pytorch', naming, metadata, tensors, () => source, [source])
  if (strided.size === 0) return base
  return {
    ...base,
    async read(name) {
      const tensor = strided.get(name)
      return tensor ? gather(source, tensorOf(base, name), tensor) : base.read(name)
    },
    location: name => (strided.has(name) ? undefined : base.location(name)),
  }
}

async function refuseOtherFormats(source: ByteSource): Promise<void> {
  const { name: file } = source
  if (source.size < 22) throw corrupt(file, `got ${source.size} bytes, expected a PyTorch checkpoint`)
  const head = await source.read(0, 4)
  if (head[0] === 0x50 && head[1] === 0x4b) return
  if (head[0] === 0x80 && head[1]! <= 5) {
    throw unsupported(
      file,
      'got the legacy PyTorch format (before 1.6, not a zip archive), which is refused. Save it again with torch.save or as safetensors',
    )
  }
  throw corrupt(file, 'got other bytes, expected a PyTorch zip checkpoint')
}

function findWeights(
  file: string,
  root: PickleValue,
): { weights: [string, TensorRef][]; metadata: Record<string, unknown> } {
  if (!(root instanceof Map))
    throw unsupported(file, 'the checkpoint is not a dictionary. Save the state_dict of the model')
  let dictionary: Map<PickleValue, PickleValue> = root
  // Many entries may be one dictionary: looked through for each of them, a small file would take minutes.
  const known = new Map<Map<PickleValue, PickleValue>, boolean>()
  const hasTensors = (map: Map<PickleValue, PickleValue>): boolean => {
    let has = known.get(map)
    if (has === undefined) known.set(map, (has = [...map.values()].some(v => isKind(v, 'tensor'))))
    return has
  }
  for (let depth = 0; depth < 3 && !hasTensors(dictionary); depth++) {
    const inner: PickleValue | undefined = wrappers.map(key => dictionary.get(key)).find(value => value instanceof Map)
    if (inner instanceof Map) dictionary = inner
  }
  const weights: [string, TensorRef][] = []
  const metadata: Record<string, unknown> = Object.create(null)
  for (const [key, value] of dictionary) {
    if (typeof key !== 'string') continue
    if (isKind(value, 'tensor')) weights.push([key.replace(/^(_orig_mod|module)\./, ''), value])
    else if (value === null || typeof value !== 'object') metadata[key] = value
    else if (value instanceof Map && hasTensors(value)) {
      throw unsupported(file, `the tensors of ${shown(key)} are nested. Save the state_dict of the model alone`)
    }
  }
  if (weights.length === 0) throw new WeightsError('missing', `${file}: got a checkpoint without tensors`, { file })
  return { weights, metadata }
}

/** Checks a tensor against its storage and says where its first element lies. */
function place(
  file: string,
  name: string,
  { storage, offset, shape, strides }: TensorRef,
  entry: ZipEntry | undefined,
): Omit<TensorInfo, 'bytes' | 'name'> {
  const dtype = storage.type as FileDType
  const { bytes: size } = unitOf(dtype)
  if (!entry)
    throw new WeightsError('missing', `${file}: tensor ${shown(name)}: its storage is not in the archive`, { file })
  if (storage.elements * size !== entry.bytes) {
    throw corrupt(
      file,
      `tensor ${shown(name)}: got a storage of ${entry.bytes} bytes, expected ${storage.elements} × ${dtype}`,
    )
  }
  const count = elementCount(shape)
  // A view may repeat elements (stride 0); one larger than its storage is refused, so reading stays within the file's size.
  const last = count === 0 ? offset - 1 : shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, offset)
  if (!(last < storage.elements) || count > storage.elements) {
    throw corrupt(
      file,
      `tensor ${shown(name)}: [${shape.slice(0, 9)}] with strides [${strides.slice(0, 9)}] exceeds its storage`,
    )
  }
  return { shape, dtype, offset: entry.offset + (count === 0 ? 0 : offset * size) }
}

function isContiguous({ shape, strides }: TensorRef): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false
    expected *= shape[i]!
  }
  return true
}

/** Copies a strided view (a transposed weight, say) into row-major order. */
async function gather(source: ByteSource, info: TensorInfo, { shape, strides }: TensorRef): Promise<Uint8Array> {
  const { bytes: size } = unitOf(info.dtype)
  const span = shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, 0) + 1
  const from = info.bytes === 0 ? new Uint8Array(0) : await source.read(info.offset, span * size)
  const out = new Uint8Array(info.bytes)
  const index = shape.map(() => 0)
  for (let at = 0, element = 0; at < out.length; at += size) {
    for (let b = 0; b < size; b++) out[at + b] = from[element * size + b]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      element += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      element -= shape[axis]! * strides[axis]!
      index[axis] = 0
    }
  }
  return out
}
