/** `pnpm recipe:pretrain [--size 5m] [--quick] [--out DIR] [--tokens N] [--rounds N] [--model GGUF] …` */
import { parseArgs } from 'node:util'
import { cpu } from '@cria/kernels-cpu'
import { pretrain } from './pretrain.js'
import { rejection } from './rejection.js'
import { type SizeName, sizes } from './sizes.js'

const { values } = parseArgs({
  options: {
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
  },
})
const size = (values.size ?? (values.quick ? '1m' : '5m')) as SizeName
if (!(size in sizes)) throw new Error(`recipe: got --size ${size}, expected one of ${Object.keys(sizes).join(', ')}`)
const device = await cpu(values.threads === undefined ? {} : { threads: Number(values.threads) })
console.log(`${device.name}: ${device.description}`)
const seed = Number(values.seed)
const say = (line: string): void => console.log(line)
let model = values.model
if (model === undefined) {
  const result = await pretrain(device, {
    size,
    out: values.out,
    seed,
    tokens: Number(values.tokens ?? (values.quick ? 2e6 : sizes[size].tokens)),
    batch: Number(values.batch),
    every: values.quick ? 40 : 250,
    say,
  })
  say(JSON.stringify(result))
  model = result.gguf
}
const { out, rounds = values.quick ? 0 : 2, documents, heat, peak } = values
const told = { documents: Number(documents), heat: Number(heat), peak: Number(peak) }
say(await rejection(device, { model, size, out, seed, rounds: Number(rounds), ...told, say }))
device.dispose()
