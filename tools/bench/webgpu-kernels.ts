// What single kernels of the WebGPU backend reach on the GPU there is: the cost of a dispatch and of a reading, bytes
// read a second by the layers of decoding, operations a second by those of a prompt and of training.
import {
  add,
  attention,
  type Device,
  f32,
  linear,
  matmul,
  plan,
  rmsNorm,
  type Shape,
  type Spec,
  spec,
  type Tensor,
} from '@cria/tensor'
import { encodeBlocks, encodeFloats } from '@cria/weights'
import { median } from './summary.mjs'

export interface KernelRow {
  readonly name: string
  readonly unit: 'µs' | 'GB/s' | 'TFLOP/s'
  readonly value: number
}

/** Numbers without zeros, which some hardware computes faster. */
function bytesOf({ dtype, shape }: Spec): Uint8Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
  const period = Float32Array.from({ length: 65_521 }, (_, i) => Math.sin(i * 12.9898) * 0.05 + 1e-3)
  for (let at = 0; at < values.length; at += period.length) values.set(period.subarray(0, values.length - at), at)
  if (dtype === 'f32' || dtype === 'f16' || dtype === 'bf16') return encodeFloats(dtype, values)
  const bytes = new Uint8Array((values.length / 32) * (dtype === 'q8_0' ? 34 : 18))
  encodeBlocks(dtype as 'q8_0' | 'q4_0', values, bytes)
  return bytes
}

const some = (device: Device, shape: Shape): Tensor => device.upload(f32(shape), bytesOf(f32(shape)))

/** Seconds of a replay of `fn`: so many in a row that the reading behind them does not count. Median of five. Work so short that JavaScript takes
 * longer to ask for it shows as the time that asking takes. */
async function secondsOf(device: Device, fn: () => Tensor | Tensor[]): Promise<number> {
  const p = plan(device, {}, fn)
  const round = async (replays: number): Promise<number> => {
    const begin = performance.now()
    let out: Tensor | Tensor[] = []
    for (let i = 0; i < replays; i++) out = await p.run({})
    await device.backend.read([out].flat().at(-1)!.storage('bench').buf, 0, 4)
    return (performance.now() - begin) / 1000 / replays
  }
  await round(2)
  const replays = Math.max(2, Math.min(500, Math.ceil(0.15 / (await round(3)))))
  const samples: number[] = []
  for (let i = 0; i < 5; i++) samples.push(await round(replays))
  p.dispose()
  return median(samples)
}

export async function kernelRows(device: Device): Promise<KernelRow[]> {
  const rows: KernelRow[] = []
  const note = (name: string, value: number, unit: KernelRow['unit']): void => {
    rows.push({ name, unit, value })
    process.stderr.write(`${name.padEnd(44)} ${value.toPrecision(4)} ${unit}\n`)
  }
  const x = some(device, [1024])
  const chain = (n: number): Promise<number> =>
    secondsOf(device, () => Array.from({ length: n }).reduce<Tensor>(t => add(t, 1), x))
  note('a dispatch that waits for the one before', (((await chain(257)) - (await chain(1))) / 256) * 1e6, 'µs')
  const tiny = plan(device, { x: f32([4]) }, ({ x }) => add(x, 1))
  const trips: number[] = []
  for (let i = 0; i < 60; i++) {
    const begin = performance.now()
    await (await tiny.run({ x: [1, 2, 3, 4] })).data()
    if (i >= 10) trips.push((performance.now() - begin) * 1000)
  }
  tiny.dispose()
  note('four numbers up, one dispatch, and down', median(trips), 'µs')

  const large = some(device, [1 << 25])
  note('add on 128 MiB', (2 * 4 * 2 ** 25) / (await secondsOf(device, () => add(large, 1))) / 1e9, 'GB/s')
  large.dispose()
  const [tall, scale] = [some(device, [4096, 2048]), some(device, [2048])]
  const norm = await secondsOf(device, () => rmsNorm(tall, scale))
  note('rms_norm [4096, 2048]', (2 * 4 * 4096 * 2048) / norm / 1e9, 'GB/s')
  for (const dtype of ['q4_0', 'q8_0', 'f16', 'f32'] as const) await layers(device, dtype, note)
  const [a, b] = [some(device, [2048, 2048]), some(device, [2048, 2048])]
  const product = await secondsOf(device, () => matmul(a, b))
  note('matmul f32 2048³', (2 * 2048 ** 3) / product / 1e12, 'TFLOP/s')
  for (const [t, s] of [
    [1, 512],
    [1, 4096],
    [512, 512],
  ] as const) {
    const [q, k, v] = [some(device, [t, 32, 64]), some(device, [s, 8, 64]), some(device, [s, 8, 64])]
    const positions = device.tensor(
      Int32Array.from({ length: t }, (_, i) => s - t + i),
      [t],
      'i32',
    )
    const seconds = await secondsOf(device, () => attention(q, k, v, { positions }))
    note(`attention, ${t} on ${s} keys, 32 heads of 64`, seconds * 1e6, 'µs')
  }
  return rows
}

/** A layer of a 1B model: decoding reads other weights each time, more than the cache holds; a prompt computes. */
async function layers(
  device: Device,
  dtype: 'q4_0' | 'q8_0' | 'f16' | 'f32',
  note: (name: string, value: number, unit: KernelRow['unit']) => void,
): Promise<void> {
  const [n, k] = [8192, 2048]
  const bytes = bytesOf(spec(dtype, [n, k]))
  const weights = Array.from({ length: Math.ceil(3e8 / bytes.byteLength) }, () =>
    device.upload(spec(dtype, [n, k]), bytes),
  )
  const row = some(device, [1, k])
  // All are results: a plan leaves out what nobody asks for.
  const decode = await secondsOf(device, () => weights.map(w => linear(row, w)))
  note(`linear ${dtype} [${n}, ${k}], 1 row`, (weights.length * bytes.byteLength) / decode / 1e9, 'GB/s')
  for (const count of [32, 512]) {
    const many = some(device, [count, k])
    const seconds = await secondsOf(device, () => linear(many, weights[0]!))
    note(`linear ${dtype} [${n}, ${k}], ${count} rows`, (2 * count * n * k) / seconds / 1e12, 'TFLOP/s')
    many.dispose()
  }
  for (const w of weights) w.dispose()
}
