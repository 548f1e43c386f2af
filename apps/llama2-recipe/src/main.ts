/** `pnpm recipe:pretrain [--size 5m] [--quick] [--out DIR] [--tokens N] [--seed S] [--threads N]` */
import { parseArgs } from 'node:util'
import { cpu } from '@cria/kernels-cpu'
import { pretrain } from './pretrain.js'
import { type SizeName, sizes } from './sizes.js'

const { values } = parseArgs({
  options: {
    size: { type: 'string' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: 'runs/storyteller' },
    tokens: { type: 'string' },
    batch: { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string' },
  },
})
const size = (values.size ?? (values.quick ? '1m' : '5m')) as SizeName
if (!(size in sizes)) throw new Error(`recipe: got --size ${size}, expected one of ${Object.keys(sizes).join(', ')}`)
const device = await cpu(values.threads === undefined ? {} : { threads: Number(values.threads) })
console.log(`${device.name}: ${device.description}`)
const result = await pretrain(device, {
  size,
  out: values.out,
  seed: Number(values.seed),
  tokens: Number(values.tokens ?? (values.quick ? 2e6 : sizes[size].tokens)),
  batch: Number(values.batch),
  every: values.quick ? 40 : 250,
  say: line => console.log(line),
})
console.log(JSON.stringify(result))
device.dispose()
