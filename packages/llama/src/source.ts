/** Where a model's tensors come from: a checkpoint that is on the device already, or an initialiser. */
import {
  ArgumentError,
  type Device,
  f32,
  full,
  mul,
  normal,
  type ParameterSource,
  randomKey,
  ShapeError,
  sameShape,
  type Tensor,
} from '@cria/tensor'

/**
 * Tensors by checkpoint name. `unused` names what the model did not ask for, so that a checkpoint of something else
 * is noticed.
 */
export interface CheckpointSource extends ParameterSource {
  unused(): readonly string[]
}

/** @throws ArgumentError for a missing tensor, ShapeError for another shape than the model's. */
export function checkpointSource(tensors: ReadonlyMap<string, Tensor>): CheckpointSource {
  const taken = new Set<string>()
  const under = (prefix: string): CheckpointSource => {
    const find = (name: string, shape: readonly number[]): Tensor | undefined => {
      const t = tensors.get(prefix + name)
      if (t === undefined) return undefined
      if (!sameShape(t.shape, shape)) {
        throw new ShapeError(
          `checkpoint: got ${prefix}${name} of [${t.shape}], expected [${shape}]. The configuration and the weights disagree`,
          { op: 'checkpoint', got: t.shape, expected: shape },
        )
      }
      taken.add(prefix + name)
      return t
    }
    return {
      find,
      get(name, shape) {
        const t = find(name, shape)
        if (t !== undefined) return t
        throw new ArgumentError(
          `checkpoint: got no tensor ${prefix}${name}, expected [${shape}]. It holds ${tensors.size} tensors: ${[...tensors.keys()].slice(0, 3).join(', ')} …`,
          { op: 'checkpoint', expected: prefix + name },
        )
      },
      at: part => under(`${prefix}${part}.`),
      unused: () => [...tensors.keys()].filter(name => !taken.has(name)),
    }
  }
  return under('')
}

export interface InitOptions {
  readonly seed?: number
  /** Standard deviation of matrices. Default 0.02 (GPT-2, llama2.c). */
  readonly std?: number
  /** Residual-writing matrices (o_proj, down_proj) get std / √(2 · layers) (GPT-2). Default: no scaling. */
  readonly layers?: number
}

/** Fresh f32 parameters: matrices from N(0, std), norms 1, biases 0. The same seed gives the same model everywhere. */
export function randomSource(device: Device, { seed = 0, std = 0.02, layers }: InitOptions = {}): ParameterSource {
  let counter = 0
  const make = (name: string, shape: readonly number[]): Tensor => {
    f32(shape)
    const key = counter++
    return device.scope(() => {
      if (shape.length === 1) return full(device, shape, name.endsWith('bias') ? 0 : 1)
      const residual = layers !== undefined && /(o_proj|down_proj)\./.test(name)
      return mul(normal(randomKey(device, seed, key), shape), residual ? std / Math.sqrt(2 * layers) : std)
    })
  }
  const under = (prefix: string): ParameterSource => ({
    get: (name, shape) => make(prefix + name, shape),
    find: (name, shape) => make(prefix + name, shape),
    at: part => under(`${prefix}${part}.`),
  })
  return under('')
}
