/** PEFT's file format: `adapter_config.json` and `adapter_model.safetensors`, both ways. */
import { f32, sameShape, type Tensor } from '@cria/tensor'
import { type ByteSink, decodeTensor, reorderRows, type WeightFile, writeSafetensors } from '@cria/weights'
import { TrainError } from '../errors.js'
import { LoraAdapter, LoraLayer, type LoraSettings, scaleOf } from './adapter.js'
import { type Adaptable, findLinears } from './find.js'

const prefix = 'base_model.model.'

/** The contents of `adapter_config.json`, as PEFT's `LoraConfig` writes it. */
export function peftConfig(
  { settings, layers }: LoraAdapter,
  baseModel: string | null = null,
): Record<string, unknown> {
  const { rank, alpha, rankStabilised, dora, targets } = settings
  const named = targets === 'all-linear' ? [...new Set([...layers.keys()].map(p => p.split('.').at(-1)!))] : targets
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: [...named].sort(),
    use_rslora: rankStabilised,
    use_dora: dora,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    layers_to_transform: null,
    layers_pattern: null,
    rank_pattern: {},
    alpha_pattern: {},
  }
}

/** Writes `adapter_model.safetensors`. */
export async function writePeft(sink: ByteSink, { layers }: LoraAdapter): Promise<void> {
  const tensors: { name: string; tensor: Tensor; data: () => Promise<Uint8Array> }[] = []
  for (const [path, layer] of layers)
    for (const [key, tensor] of Object.entries(tensorsOf(layer))) {
      const data = async (): Promise<Uint8Array> => inOrder(key, await tensor.bytes(), layer._base, 'file')
      tensors.push({ name: prefix + path + key, tensor, data })
    }
  tensors.sort((a, b) => (a.name < b.name ? -1 : 1))
  await writeSafetensors(sink, {
    tensors: tensors.map(({ name, tensor, data }) => ({ name, shape: tensor.shape, dtype: tensor.dtype, data })),
  })
}

/** The bytes of a tensor in the order of the model's rows or the file's; A has no rows of outputs. */
function inOrder(key: string, bytes: Uint8Array, base: Adaptable, of: 'model' | 'file'): Uint8Array {
  const { weight, _interleaved: width } = base
  if (width === undefined || key === '.lora_A.weight') return bytes
  const [from, to] = of === 'model' ? (['half', 'interleaved'] as const) : (['interleaved', 'half'] as const)
  return reorderRows(bytes, weight.shape[0]!, width, from, to)
}

const tensorsOf = (layer: LoraLayer): Record<string, Tensor> => ({
  '.lora_A.weight': layer.loraA,
  '.lora_B.weight': layer.loraB,
  ...(layer.loraMagnitudeVector && { '.lora_magnitude_vector': layer.loraMagnitudeVector }),
})

/**
 * An adapter out of PEFT's files, attached to the model it was trained for.
 *
 * @param config the parsed `adapter_config.json`
 * @throws TrainError for settings that change the result and are not known here, and for tensors that do not fit.
 */
