/** `cria synth`: a GGUF of a known shape with random weights. Speed does not depend on what the numbers are. */
import { type LlamaConfig, type PresetName, preset, presetNames } from '@cria/llama'
import {
  encodeBlocks,
  encodeFloats,
  fittingDType,
  type GgufValue,
  ggufNameOfHf,
  llama3Divisors,
  quantDTypes,
  type TensorInput,
  tensorBytes,
  type WrittenDType,
  writeGguf,
} from '@cria/weights'
import { fileSink } from '@cria/weights/node'
import { InputError, UsageError } from '../errors.js'
import { bytes, note } from '../output.js'

export interface SynthOptions {
  readonly shape: string
  readonly type: string
  readonly out: string
  readonly seed: number
}

const floats = ['f32', 'f16', 'bf16'] as const
/** Types that can be asked for, all of them. */
export const synthTypes: readonly WrittenDType[] = [...quantDTypes, ...floats]

export async function synth({ shape, type, out, seed }: SynthOptions): Promise<void> {
  if (!presetNames.includes(shape as PresetName))
    throw new UsageError(`--shape: got ${shape}, expected one of ${presetNames.join(', ')}`)
  const dtype = type.toLowerCase()
  if (!synthTypes.includes(dtype as WrittenDType))
    throw new UsageError(`--type: got ${type}, expected one of ${synthTypes.join(', ').toUpperCase()}`)
  const tensors = await writeSynthetic(preset(shape as PresetName), {
    name: shape,
    dtype: dtype as WrittenDType,
    seed,
    out,
  })
  const other = new Map(
    tensors.filter(t => t.shape.length > 1 && t.dtype !== dtype).map(t => [t.shape.at(-1), t.dtype]),
  )
  for (const [width, got] of other) note(`rows of ${width}: ${got}, since they do not fit ${dtype}`)
  note(`${out}: ${tensors.length} tensors, ${bytes(tensors.reduce((a, t) => a + tensorBytes(t.dtype, t.shape)!, 0))}`)
}

/** Writes random weights of any configuration. Rows that do not fit the type get the one that `convert` gives them. */
export async function writeSynthetic(
  config: LlamaConfig,
  { name, dtype, seed, out }: { name: string; dtype: WrittenDType; seed: number; out: string },
): Promise<TensorInput[]> {
  const tensors = tensorsOf(config, dtype, seed)
  const sink = await fileSink(out)
  try {
    await writeGguf(sink, { metadata: metadataOf(config, name), tensors })
    await sink.close()
  } catch (error) {
    await sink.abort?.()
    throw error
  }
  return tensors
}

function tensorsOf(c: LlamaConfig, dtype: WrittenDType, seed: number): TensorInput[] {
  const fillers = new Map<WrittenDType, Filler>()
  const matrix = (name: string, rows: number, cols: number): TensorInput => {
    const fitting = fittingDType(dtype, [rows, cols])
    const random = fillers.get(fitting) ?? new Filler(fitting, seed)
    fillers.set(fitting, random)
    return {
      name: ggufNameOfHf(name)!,
      shape: [rows, cols],
      dtype: fitting,
      data: () => random.matrix(rows, cols),
    }
  }
  const vector = (name: string, n: number, value: number): TensorInput => ({
    name: ggufNameOfHf(name)!,
    shape: [n],
    dtype: 'f32',
    data: () => encodeFloats('f32', new Float32Array(n).fill(value)),
  })
  const q = c.numAttentionHeads * c.headDim
  const kv = c.numKeyValueHeads * c.headDim
  const out = [
    matrix('model.embed_tokens.weight', c.vocabSize, c.hiddenSize),
    vector('model.norm.weight', c.hiddenSize, 1),
  ]
  if (!c.tieWordEmbeddings) out.push(matrix('lm_head.weight', c.vocabSize, c.hiddenSize))
  for (let i = 0; i < c.numHiddenLayers; i++) {
    const at = (part: string): string => `model.layers.${i}.${part}`
    out.push(
      vector(at('input_layernorm.weight'), c.hiddenSize, 1),
      matrix(at('self_attn.q_proj.weight'), q, c.hiddenSize),
      matrix(at('self_attn.k_proj.weight'), kv, c.hiddenSize),
      matrix(at('self_attn.v_proj.weight'), kv, c.hiddenSize),
      matrix(at('self_attn.o_proj.weight'), c.hiddenSize, q),
      vector(at('post_attention_layernorm.weight'), c.hiddenSize, 1),
      matrix(at('mlp.gate_proj.weight'), c.intermediateSize, c.hiddenSize),
      matrix(at('mlp.up_proj.weight'), c.intermediateSize, c.hiddenSize),
      matrix(at('mlp.down_proj.weight'), c.hiddenSize, c.intermediateSize),
    )
    if (c.attentionBias)
      out.push(
        vector(at('self_attn.q_proj.bias'), q, 0),
        vector(at('self_attn.k_proj.bias'), kv, 0),
        vector(at('self_attn.v_proj.bias'), kv, 0),
      )
    if (c.qkNorm)
      out.push(vector(at('self_attn.q_norm.weight'), c.headDim, 1), vector(at('self_attn.k_norm.weight'), c.headDim, 1))
  }
  const divisors = divisorsOf(c)
  if (divisors)
    out.push({
      name: 'rope_freqs.weight',
      shape: [divisors.length],
      dtype: 'f32',
      data: () => encodeFloats('f32', divisors),
    })
  return out
}

