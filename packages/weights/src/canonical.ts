/** A view of any weight file under Hugging Face's names. */
import { WeightsError } from './errors.js'
import { shown } from './layout.js'
import { canonicalName, isIgnorable } from './names.js'
import type { TensorInfo, WeightFile } from './types.js'

/**
 * Renames the tensors of a file to HF names, without reading them. Recomputable buffers are left out.
 *
 * @throws WeightsError `unsupported` for a tensor that a LLaMA-like model does not have (an expert, a second norm):
 *   dropping it would change the model
 * @example
 * const weights = canonical(await openGguf(source))
 * weights.tensors.get('model.layers.0.self_attn.q_proj.weight')
 */
export function canonical(file: WeightFile): WeightFile {
  const original = new Map<string, string>()
  const tensors = new Map<string, TensorInfo>()
  for (const tensor of file.tensors.values()) {
    if (isIgnorable(tensor.name)) continue
    const name = canonicalName(file.naming, tensor.name)
    if (name === undefined) {
      throw new WeightsError(
        'unsupported',
        `canonical: got the tensor ${shown(tensor.name)}, which no LLaMA-like model has. This architecture is not supported`,
        { got: tensor.name },
      )
    }
    if (tensors.has(name)) throw new WeightsError('format', `canonical: two tensors would be called ${shown(name)}`)
    tensors.set(name, { ...tensor, name })
    original.set(name, tensor.name)
  }
  const of = (name: string): string => {
    const known = original.get(name)
    if (known !== undefined) return known
    throw new WeightsError(
      'missing',
      `read: got tensor ${shown(name)}, expected one of the ${tensors.size} in this model`,
      {
        got: name,
      },
    )
  }
  return {
    format: file.format,
    naming: 'hf',
    metadata: file.metadata,
    tensors,
    read: name => file.read(of(name)),
    location: name => file.location(of(name)),
    close: () => file.close(),
  }
}
