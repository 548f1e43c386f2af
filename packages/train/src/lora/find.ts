/** The linear layers of a module by the names that their weights have in a checkpoint. */
import { isTensor, type Tensor } from '@cria/tensor'
import { TrainError } from '../errors.js'

/** A layer that an adapter can stand before: `linear(x, weight, bias)` behind a `forward`. */
export interface Adaptable {
  readonly weight: Tensor // [out, in]
  readonly bias?: Tensor | undefined
  /**
   * Width of the heads whose rows are in interleaved rotary order (GGUF of arch llama, Meta); PEFT's files have them
   * half-split and are reordered on the way in and out. Absent where rows are as in the file.
   */
  readonly _interleaved?: number | undefined
  forward(x: Tensor): Tensor
}

const snake = (field: string): string => field.replace(/[A-Z]/g, c => `_${c.toLowerCase()}`)

/** Layers whose product does not go through `forward` everywhere: loss functions multiply with them in pieces. */
const outside = /(^|\.)(lm_head|embed_tokens|output|tok_embeddings)$/

/**
 * Layers whose name is a target or ends in `.target`; `all-linear`: every one but the output layer, as in PEFT.
 *
 * @throws TrainError when a target has no layer, naming what there is.
 */
export function findLinears(model: object, targets: readonly string[] | 'all-linear'): Map<string, Adaptable> {
  if (targets !== 'all-linear' && !(Array.isArray(targets) && targets.every(t => typeof t === 'string')))
    throw new TrainError(
      `lora: got targets ${String(targets)}, expected a list of names, ['q_proj', 'v_proj'], or 'all-linear'`,
      { got: targets },
    )
  const all = linearsOf(model)
  const wanted = (path: string, target: string): boolean => path === target || path.endsWith(`.${target}`)
  const found = new Map<string, Adaptable>()
  for (const [path, layer] of all)
    if (targets === 'all-linear' ? !outside.test(path) : targets.some(t => wanted(path, t))) found.set(path, layer)
  const missing = targets === 'all-linear' ? [] : targets.filter(t => ![...all.keys()].some(path => wanted(path, t)))
  if (found.size === 0 || missing.length > 0)
    throw new TrainError(
      `lora: got targets ${String(targets)}, expected names of layers; none is called ${missing.join(', ') || 'so'}. There are ${[...new Set([...all.keys()].map(p => p.split('.').at(-1)))].join(', ')}`,
      { got: targets },
    )
  const refused = [...found.keys()].find(path => outside.test(path))
  if (refused)
    throw new TrainError(
      `lora: got target ${refused}, expected layers inside the network. Losses multiply with the output layer in pieces, past any adapter`,
      { got: refused },
    )
  return found
}

function linearsOf(model: object): Map<string, Adaptable> {
  const found = new Map<string, Adaptable>()
  const seen = new Set<object>()
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || seen.has(value) || isTensor(value)) return
    if (Array.isArray(value)) {
      value.forEach((v, i) => visit(v, `${path}.${i}`))
      return
    }
    if (value !== model && Object.getPrototypeOf(value) === Object.prototype) return
    seen.add(value)
    const layer = value as Partial<Adaptable>
    if (isTensor(layer.weight) && layer.weight.rank === 2 && typeof layer.forward === 'function')
      found.set(path, layer as Adaptable)
    for (const [field, v] of Object.entries(value))
      if (!field.startsWith('_')) visit(v, path === '' ? snake(field) : `${path}.${snake(field)}`)
  }
  visit(model, '')
  return found
}
