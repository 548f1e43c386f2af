// One training step of a LLaMA on this repository, again and again: what train.ts races. Each line on stdin is a number
// of steps to run; each answer is a line of JSON. `train-worker.ts SHAPE fp32|bf16 native|wasm|webgpu [--profile]`
import { createInterface } from 'node:readline'
import { type CallTime, native } from '@cria/kernels-cpu'
import { wasm } from '@cria/kernels-cpu/wasm'
import { webgpu } from '@cria/kernels-webgpu'
import { Llama, llamaConfig, randomSource } from '@cria/llama'
import {
  adamw,
  clipFactor,
  globalNorm,
  i32,
  iota,
  linearCrossEntropy,
  parameters,
  plan,
  scalar,
  valueAndGrad,
} from '@cria/tensor'
import shapes from './train-shapes.json' with { type: 'json' }

const [name = '3.4M', precision = 'fp32', backend = 'native'] = process.argv.slice(2)
const shape = shapes[name as keyof typeof shapes]
const threads = Number(process.env.BENCH_THREADS ?? 2)
let calls: readonly CallTime[] = []
const profile = process.argv.includes('--profile') ? { profile: (c: readonly CallTime[]) => void (calls = c) } : {}
const device =
  backend === 'webgpu'
    ? await webgpu()
    : backend === 'wasm'
      ? await wasm({ threads })
      : await native({ threads, ...profile })

const config = llamaConfig({
  vocabSize: shape.vocab,
  hiddenSize: shape.dim,
  intermediateSize: shape.ffn,
  numHiddenLayers: shape.layers,
  numAttentionHeads: shape.heads,
  numKeyValueHeads: shape.kvHeads,
  tieWordEmbeddings: true,
  products: precision === 'bf16' ? 'bf16' : 'f32',
})
const model = new Llama(config, randomSource(device))
const weights = parameters(model)
const moments = Object.fromEntries(
  Object.entries(weights).map(([key, w]) => [key, { m: device.empty(w), v: device.empty(w) }]),
)
const tokens = i32([shape.batch, shape.seq])
const step = plan(device, { x: tokens, y: tokens, lr: scalar('f32'), step: scalar('f32') }, inputs => {
  const { value: loss, grads } = valueAndGrad(() => {
    const hidden = model.model.forward(inputs.x, { positions: iota(device, shape.seq) })
    return linearCrossEntropy(hidden, model.lmHead.weight, inputs.y, { products: config.products })
  }, weights)
  const norm = globalNorm(Object.values(grads))
  const scale = clipFactor(norm, 1)
  for (const [key, w] of Object.entries(weights)) {
    const { m, v } = moments[key]!
    adamw(w, grads[key]!, m, v, { lr: inputs.lr, step: inputs.step, scale, weightDecay: w.rank === 2 ? 0.1 : 0 })
  }
  return { loss, norm }
})

const count = shape.batch * shape.seq
const x = Int32Array.from({ length: count }, (_, i) => (i * 7919 + 13) % shape.vocab)
const y = Int32Array.from({ length: count }, (_, i) => x[(i + 1) % count]!)
let number = 0
let loss = Number.NaN
async function run(steps: number): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < steps; i++) {
    const out = await step.run({ x, y, lr: 3e-4, step: ++number })
    loss = await out.loss.item()
  }
  return (performance.now() - start) / 1000
}

const answer = (value: object): void => console.log(JSON.stringify(value))
const first = await run(1)
answer({ description: device.description, precision, first, calls: step.program.calls.length })
for await (const line of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage()
  const seconds = await run(Number(line))
  const { user, system } = process.cpuUsage(before)
  answer({ seconds, cpuSeconds: (user + system) / 1e6, loss, peakBytes: process.resourceUsage().maxRSS * 1024, calls })
}
device.dispose()
