/** Stage 1 of the recipe: next-token pretraining, from nothing to a model that tells stories. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Llama } from '@cria/llama'
import { add, type Device, embedding, maximum, mul, scalar, type Tensor } from '@cria/tensor'
import { batches, cosine, evaluator, initialise, meter, muon, packed, peakFlops, trainStep } from '@cria/train'
import { checkpoints, jsonl, readEvents, report, terminal } from '@cria/train/node'
import { convertPath } from '@cria/weights/node'
import { corpus, documentsFor, edition, stressOf, vocabulary } from './corpus.js'
import { nextTokenLoss, type TokenBatch } from './loss.js'
import { modelFiles } from './model-folder.js'
import { context, type SizeName, sizes, vocabSize } from './sizes.js'
import { Teller } from './tell.js'

export interface PretrainOptions {
  readonly size: SizeName
  readonly out: string
  readonly seed: number
  /** Tokens to train on; a tenth more is read while the model settles. */
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
  /** Spent in the steps of this process: held-out losses, checkpoints and what came before a resumption are not in it. */
  readonly seconds: number
  /** Held-out nats a token of the best checkpoint, which is the one that is converted. */
  readonly loss: number
  readonly gguf: string
}

/** Held-out documents, and the batches of them that a loss is measured on. */
const [heldOutDocuments, heldOutBatches] = [400, 8]

export async function pretrain(device: Device, options: PretrainOptions): Promise<PretrainResult> {
  const { size, out, seed, tokens, batch, every, say } = options
  const { config, peak } = sizes[size]
  const folder = join(out, size)
  await mkdir(folder, { recursive: true })
  const tokenizer = await vocabulary(out, seed)
  const count = documentsFor(tokens)
  const train = await corpus(out, tokenizer, { seed, count, split: 'train' })
  const heldOut = await corpus(out, tokenizer, { seed, count: heldOutDocuments, split: 'heldout' })
  say(`${(train.length / 1e6).toFixed(1)} M tokens in ${train.documents.length - 1} documents`)

  using model = new Llama(config, initialise(device, 'llama2.c', { layers: config.numHiddenLayers, seed }))
  const data = batches(packed(train, { length: context, seed }), { size: batch, vocabSize })
  const unseen = batches(packed(heldOut, { length: context }), { size: batch, vocabSize })
  using extra = device.tensor(stressOf(tokenizer), [config.vocabSize, 1])
  const weighted = ({ stress, ...batch }: TokenBatch & { stress: Tensor }): Tensor =>
    nextTokenLoss(model, batch, add(mul(embedding(maximum(batch.targets, 0), extra), stress), 1))
  using step = trainStep(model, {
    batch: { ...data.specs, stress: scalar('f32') },
    loss: weighted,
    optimiser: muon(),
  })
  using measure = evaluator(device, { batch: unseen.specs, loss: batch => nextTokenLoss(model, batch) })
  // Weighted to the end, names would be as much too likely as they count too much: a last tenth sets that right.
  const stressed = Math.ceil(tokens / (batch * context))
  const settling = Math.ceil(stressed / 10)
  const steps = stressed + settling
  const rise = cosine({ peak, warmup: Math.min(200, Math.ceil(stressed / 20)), steps: stressed, floor: 0 })
  const settle = cosine({ peak: peak / 5, warmup: Math.ceil(settling / 20), steps: settling, floor: 0 })
  const lr = (n: number): number => (n <= stressed ? rise(n) : settle(n - stressed))
  const run = { size, seed, text: edition(seed), tokens, batch, peak }
  const saves = await checkpoints(folder, { keep: 2, files: modelFiles(config, tokenizer), run })
  const resumed = await saves.resume({ step, data })
  if (resumed) say(`resumed at step ${resumed.step}`)

  const metrics = join(folder, 'metrics.jsonl')
  const log = meter(step, { steps, peak: await peakFlops(device, { products: config.products }), notes: run }, [
    jsonl(metrics),
    terminal(),
  ])
  using teller = new Teller(model, tokenizer)
  const start = unseen.position()
  let seconds = 0
  while (step.step < steps) {
    const { inputs, count } = await data.next()
    const stress = [step.step < stressed ? 1 : 0]
    const result = await step.run({ inputs: { ...inputs, stress }, count }, { lr: lr(step.step + 1) })
    seconds += result.seconds
    log.step(result)
    if (step.step % every !== 0 && step.step !== steps) continue
    unseen.seek(start)
    const score = await measure.run(await unseen.take(heldOutBatches))
    log.evaluation(score)
    log.checkpoint(await saves.save({ step, data }, { score }))
    log.sample('', await teller.tell({ seed: step.step }))
  }
  await log.end()
  for (const source of [data, unseen]) await source.close()
  report(metrics, join(folder, 'report.html'))

  const gguf = join(out, `pretrained-${size}.gguf`)
  await convertPath((await saves.best())!, gguf, { type: 'q8_0', name: `storyteller-${size}`, license: 'mit' })
  const loss = Math.min(
    ...readEvents(metrics).map(event => (event.type === 'evaluation' ? event.loss : Number.POSITIVE_INFINITY)),
  )
  const parameters = Object.values(step.weights).reduce((a, t) => a + t.size, 0)
  return { size, parameters, tokens: steps * batch * context, seconds, loss, gguf }
}