/** Llama 3.1 to 3.3 carry their scaling as a tensor, as llama.cpp's converter writes it. */
function divisorsOf({ headDim, ropeTheta, ropeScaling }: LlamaConfig): Float32Array | undefined {
  if (ropeScaling.type === 'default') return undefined
  if (ropeScaling.type === 'llama3') return llama3Divisors({ headDim, ropeTheta, ropeScaling })
  throw new InputError(`synth: got RoPE scaling "${ropeScaling.type}", expected none or llama3's`)
}

/** Encodes a pool of random values once and repeats it: a billion weights in seconds. */
class Filler {
  private readonly pool: Uint8Array
  private at = 0

  constructor(
    private readonly dtype: WrittenDType,
    seed: number,
  ) {
    const values = new Float32Array(1 << 20)
    let state = (seed * 2 + 1) >>> 0
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      values[i] = (state / 2 ** 31 - 1) * 0.04
    }
    if (dtype === 'f32' || dtype === 'f16' || dtype === 'bf16') this.pool = encodeFloats(dtype, values)
    else encodeBlocks(dtype, values, (this.pool = new Uint8Array(tensorBytes(dtype, [values.length])!)))
  }

  matrix(rows: number, cols: number): Uint8Array {
    const out = new Uint8Array(tensorBytes(this.dtype, [rows, cols])!)
    for (let done = 0; done < out.length; ) {
      const piece = this.pool.subarray(this.at, this.at + out.length - done)
      out.set(piece, done)
      done += piece.length
      this.at = (this.at + piece.length) % this.pool.length
    }
    return out
  }
}

/** What llama.cpp and Cria need to load it. The vocabulary is made up: one token for each id. */
function metadataOf(c: LlamaConfig, name: string): Map<string, GgufValue> {
  const arch = c.qkNorm ? 'qwen3' : c.attentionBias ? 'qwen2' : 'llama'
  const u32 = (value: number): GgufValue => ({ type: 'u32', value })
  const f32 = (value: number): GgufValue => ({ type: 'f32', value })
  const text = (value: string): GgufValue => ({ type: 'string', value })
  const byte = (i: number): string => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`
  const tokens = Array.from({ length: c.vocabSize }, (_, i) =>
    i === 0 ? '<unk>' : i === 1 ? '<s>' : i === 2 ? '</s>' : i < 259 ? byte(i - 3) : `t${i}`,
  )
  const types = Int32Array.from(tokens, (_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1))
  return new Map<string, GgufValue>([
    ['general.architecture', text(arch)],
    ['general.name', text(`${name}, random weights`)],
    [`${arch}.vocab_size`, u32(c.vocabSize)],
    [`${arch}.context_length`, u32(c.maxPositionEmbeddings)],
    [`${arch}.embedding_length`, u32(c.hiddenSize)],
    [`${arch}.block_count`, u32(c.numHiddenLayers)],
    [`${arch}.feed_forward_length`, u32(c.intermediateSize)],
    [`${arch}.attention.head_count`, u32(c.numAttentionHeads)],
    [`${arch}.attention.head_count_kv`, u32(c.numKeyValueHeads)],
    [`${arch}.attention.key_length`, u32(c.headDim)],
    [`${arch}.attention.value_length`, u32(c.headDim)],
    [`${arch}.attention.layer_norm_rms_epsilon`, f32(c.rmsNormEps)],
    [`${arch}.rope.dimension_count`, u32(c.ropeWidth)],
    [`${arch}.rope.freq_base`, f32(c.ropeTheta)],
    ['tokenizer.ggml.model', text('llama')],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: tokens }],
    ['tokenizer.ggml.scores', { type: 'array', of: 'f32', value: Float32Array.from(tokens, (_, i) => -i) }],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'i32', value: types }],
    ['tokenizer.ggml.bos_token_id', u32(1)],
    ['tokenizer.ggml.eos_token_id', u32(2)],
  ])
}
