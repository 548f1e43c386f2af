/** Which model gave an answer: what the cache keeps it under. */
import { fingerprint, type Llama } from '@cria/llama'
import { isTensor } from '@cria/tensor'
import { EvaluationError } from './errors.js'

/**
 * SHA-256 over configuration and weights, as they are now: training moves them in place.
 *
 * @throws EvaluationError for a model with a `forward` put in from outside: an adapter's answers do not follow from the
 * model's own weights, and nothing tells it from `recomputeBlocks`, whose do.
 */
export function identityOf(model: Llama): Promise<string> {
  const path = adaptedModule(model)
  if (path !== undefined)
    throw new EvaluationError(
      `cache: got a model with another forward() at ${path} than its own (an adapter is attached, or blocks are recomputed for training), expected one that computes from its weights alone: answers are kept under a hash of those. Merge the adapter, undo recomputeBlocks, or evaluate without a cache`,
      { op: 'cache', got: path },
    )
  return fingerprint(model)
}

/** Path of the first module whose own `forward` is not that of its class: adapters and `recomputeBlocks` put theirs there. */
function adaptedModule(root: object): string | undefined {
  const seen = new Set<object>()
  const find = (value: unknown, path: string): string | undefined => {
    if (typeof value !== 'object' || value === null || isTensor(value) || seen.has(value)) return undefined
    seen.add(value)
    const { forward } = Object.getPrototypeOf(value) ?? {}
    if (typeof forward === 'function' && (value as { forward: unknown }).forward !== forward) return path
    for (const [field, part] of Object.entries(value)) {
      // As `parameters` goes: what begins with an underscore is no part of the module; nor is the device.
      if (field.startsWith('_') || field === 'device') continue
      const found = find(part, path === '' ? field : `${path}.${field}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return find(root, '')
}
