/**
 * Initialisation by name. The LLaMA papers state none, so each choice is that of a public training code, with its source.
 * A tensor's numbers depend on its name and the seed alone: a variant with one more tensor keeps all the others.
 */
import {
  abs,
  type Device,
  f32,
  full,
  lessEqual,
  maximum,
  minimum,
  mul,
  normal,
  type ParameterSource,
  randomKey,
  select,
  type Tensor,
} from '@cria/tensor'
import { checkSeed } from './data/shuffle.js'
import { TrainError } from './errors.js'

/** Whose numbers. */
export type InitScheme = 'llama2.c' | 'nanoGPT' | 'torchtitan' | 'gpt-neox'

export interface InitOptions {
  /** Blocks of the model: what writes into the residual stream is scaled by their number. */
  readonly layers: number
  /** Default 0. */
  readonly seed?: number
}

type Role = 'embedding' | 'output' | 'writesAttention' | 'up' | 'writesMlp' | 'other'

const roles: readonly [RegExp, Role][] = [
  [/(^|\.)(embed_tokens|wte|tok_embeddings)\.weight$/, 'embedding'],
  [/(^|\.)(lm_head|output)\.weight$/, 'output'],
  [/(^|\.)(o_proj|wo|c_proj)\.weight$/, 'writesAttention'],
  [/(^|\.)(up_proj|w3)\.weight$/, 'up'],
  [/(^|\.)(down_proj|w2)\.weight$/, 'writesMlp'],
]

const writes = (role: Role): boolean => role === 'writesAttention' || role === 'writesMlp'

interface Draw {
  readonly std: number
  /** Redrawn beyond this many standard deviations. */
  readonly cut?: number
}

/** Standard deviation of a matrix that reads or writes a residual stream of this `width`; `block` counts from 0. */
const schemes: Record<InitScheme, (role: Role, width: number, layers: number, block: number) => Draw> = {
  // llama2.c `model.py`: N(0, 0.02); `wo` and `w3` at 0.02/√(2L). (w3 is the up projection, not the one that writes.)
  'llama2.c': (role, _, layers) => ({
    std: role === 'writesAttention' || role === 'up' ? 0.02 / Math.sqrt(2 * layers) : 0.02,
  }),
  // nanoGPT `model.py` and GPT-2 §2.3: N(0, 0.02); what writes into the residual stream at 0.02/√(2L).
  nanoGPT: (role, _, layers) => ({
    std: writes(role) ? 0.02 / Math.sqrt(2 * layers) : 0.02,
  }),
  // torchtitan `models/llama3`: 0.02; wo, w2 and w3 of block i at 0.02/√(2(i+1)); embedding N(0, 1); output dim^-½ cut at 3σ.
  torchtitan: (role, width, _, block) => {
    if (role === 'embedding') return { std: 1 }
    if (role === 'output') return { std: width ** -0.5, cut: 3 }
    return { std: role === 'other' ? 0.02 : 0.02 / Math.sqrt(2 * (block + 1)) }
  },
  // GPT-NeoX as in litgpt `pretrain.py`: √(2/(5·dim)); what writes into the residual stream 1/(√dim·L).
  'gpt-neox': (role, width, layers) => ({
    std: writes(role) ? 1 / (Math.sqrt(width) * layers) : Math.sqrt(2 / (5 * width)),
  }),
}

/**
 * Fresh f32 parameters for a model: matrices as the scheme says, norms 1, biases 0.
 *
 * @example
 * const model = new Llama(config, initialise(device, 'llama2.c', { layers: config.numHiddenLayers, seed: 1 }))
 */
export function initialise(device: Device, scheme: InitScheme, { layers, seed = 0 }: InitOptions): ParameterSource {
  const drawOf = schemes[scheme]
  if (drawOf === undefined)
    throw new TrainError(
      `initialise: got scheme ${String(scheme)}, expected one of ${Object.keys(schemes).join(', ')}`,
      { got: scheme },
    )
  if (!Number.isInteger(layers) || layers < 1)
    throw new TrainError(`initialise: got ${layers} layers, expected the model's number of blocks`, { got: layers })
  checkSeed('initialise', seed, TrainError)
  const make = (name: string, shape: readonly number[]): Tensor => {
    f32(shape)
    if (shape.length < 2) return full(device, shape, name.endsWith('bias') ? 0 : 1)
    const role = roles.find(([pattern]) => pattern.test(name))?.[1] ?? 'other'
    const block = Number(/(?:^|\.)(?:layers|h|blocks)\.(\d+)\./.exec(name)?.[1] ?? 0)
    // What writes into the stream has its width as outputs: o_proj and down_proj read something wider or narrower.
    const width = shape.at(writes(role) ? 0 : -1)!
    return draw(device, shape, drawOf(role, width, layers, block), seed, hash(name))
  }
  const under = (prefix: string): ParameterSource => ({
    get: (name, shape) => make(prefix + name, shape),
    find: (name, shape) => make(prefix + name, shape),
    at: part => under(`${prefix}${part}.`),
  })
  return under('')
}

function draw(device: Device, shape: readonly number[], { std, cut }: Draw, seed: number, name: number): Tensor {
  return device.scope(() => {
    let z = normal(randomKey(device, seed, name), shape)
    if (cut !== undefined) {
      // 0.3 % of draws lie beyond 3σ; after four more the rest (one in 10¹³) is clamped.
      for (let again = 1; again <= 4; again++)
        z = select(lessEqual(abs(z), cut), z, normal(randomKey(device, seed, (name + again) >>> 0), shape))
      z = minimum(maximum(z, -cut), cut)
    }
    return mul(z, std)
  })
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193) >>> 0
  return h
}
