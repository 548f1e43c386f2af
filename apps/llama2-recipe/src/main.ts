/** `pnpm recipe:pretrain [--size 5m] [--quick] [--out DIR] [--tokens N] [--rounds N] [--model GGUF] …` */
import { parseArgs } from 'node:util'
import { cpu } from '@cria/kernels-cpu'
import { pretrain } from './pretrain.js'
import { checkSize, rejection } from './rejection.js'
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

/** An option that is a number, checked before hours are spent on the others. */
function number(name: string, text: string, holds: (x: number) => boolean, expected: string): number {
  const x = text.trim() === '' ? Number.NaN : Number(text)
  if (!holds(x)) throw new Error(`recipe: got --${name} ${text}, expected ${expected}`)
  return x
}
const whole = (name: string, text: string, least: number): number =>
  number(name, text, x => Number.isSafeInteger(x) && x >= least, `a whole number ≥ ${least}`)
const positive = (name: string, text: string): number =>
  number(name, text, x => x > 0 && Number.isFinite(x), 'a number > 0')

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
const threads = values.threads === undefined ? {} : { threads: whole('threads', values.threads, 1) }
if (values.model !== undefined) await checkSize(values.model, size)

const device = await cpu(threads)
say(`${device.name}: ${device.description}`)
let model = values.model
if (model === undefined) {
  const result = await pretrain(device, pretraining)
  say(JSON.stringify(result))
  model = result.gguf
}
say(await rejection(device, { ...telling, model }))
device.dispose()
