/** `pnpm recipe:pretrain`: pretraining, then rounds of rejection sampling. */
import { cpu } from '@cria/kernels-cpu'
import { pretrain } from './pretrain.js'
import { folder, no, oneOf, positive, program, whole } from './program.js'
import { checkSize, rejection } from './rejection.js'
import { context, sizes } from './sizes.js'

const usage = `pnpm recipe:pretrain [options]: a model from nothing, and what it learns from what it tells

  --size S       ${Object.keys(sizes).join(', ')} (5m; with --quick 1m)
  --quick        2 million tokens and no rounds
  --tokens N     text to train on (what the size is worth)
  --batch N      rows of ${context} tokens in a step (16)
  --rounds N     rounds of rejection sampling after it (2; with --quick 0)
  --documents N  told in each round (8000)
  --heat T       temperature of the first round (0.7)
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
  documents: { type: 'string', default: '8000' },
  heat: { type: 'string', default: '0.7' },
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
    rounds: whole('rounds', values.rounds ?? (values.quick ? '0' : '2'), 0),
    documents: whole('documents', values.documents, 2),
    heat: positive('heat', values.heat),
    peak: positive('peak', values.peak),
  }
  const threads = values.threads === undefined ? undefined : whole('threads', values.threads, 1)
  if (values.model !== undefined) await checkSize(values.model, size)
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
