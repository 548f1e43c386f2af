/**
 * Rejection sampling (Llama 2, §3.2.3): the model tells stories and follows orders, the world's checker keeps what holds
 * together, and the model learns from that. The checker stands where a reward model would: it reads, it is not learned.
 */
import { mkdir, rm } from 'node:fs/promises'
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
import { Random } from '@cria/world'
import { balanced } from './balance.js'
import { texts } from './corpus.js'
import { nextTokenLoss } from './loss.js'
import { modelFiles } from './model-folder.js'
import { Mistake } from './program.js'
import { context, type SizeName, sizes, vocabSize } from './sizes.js'
import { questionsHeader } from './tell.js'
import { accepted } from './telling.js'

export interface RejectionOptions {
  /** The GGUF file that pretraining made, and its size. */
  readonly model: string
  readonly size: SizeName
  readonly out: string
  readonly seed: number
  /** How often the model tells and learns; each round begins with what the one before made. */
  readonly rounds: number
  /** Documents told in a round: half of them to order. */
  readonly documents: number
  /** Temperature of the telling in the first round; the others tell at 1, as the model has become what told. */
  readonly heat: number
  /** Peak learning rate of a round. */
  readonly peak: number
  /** That tell at once. Default: one a core. */
  readonly processes?: number | undefined
  readonly say: (line: string) => void
}

/** @throws Mistake for a model of another shape than that size's */
export async function checkSize(model: string, size: SizeName): Promise<void> {
  const { config: found, close } = await openModelAt(model)
  await close()
  const { config } = sizes[size]
  const got = `${found.layers} blocks of ${found.dim}, vocabulary ${found.vocab}`
  const expected = `${config.numHiddenLayers} blocks of ${config.hiddenSize}, vocabulary ${config.vocabSize}`
  if (got !== expected)
    throw new Mistake(`got --model ${model} of ${got}, expected ${expected}. Name its size with --size`)
}

/** Runs all rounds, from the first; the GGUF file of the last, or `model` where there are none. */
export async function rejection(device: Device, options: RejectionOptions): Promise<string> {
  const { rounds, size, out, seed, documents, processes, say } = options
  let gguf = options.model
  for (let round = 1; round <= rounds; round++) {
    const heat = round === 1 ? options.heat : 1
    const folder = join(out, size, `round-${round}`)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    const kept = await accepted({ gguf, seed, round, documents, heat, processes })
    say(`round ${round}: ${kept.length} of ${documents} documents hold together`)
    if (kept.length === 0)
      throw new Error(`got no story of ${gguf} that holds together, expected a model that tells some`)
    const made = round === rounds ? join(out, `storyteller-${size}.gguf`) : join(folder, 'model.gguf')
    const tokenizer = await tokenizerOf(gguf)
    const lessons = balanced(kept, new Random(seed, round, 99)).map(({ document, prompt }) =>
      lesson(tokenizer, document, prompt),
    )
    say(`round ${round}: ${lessons.length} lessons of them, as many of each plot and ending as in the world`)
    await learn(device, { from: gguf, to: made, folder, lessons, tokenizer }, { ...options, heat, round })
    gguf = made
  }
  return gguf
}

type Round = RejectionOptions & { readonly round: number }

async function tokenizerOf(gguf: string): Promise<Tokenizer> {
  const { weights, close } = await openModelAt(gguf)
  await close()
  return fromGguf(weights.metadata)
}

/**
 * A document as tokens, of which those after the prompt are learned. Of questions after the story only that they come:
 * nobody has checked the answers.
 */
export function lesson(tokenizer: Tokenizer, document: string, prompt: string): Example {
  const at = document.indexOf(questionsHeader)
  const asks = at >= 0
  const tokens = tokenizer.encode(asks ? document.slice(0, at + questionsHeader.length) : document, { eos: !asks })
  const given = tokenizer.encode(prompt).length
  return { tokens, counted: Array.from(tokens, (_, i) => i >= given) }
}

/** About one pass over what was accepted, and the model of it as GGUF. */
async function learn(
  device: Device,
  {
    from,
    to,
    folder,
    lessons,
    tokenizer,
  }: { from: string; to: string; folder: string; lessons: Example[]; tokenizer: Tokenizer },
  { size, seed, peak, heat, round, say }: Round,
): Promise<void> {
  const { config } = sizes[size]
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
  const data = batches(packed(stories, { length: context, seed: seed + round }), { size: 16, vocabSize })
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
  say(`round ${round}: held-out loss ${score.toFixed(4)}`)
  const saves = await checkpoints(folder, { keep: 1, files: modelFiles(config, tokenizer) })
  const saved = await saves.save({ step, data }, { score })
  for (const source of [data, unseen]) await source.close()
  await convertPath(saved, to, { type: 'q8_0', name: `storyteller-${size}`, license: 'mit' })
  await rm(masters, { recursive: true })
}
