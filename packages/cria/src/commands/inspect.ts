/** `cria inspect`: what is in a model file, without loading it. */
import { configOf, estimate } from '@cria/llama'
import type { Model, WeightFile } from '@cria/weights'
import { openModelAt, openWeights } from '@cria/weights/node'
import { vocabularyProblem } from '../model.js'
import { bytes, print, printJson } from '../output.js'
import { resolveModel } from '../resolve.js'
import { tokenizerOf } from '../tokenizer.js'

export async function inspect(name: string, { json }: { json?: boolean }): Promise<void> {
  const path = await resolveModel(name)
  let file: WeightFile
  let model: Model | undefined
  let why: string | undefined
  try {
    model = await openModelAt(path)
    file = model.weights
  } catch (error) {
    // A file of weights alone (an adapter, say) has tensors to show, but no model.
    why = (error as Error).message
    file = await openWeights(path)
  }
  const tensors = [...file.tensors.values()]
  const weightBytes = tensors.reduce((a, t) => a + t.bytes, 0)
  const config = model && (await configOf(model.config, file))
  let tokenizerProblem: string | undefined
  const tokenizer =
    model &&
    (await tokenizerOf(model).catch((error: Error) => {
      tokenizerProblem = error.message
      return undefined
    }))
  if (tokenizer) tokenizerProblem = vocabularyProblem(tokenizer, model!.config.vocab)
  const memory = config && {
    weights: weightBytes,
    cache: estimate(config, { cacheDType: config.cacheDType }).cacheBytes,
    parameters: estimate(config).parameters,
  }
  const metadata = Object.fromEntries(Object.entries(file.metadata).map(([k, v]) => [k, short(v)]))
  if (json) {
    await printJson({
      path,
      format: file.format,
      metadata,
      config: model?.config ?? null,
      ...(why && { problem: why }),
      tokenizer: tokenizer
        ? {
            vocabSize: tokenizer.vocabSize,
            bos: tokenizer.bosId ?? null,
            eos: tokenizer.eosIds,
            chatTemplate: tokenizer.chatTemplate ?? null,
          }
        : null,
      ...(tokenizerProblem && { tokenizerProblem }),
      tensors: tensors.map(({ name: n, shape, dtype, bytes: size }) => ({ name: n, shape, dtype, bytes: size })),
      memory: memory ?? null,
    })
  } else {
    await print(`${path}: ${file.format}\n`)
    for (const [k, v] of Object.entries(metadata))
      await print(`  ${k}: ${typeof v === 'string' ? v.slice(0, 100).replaceAll('\n', '⏎') : JSON.stringify(v)}\n`)
    if (model) await print(`configuration: ${JSON.stringify(model.config)}\n`)
    if (why) await print(`no model: ${why}\n`)
    if (tokenizer)
      await print(
        `tokenizer: ${tokenizer.vocabSize} tokens, BOS ${tokenizer.bosId ?? '–'}, ends ${tokenizer.eosIds.join(', ') || '–'}${tokenizer.chatTemplate ? ', with a chat template' : ''}\n`,
      )
    if (tokenizerProblem) await print(`tokenizer problem: ${tokenizerProblem}\n`)
    for (const t of tensors) await print(`  ${t.name}  [${t.shape}] ${t.dtype}  ${bytes(t.bytes)}\n`)
    if (memory)
      await print(
        `memory: weights ${bytes(memory.weights)}, KV cache ${bytes(memory.cache)} in ${config!.cacheDType} at ${config!.maxPositionEmbeddings} tokens; ${(memory.parameters / 1e6).toFixed(1)} M parameters\n`,
      )
  }
  await file.close()
}

/** Long lists (a vocabulary) by their length. */
function short(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  const n = Array.isArray(value) || ArrayBuffer.isView(value) ? (value as unknown as ArrayLike<unknown>).length : -1
  if (n > 16) return `${n} values`
  return n >= 0 ? Array.from(value as ArrayLike<unknown>, short) : value
}
