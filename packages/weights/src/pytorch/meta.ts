/**
 * Meta's own checkpoints: `consolidated.00.pth` … one file for each rank of model parallelism. Every tensor is cut
 * along one axis, or repeated in all ranks; this puts the pieces together when a tensor is read.
 */

import { unitOf } from '../dtype.js'
import { corrupt, unsupported, WeightsError } from '../errors.js'
import { shown, tensorOf } from '../layout.js'
import { isIgnorable } from '../names.js'
import type { TensorInfo, WeightFile } from '../types.js'

/** Matrices split by output features (rows) and by input features (columns). */
const byRows = /\.(wq|wk|wv|w1|w3)\.(weight|bias)$|^output\.weight$/
const byColumns = /\.(wo|w2)\.weight$/
const repeated = /(^|[._])norm\.weight$|\.(wo|w2)\.bias$/

/**
 * Merges the ranks of a Meta checkpoint.
 *
 * @param ranks the opened files in the order of their numbers
 * @param dim   `dim` of params.json; tells whether the embedding is cut by vocabulary (Llama 3) or by features (before)
 */
export function mergeMeta(ranks: readonly WeightFile[], dim: number): WeightFile {
  const [first] = ranks
  if (!first) throw new WeightsError('missing', 'mergeMeta: got no consolidated.NN.pth')
  const axes = new Map<string, 0 | 1 | undefined>()
  const tensors = new Map<string, TensorInfo>()
  for (const info of first.tensors.values()) {
    const { name } = info
    if (isIgnorable(name)) continue
    const pieces = ranks.map((rank, i) => {
      const piece = rank.tensors.get(name)
      if (!piece) throw new WeightsError('missing', `mergeMeta: tensor ${shown(name)} is not in rank ${i}`)
      if (piece.dtype !== info.dtype || String(piece.shape) !== String(info.shape)) {
        throw corrupt('mergeMeta', `tensor ${shown(name)} differs in type or shape between ranks 0 and ${i}`)
      }
      return piece
    })
    const axis = ranks.length === 1 ? undefined : axisOf(info, dim)
    const shape = info.shape.map((n, i) => (i === axis ? n * pieces.length : n))
    const bytes = axis === undefined ? info.bytes : info.bytes * pieces.length
    tensors.set(name, axis === undefined ? info : { name, dtype: info.dtype, shape, bytes, offset: 0 })
    axes.set(name, axis)
  }
  for (const [i, rank] of ranks.entries()) {
    for (const name of rank.tensors.keys()) {
      if (!isIgnorable(name) && !tensors.has(name))
        throw corrupt('mergeMeta', `tensor ${shown(name)} is only in rank ${i}`)
    }
  }

  const file: WeightFile = {
    format: 'meta',
    naming: 'meta',
    metadata: first.metadata,
    tensors,
    async read(name) {
      const info = tensorOf(file, name)
      const axis = axes.get(name)
      if (axis === undefined) return first.read(name)
      const out = new Uint8Array(info.bytes)
      // Seen as rows, a cut by columns interleaves pieces of rows; a cut by rows is the same with one long row.
      const rows = axis === 0 ? 1 : info.shape[0]!
      const width = info.bytes / rows
      const piece = width / ranks.length
      for (const [i, rank] of ranks.entries()) {
        const from = await rank.read(name)
        for (let row = 0; row < rows; row++)
          out.set(from.subarray(row * piece, (row + 1) * piece), row * width + i * piece)
      }
      return out
    },
    location: name => (axes.get(tensorOf(file, name).name) === undefined ? first.location(name) : undefined),
    async close() {
      for (const rank of ranks) await rank.close()
    },
  }
  return file
}

function axisOf({ name, shape, dtype }: TensorInfo, dim: number): 0 | 1 | undefined {
  if (unitOf(dtype).block !== 1) throw unsupported('mergeMeta', `tensor ${shown(name)} is ${dtype}`)
  if (name === 'tok_embeddings.weight') return shape[1] === dim ? 0 : 1
  if (repeated.test(name)) return undefined
  if (byColumns.test(name)) return 1
  if (byRows.test(name)) return 0
  throw unsupported('mergeMeta', `got the tensor ${shown(name)}, which Meta's LLaMA checkpoints do not have`)
}