export async function readPeft(model: object, config: unknown, file: WeightFile): Promise<LoraAdapter> {
  const settings = settingsOf(config)
  const known = new Set<string>()
  const layers: [string, LoraLayer][] = []
  const made: Tensor[] = []
  const load = async (path: string, base: Adaptable, key: string, shape: readonly number[]): Promise<Tensor> => {
    const name = prefix + path + key
    known.add(name)
    const info = file.tensors.get(name)
    if (info === undefined || !sameShape(info.shape, shape))
      throw new TrainError(
        `lora: got ${info ? `${name} of [${info.shape}]` : `no tensor ${name}`}, expected [${shape}]. The adapter is of another model or rank`,
        { got: info?.shape, expected: shape },
      )
    const values = new Float32Array(shape.reduce((a, n) => a * n, 1))
    decodeTensor(info.dtype, await file.read(name), values)
    const bytes = inOrder(key, new Uint8Array(values.buffer), base, 'model')
    made.push(base.weight.device.upload(f32(shape), bytes))
    return made.at(-1)!
  }
  try {
    for (const [path, base] of findLinears(model, settings.targets)) {
      const [outputs, inputs] = base.weight.shape as [number, number]
      const a = await load(path, base, '.lora_A.weight', [settings.rank, inputs])
      const b = await load(path, base, '.lora_B.weight', [outputs, settings.rank])
      const magnitude = settings.dora ? await load(path, base, '.lora_magnitude_vector', [outputs]) : undefined
      layers.push([path, new LoraLayer(base, scaleOf(settings), { a, b, magnitude })])
    }
    const unused = [...file.tensors.keys()].filter(name => !known.has(name))
    if (unused.length > 0)
      throw new TrainError(
        `lora: got ${unused.length} tensors that no layer takes (${unused.slice(0, 3).join(', ')}), expected none. Leaving them out would change the model`,
        { got: unused },
      )
  } catch (error) {
    for (const t of made) t.dispose()
    throw error
  }
  return new LoraAdapter(layers, settings).attach()
}

/** Fields that change what an adapter computes, with the only values that mean nothing special. */
const neutral: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ['LORA'],
  bias: ['none', undefined],
  fan_in_fan_out: [false, undefined, null],
  modules_to_save: [null, undefined],
  layers_to_transform: [null, undefined],
  exclude_modules: [null, undefined],
  layer_replication: [null, undefined],
  lora_bias: [false, undefined, null],
  alora_invocation_tokens: [null, undefined],
  target_parameters: [null, undefined],
  trainable_token_indices: [null, undefined],
  // The rest (pissa, olora, corda, loftq, mica, lora_ga) change the base weights, which the adapter is then relative to.
  init_lora_weights: [true, false, undefined, null, 'gaussian', 'eva', 'orthogonal'],
  use_qalora: [false, undefined],
  use_bdlora: [null, false, undefined],
  arrow_config: [null, undefined],
  kasa_config: [null, undefined],
  velora_config: [null, undefined],
  monteclora_config: [null, undefined],
}

function settingsOf(config: unknown): LoraSettings {
  if (typeof config !== 'object' || config === null)
    throw new TrainError('lora: got an adapter_config.json that is no object, expected PEFT’s LoraConfig', {
      got: config,
    })
  const c = config as Record<string, unknown>
  for (const [field, values] of Object.entries(neutral))
    if (!values.includes(c[field])) refuse(field, c[field], values.map(String).join(' or '))
  for (const field of ['rank_pattern', 'alpha_pattern'])
    if (Object.keys(c[field] ?? {}).length > 0) refuse(field, c[field], 'one rank and one alpha for all layers')
  const { r, lora_alpha: alpha, target_modules: targets } = c
  if (typeof r !== 'number' || !Number.isInteger(r) || r < 1) refuse('r', r, 'a whole number ≥ 1')
  if (!Number.isFinite(alpha)) refuse('lora_alpha', alpha, 'a number')
  for (const field of ['use_rslora', 'use_dora'])
    if (typeof (c[field] ?? false) !== 'boolean') refuse(field, c[field], 'true or false')
  const names = targets === 'all-linear' || (Array.isArray(targets) && targets.every(t => typeof t === 'string'))
  if (!names) refuse('target_modules', targets, 'a list of names or "all-linear"')
  return {
    rank: r as number,
    alpha: alpha as number,
    rankStabilised: c.use_rslora === true,
    dora: c.use_dora === true,
    targets: targets as readonly string[] | 'all-linear',
  }
}

function refuse(field: string, got: unknown, expected: string): never {
  throw new TrainError(
    `lora: got ${field} ${JSON.stringify(got)} in adapter_config.json, expected ${expected}. Loading it as plain LoRA would change the model`,
    { got, expected },
  )
}
