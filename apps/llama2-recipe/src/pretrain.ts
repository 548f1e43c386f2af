/** Stage 1 of the recipe: next-token pretraining, from nothing to a model that tells stories. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Llama } from '@cria/llama'
import { type Device, linearCrossEntropy, type Plan, plan, type Tensor } from '@cria/tensor'
import { adamW, type Batches, batches, cosine, initialise, packed, trainStep } from '@cria/train'
import { checkpoints } from '@cria/train/node'
import { convertPath } from '@cria/weights/node'
import { corpus, vocabulary } from './corpus.js'
import { modelFiles } from './model-folder.js'
import { context, type SizeName, sizes } from './sizes.js'
import { sampleStory } from './tell.js'

export interface PretrainOptions {
  readonly size: SizeName
  readonly out: string
  readonly seed: number
  /** Tokens to train on. */
  readonly tokens: number
  /** Rows of `context` tokens in a step. */
  readonly batch: number
  /** Steps between checkpoints and held-out losses. */
  readonly every: number
  readonly say: (line: string) => void
}

/** What a run came to; the size ladder plots it. */
export interface PretrainResult {
  readonly size: SizeName
  readonly parameters: number
  readonly tokens: number
  /** Training operations: `trainFlopsPerToken` of the model's estimate × tokens. */
  readonly seconds: number
  readonly loss: number
  readonly gguf: string
}

/** A document has about this many tokens. */
const documentTokens = 220

export async function pretrain(device: Device, options: PretrainOptions): Promise<PretrainResult> {
  const { size, out, seed, tokens, batch, every, say } = options
  const { config, peak } = sizes[size]
  await mkdir(out, { recursive: true })
  const tokenizer = await vocabulary(out, seed)
  const count = Math.ceil((tokens / documentTokens) * 1.1)
  const train = await corpus(out, tokenizer, { seed, count, split: 'train' })
  const heldOut = await corpus(out, tokenizer, { seed, count: 400, split: 'heldout' })
  say(`${(train.length / 1e6).toFixed(1)} M tokens in ${train.documents.length - 1} documents`)

  using model = new Llama(config, initialise(device, 'llama2.c', { layers: config.numHiddenLayers, seed }))
  const data = batches(packed(train, { length: context, seed }), { size: batch })
  const loss = ({ tokens, targets, ...where }: { tokens: Tensor; targets: Tensor; positions: Tensor }): Tensor =>
    linearCrossEntropy(model.model.forward(tokens, where), model.lmHead.weight, targets, { reduction: 'sum' })
  using step = trainStep(model, { batch: data.specs, loss, optimiser: adamW({ weightDecay: 0.1 }) })
  const steps = Math.ceil(tokens / (batch * context))
  const lr = cosine({ peak, warmup: Math.min(200, Math.ceil(steps / 20)), steps })
  const saves = await checkpoints(join(out, size), { keep: 2, files: modelFiles(config, tokenizer) })
  const resumed = await saves.resume({ step, data })
  if (resumed) say(`resumed at step ${resumed.step}`)
  const measure = heldOutLoss(device, batches(packed(heldOut, { length: context }), { size: batch }), loss)
  let seen = 0
  let seconds = 0
  let last = Number.NaN
  while (step.step < steps) {
    const { loss, norm, count, seconds: spent, skipped } = await step.run(await data.next(), { lr: lr(step.step + 1) })
    seen += count
    seconds += spent
    if (skipped) say(`step ${step.step} skipped: ${skipped}`)
    if (step.step % 20 === 0 || step.step === steps)
      say(
        `${step.step}/${steps} loss ${loss.toFixed(3)} norm ${norm.toFixed(2)} ${(seen / seconds).toFixed(0)} tokens/s`,
      )
    if (step.step % every !== 0 && step.step !== steps) continue
    last = await measure()
    await saves.save({ step, data }, { score: last })
    say(`held-out loss ${last.toFixed(4)}\n${await sampleStory(model, tokenizer, { seed: step.step })}`)
  }
  const gguf = join(out, `storyteller-${size}.gguf`)
  const best = (await saves.best()) ?? (await saves.list())[0]!
  await convertPath(best, gguf, { type: 'q8_0', name: `storyteller-${size}` })
  const parameters = Object.values(step.weights).reduce((a, t) => a + t.size, 0)
  return { size, parameters, tokens: steps * batch * context, seconds, loss: last, gguf }
}

/** Mean loss over 16 batches of documents that are never trained on. */
function heldOutLoss(
  device: Device,
  data: Batches,
  loss: (batch: { tokens: Tensor; targets: Tensor; positions: Tensor }) => Tensor,
): () => Promise<number> {
  let made: Plan<typeof data.specs, Tensor> | undefined
  return async () => {
    made ??= plan(device, data.specs, loss, { name: 'held_out_loss' })
    const start = data.position()
    let [sum, counted] = [0, 0]
    for (let i = 0; i < 16; i++) {
      const { inputs, count } = await data.next()
      sum += await (await made.run(inputs)).item()
      counted += count
    }
    data.seek(start)
    return sum / counted
  }
}
