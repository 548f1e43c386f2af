/** `pnpm recipe:pretrain`: pretraining, then rounds of rejection sampling and questions. */
import { cpu } from '@cria/kernels-cpu'
import { documentsFor } from './corpus.js'
import { pretrain } from './pretrain.js'
import { folder, no, oneOf, positive, program, whole } from './program.js'
import { checkModel, rejection } from './rejection.js'
import { context, sizes } from './sizes.js'

const usage = `pnpm recipe:pretrain [options]: a model from nothing, and what it learns from what it tells

  --size S       ${Object.keys(sizes).join(', ')} (5m; with --quick 1m)
  --quick        2 million tokens, and nothing after it
  --tokens N     text to train on (what the size is worth)
  --batch N      rows of ${context} tokens in a step (16)
  --rounds N     rounds of rejection sampling after it (4; with --quick 0)
  --documents N  told in each round (6000)
  --questions N  stories in each round of which everything is asked (1500)
  --heat T       temperature of the first round (0.7)
  --last-heat T  and of the last after it (0.8)
  --peak LR      highest learning rate of the rounds (0.0003)
  --model GGUF   begin with the rounds, from a model that is pretrained
  --out DIR      where all of it goes (runs/storyteller)
  --seed N       the same seed gives the same weights (1)
  --threads N    of the CPU (all)`

const options = {
  size: { type: 'string' },
  quick: { type: 'boolean', default: false },
  out: { type: 'string', default: 'runs/storyteller' },
  tokens: { type: 'string' },
  batch: { type: 'string', default: '16' },
  rounds: { type: 'string' },
  documents: { type: 'string', default: '6000' },
  questions: { type: 'string', default: '1500' },
  heat: { type: 'string', default: '0.7' },
  'last-heat': { type: 'string', default: '0.8' },
  peak: { type: 'string', default: '3e-4' },
  model: { type: 'string' },
  seed: { type: 'string', default: '1' },
  threads: { type: 'string' },
} as const

await program(usage, options, async ({ values, positionals }) => {
  no(positionals)
  const size = oneOf('size', values.size ?? (values.quick ? '1m' : '5m'), sizes)
  const say = (line: string): void => console.log(line)
  const common = { size, out: values.out, seed: whole('seed', values.seed, 0), say }
  const pretraining = {
    ...common,
    tokens: positive('tokens', values.tokens ?? String(values.quick ? 2e6 : sizes[size].tokens)),
    batch: whole('batch', values.batch, 1),
    every: values.quick ? 40 : 250,
  }
  const telling = {
    ...common,
    rounds: whole('rounds', values.rounds ?? (values.quick ? '0' : '4'), 0),
    documents: whole('documents', values.documents, 2),
    questions: whole('questions', values.questions, 0),
    read: documentsFor(pretraining.tokens),
    heat: positive('heat', values.heat),
    lastHeat: positive('last-heat', values['last-heat']),
    peak: positive('peak', values.peak),
  }
  const threads = values.threads === undefined ? undefined : whole('threads', values.threads, 1)
  if (values.model !== undefined) await checkModel(values.model, size, values.out)
  await folder('out', values.out)

  using device = await cpu(threads === undefined ? {} : { threads })
  say(`${device.name}: ${device.description}`)
  let model = values.model
  if (model === undefined) {
    const result = await pretrain(device, pretraining)
    say(JSON.stringify(result))
    model = result.gguf
  }
  say(await rejection(device, { ...telling, model, processes: threads }))
})
