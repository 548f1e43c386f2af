/** One pass over lessons: a GGUF file in, and one out. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkpointSource, Llama, loadLlama } from '@cria/llama'
import { type Device, div, parameters } from '@cria/tensor'
import { fromGguf, type Tokenizer } from '@cria/tokenizer'
import {
  batches,
  cosine,
  type Example,
  evaluator,
  examples,
  meter,
  muon,
  packed,
  peakFlops,
  trainStep,
} from '@cria/train'
import { checkpoints, jsonl, terminal } from '@cria/train/node'
import { convertPath, openModelAt } from '@cria/weights/node'
import { texts } from './corpus.js'
import { nextTokenLoss } from './loss.js'
import { modelFiles } from './model-folder.js'
import { context, type SizeName, sizes, vocabSize } from './sizes.js'

export async function tokenizerOf(gguf: string): Promise<Tokenizer> {
  const { weights, close } = await openModelAt(gguf)
  await close()
  return fromGguf(weights.metadata)
}

/** Tokens of which those after the prompt are learned. */
export function given(tokenizer: Tokenizer, prompt: string, tokens: ArrayLike<number>): Example {
  const before = tokenizer.encode(prompt).length
  return { tokens, counted: Array.from(tokens, (_, i) => i >= before) }
}

export interface Learning {
  /** GGUF files. */
  readonly from: string
  readonly to: string
  /** Of the checkpoint and the metrics. */
  readonly folder: string
  readonly lessons: readonly Example[]
  readonly size: SizeName
  /** Of the order of the lessons. */
  readonly seed: number
  /** Highest learning rate. */
  readonly peak: number
  /** What the logits are divided by before the start. Default 1. */
  readonly heat?: number
}

/** About one pass over the lessons, in random order; the held-out loss. */
export async function learn(
  device: Device,
  { from, to, folder, lessons, size, seed, peak, heat = 1 }: Learning,
): Promise<number> {
  const { config } = sizes[size]
  const tokenizer = await tokenizerOf(from)
  // f32, and with the rotation of Hugging Face's layout.
  const masters = join(folder, 'from')
  await convertPath(from, masters, { type: 'f32' })
  const opened = await openModelAt(masters)
  using loaded = await loadLlama(device, opened).finally(() => opened.close())
  const weights = parameters(loaded)
  // The model that told is this one with its logits divided by the temperature. Learning begins there, not at what would
  // first have to learn that its last gain is larger.
  const gain = 'model.norm.weight'
  using cooled = div(weights[gain]!, heat)
  const model = new Llama(config, checkpointSource(new Map(Object.entries({ ...weights, [gain]: cooled }))))

  const stories = examples(lessons)
  const heldOut = examples(
    [...texts(seed, 300, 'heldout')].map(text => ({ tokens: tokenizer.encode(text, { eos: true }) })),
  )
  const data = batches(packed(stories, { length: context, seed }), { size: 16, vocabSize })
  const unseen = batches(packed(heldOut, { length: context }), { size: 16, vocabSize })
  using step = trainStep(model, { batch: data.specs, loss: batch => nextTokenLoss(model, batch), optimiser: muon() })
  using measure = evaluator(device, { batch: unseen.specs, loss: batch => nextTokenLoss(model, batch) })
  const steps = Math.ceil(stories.length / (16 * context))
  const lr = cosine({ peak, warmup: Math.ceil(steps / 20), steps, floor: 0 })
  const log = meter(step, { steps, peak: await peakFlops(device, { products: config.products }) }, [
    jsonl(join(folder, 'metrics.jsonl')),
    terminal(),
  ])
  while (step.step < steps) log.step(await step.run(await data.next(), { lr: lr(step.step + 1) }))
  const score = await measure.run(await unseen.take(6))
  log.evaluation(score)
  await log.end()
  const saves = await checkpoints(folder, { keep: 1, files: modelFiles(config, tokenizer) })
  const saved = await saves.save({ step, data }, { score })
  for (const source of [data, unseen]) await source.close()
  await convertPath(saved, to, { type: 'q8_0', name: `storyteller-${size}`, license: 'mit' })
  await rm(masters, { recursive: true })
  return score
}
