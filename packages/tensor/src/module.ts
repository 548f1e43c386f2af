/**
 * Modules: plain classes whose fields are parameters, other modules, or lists of them. The path of a field is the
 * name of the tensor in a checkpoint (`layers[0].selfAttn.qProj.weight` is `layers.0.self_attn.q_proj.weight`), so no
 * table of names exists.
 */
import { isTensor, type Tensor } from './tensor.js'

/** Where a module takes its tensors from: a checkpoint, or an initialiser. */
export interface ParameterSource {
  /** The tensor of this name. `shape` is what the module needs; another shape is an error. */
  get(name: string, shape: readonly number[]): Tensor
  /** The tensor, or undefined where the source has none. */
  find(name: string, shape: readonly number[]): Tensor | undefined
  /** The same source under a prefix: `source.at('layers.0').get('weight')` is `layers.0.weight`. */
  at(prefix: string | number): ParameterSource
}

const snake = (field: string): string => field.replace(/[A-Z]/g, c => `_${c.toLowerCase()}`)

/**
 * Every tensor in a module by its checkpoint name, in the order of its fields. A tensor that two fields share (tied
 * embeddings) is listed once. Fields whose name starts with `_` are no parameters.
 *
 * @example
 * const { value, grads } = valueAndGrad(() => loss(model), parameters(model))
 */
export function parameters(module: object): Record<string, Tensor> {
  const found: Record<string, Tensor> = {}
  const seen = new Set<object>()
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    if (isTensor(value)) {
      seen.add(value)
      found[path] = value
    } else if (Array.isArray(value)) {
      value.forEach((v, i) => visit(v, `${path}.${i}`))
    } else if (value === module || Object.getPrototypeOf(value) !== Object.prototype) {
      seen.add(value)
      for (const [field, v] of Object.entries(value))
        if (!field.startsWith('_')) visit(v, path === '' ? snake(field) : `${path}.${snake(field)}`)
    }
  }
  visit(module, '')
  return found
}

/** Frees every tensor of a module. */
export function disposeModule(module: object): void {
  for (const t of Object.values(parameters(module))) t.dispose()
}
