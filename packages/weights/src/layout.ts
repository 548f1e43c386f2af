/** Checks on tensor tables that all formats share, and the plain reader built on a checked table. */
import { tensorBytes } from './dtype.js'
import { corrupt, WeightsError } from './errors.js'
import { type ByteSource, checkRange } from './source.js'
import type { Naming, TensorInfo, TensorLocation, WeightFile, WeightFormat } from './types.js'

const maxRank = 8

/** Adds a tensor to a table after checking rank, size and range. `bytes` is what the file claims, if it does. */
export function addTensor(
  table: Map<string, TensorInfo>,
  source: ByteSource,
  tensor: Omit<TensorInfo, 'bytes'>,
  claimed?: number,
): void {
  const { name, shape, dtype, offset } = tensor
  if (table.has(name)) throw corrupt(source.name, `got two tensors named ${shown(name)}`)
  if (shape.length > maxRank || !shape.every(n => Number.isSafeInteger(n) && n >= 0)) {
    throw corrupt(
      source.name,
      `tensor ${shown(name)}: got shape [${shape.slice(0, 9)}], expected at most ${maxRank} axes`,
    )
  }
  const bytes = tensorBytes(dtype, shape)
  if (bytes === undefined) throw corrupt(source.name, `tensor ${shown(name)}: shape [${shape}] does not fit ${dtype}`)
  if (claimed !== undefined && claimed !== bytes) {
    throw corrupt(source.name, `tensor ${shown(name)}: got ${claimed} bytes, expected ${bytes} for [${shape}] ${dtype}`)
  }
  checkRange(source, offset, bytes)
  table.set(name, { ...tensor, bytes })
}

/** Refuses tensors of one file that share bytes. */
export function checkOverlaps(file: string, table: Iterable<TensorInfo>): void {
  const sorted = [...table].filter(t => t.bytes > 0).sort((a, b) => a.offset - b.offset)
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1]!
    const tensor = sorted[i]!
    if (before.offset + before.bytes > tensor.offset) {
      throw corrupt(file, `tensors ${shown(before.name)} and ${shown(tensor.name)} overlap`)
    }
  }
}

/** Names come from files: cut and escape them before they reach a terminal. */
export const shown = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)

export function tensorOf(file: WeightFile, name: string): TensorInfo {
  const tensor = file.tensors.get(name)
  if (tensor) return tensor
  throw new WeightsError(
    'missing',
    `read: got tensor ${shown(name)}, expected one of the ${file.tensors.size} in this file`,
    {
      got: name,
    },
  )
}

/** A weight file whose every tensor is one range of one source. */
export function rangeFile(
  format: WeightFormat,
  naming: Naming,
  metadata: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, TensorInfo>,
  sourceOf: (tensor: TensorInfo) => ByteSource,
  sources: readonly ByteSource[],
): WeightFile {
  const file: WeightFile = {
    format,
    naming,
    metadata,
    tensors,
    async read(name) {
      const tensor = tensorOf(file, name)
      return sourceOf(tensor).read(tensor.offset, tensor.bytes)
    },
    location(name): TensorLocation | undefined {
      const tensor = tensorOf(file, name)
      const { path } = sourceOf(tensor)
      return path === undefined ? undefined : { path, offset: tensor.offset, bytes: tensor.bytes }
    },
    async close() {
      for (const source of sources) await source.close?.()
    },
  }
  return file
}
