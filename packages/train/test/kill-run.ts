/** A training run to be killed: `kill-run.ts FOLDER STEPS`. Saves every second step and goes on from what it finds. */
import { cpu } from '@cria/kernels-cpu'
import { crossEntropy } from '@cria/tensor'
import { examples } from '../src/data/tokens.js'
import { batches, packed, trainStep } from '../src/index.js'
import { checkpoints } from '../src/node.js'
import { goldenModel } from './golden.js'

const [folder, steps] = [process.argv[2]!, Number(process.argv[3])]
const device = await cpu({ threads: 2 })
const model = goldenModel(device)
const documents = Array.from({ length: 60 }, (_, d) => ({
  tokens: Array.from({ length: 3 + ((d * 5) % 17) }, (_, i) => (d * 13 + i * 7) % 97),
}))
const data = batches(packed(examples(documents), { length: 16, seed: 4, window: 16 }), { size: 2 })
const step = trainStep(model, {
  batch: data.specs,
  loss: ({ tokens, targets, ...where }) => crossEntropy(model.forward(tokens, where), targets, { reduction: 'sum' }),
  ema: 0.9,
  guard: { spike: 50, window: 10 },
})
const saves = await checkpoints(folder, { keep: 2 })
const resumed = await saves.resume({ step, data })
process.stdout.write(`ready ${resumed?.step ?? 0} ${resumed?.damaged.length ?? 0}\n`)
while (step.step < steps) {
  const { loss } = await step.run(await data.next(), { lr: 1e-3 })
  if (step.step % 2 === 0) await saves.save({ step, data }, { score: loss })
}
process.stdout.write('done\n')
process.exit(0)
