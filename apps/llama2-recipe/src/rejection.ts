/**
 * Rejection sampling (Llama 2, §3.2.3): the model tells stories and follows orders, the world's checker keeps what holds
 * together, and the model learns from that. The checker stands where a reward model would: it reads, it is not learned.
 */
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cpu } from '@cria/kernels-cpu'
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
import { checkInstruction, checkStory, formatInstruction, instructionFor, Random, story } from '@cria/world'
import { texts } from './corpus.js'
import { nextTokenLoss } from './loss.js'
import { modelFiles } from './model-folder.js'
import { context, type SizeName, sizes, vocabSize } from './sizes.js'
import { storyOf, Teller } from './tell.js'

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
  readonly say: (line: string) => void
}

/** All rounds, and the GGUF file of the last. A round that is there already is not run again. */
export async function rejection(device: Device, options: RejectionOptions): Promise<string> {
  const { rounds, out, documents, say } = options
  let gguf = options.model
  for (let round = 1; round <= rounds; round++) {
    const next = join(out, round === rounds ? `storyteller-${options.size}.gguf` : `round-${round}.gguf`)
    if (!existsSync(next)) {
      const folder = join(out, `round-${round}`)
      // What a killed run left of a round is worth nothing.
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
      const { kept, tokenizer } = await accepted(gguf, round, options)
      say(`round ${round}: ${kept.length} of ${documents} documents hold together`)
      await learn(device, { from: gguf, folder, gguf: next, kept, tokenizer, round }, options)
    }
    gguf = next
  }
  return gguf
}

const heatOf = (round: number, { heat }: Pick<RejectionOptions, 'heat'>): number => (round === 1 ? heat : 1)

/** What the model tells that a reader would accept, without the prompts being learned. */
async function accepted(
  gguf: string,
  round: number,
  { documents, seed, ...options }: RejectionOptions,
): Promise<{ kept: Example[]; tokenizer: Tokenizer }> {
  const heat = heatOf(round, options)
  // A step of so small a model is shorter than what two threads need to meet.
  using device = await cpu({ threads: 1 })
  const opened = await openModelAt(gguf)
  using model = await loadLlama(device, opened)
  const tokenizer = fromGguf(opened.weights.metadata)
  using teller = new Teller(model, tokenizer)
  const kept: Example[] = []
  for (let i = 0; i < documents; i++) {
    const random = new Random(seed, i, 100 + round)
    const order = i % 2 === 1 ? instructionFor(story(seed + 5000 + round, i), random) : undefined
    const prompt = order ? formatInstruction(order) : ''
    const told = await teller.tell({ seed: (100 * seed + round) * 1e6 + i, heat, prompt })
    const { consistent, unknown } = checkStory(storyOf(told))
    if (!consistent || unknown.length > 0) continue
    if (order && !checkInstruction(order.constraints, storyOf(told)).followed) continue
    kept.push(lesson(tokenizer, told, prompt))
  }
  await opened.close()
  return { kept, tokenizer }
}

/** The story as tokens to learn. Of questions after it only that they come: nobody has checked the answers. */
function lesson(tokenizer: Tokenizer, told: string, prompt: string): Example {
  const header = '\n\nQuestion:'
  const at = told.indexOf(header)
  const tokens = tokenizer.encode(at < 0 ? told : told.slice(0, at + header.length), { eos: at < 0 })
  const given = tokenizer.encode(prompt).length
  return { tokens, counted: Array.from(tokens, (_, i) => i >= given) }
}

/** One pass over what was accepted, and the model of it as GGUF. */
async function learn(
  device: Device,
  round: { from: string; folder: string; gguf: string; kept: Example[]; tokenizer: Tokenizer; round: number },
  options: RejectionOptions,
): Promise<void> {
  const { size, seed, peak, say } = options
  const { folder, kept, tokenizer } = round
  const { config } = sizes[size]
  // f32, and with the rotation of Hugging Face's layout.
  const masters = join(folder, 'from')
  await convertPath(round.from, masters, { type: 'f32' })
  const opened = await openModelAt(masters)
  using loaded = await loadLlama(device, opened)
  await opened.close()
  const weights = parameters(loaded)
  // The model that told is this one with its logits divided by the temperature. Learning begins there, not at what would
  // first have to learn that its last gain is larger.
  const gain = 'model.norm.weight'
  using cooled = div(weights[gain]!, heatOf(round.round, options))
  const model = new Llama(config, checkpointSource(new Map(Object.entries({ ...weights, [gain]: cooled }))))

  const stories = examples(kept)
  const heldOut = examples(
    [...texts(seed, 300, 'heldout')].map(text => ({ tokens: tokenizer.encode(text, { eos: true }) })),
  )
  const data = batches(packed(stories, { length: context, seed: seed + round.round }), { size: 16, vocabSize })
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
  say(`round ${round.round}: held-out loss ${score.toFixed(4)}`)
  const saves = await checkpoints(folder, { keep: 1, files: modelFiles(config, tokenizer) })
  await convertPath(await saves.save({ step, data }, { score }), round.gguf, {
    type: 'q8_0',
    name: `storyteller-${size}`,
  })
}
