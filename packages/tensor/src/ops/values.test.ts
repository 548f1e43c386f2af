/** Values that are known from elsewhere: by hand, from PyTorch 2, or from the papers. The oracle has to be right too. */
import { expect, test } from 'vitest'
import {
  adamw,
  argmax,
  crossEntropy,
  cumsum,
  erf,
  gather,
  gelu,
  layerNorm,
  logsumexp,
  rmsNorm,
  rope,
  scatterAdd,
  silu,
  softmax,
  softplus,
  type Tensor,
  topK,
  writeRows,
} from '../index.js'
import { reference } from '../reference/index.js'

const device = reference()

async function near(t: Tensor, expected: readonly number[], digits = 5): Promise<void> {
  const got = [...(await t.data())]
  expect(got.length).toBe(expected.length)
  got.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, digits))
}

const x = device.tensor([-1, 0, 0.5, 2])

test('activations', async () => {
  await near(silu(x), [-0.2689414, 0, 0.3112297, 1.7615942])
  await near(gelu(x), [-0.1586553, 0, 0.3457312, 1.9544997])
  await near(gelu(x, { approximate: 'tanh' }), [-0.158808, 0, 0.345714, 1.9545977])
  await near(softplus(x), [0.3132617, Math.LN2, 0.974077, 2.126928])
  await near(erf(x), [-0.8427008, 0, 0.5204999, 0.9953223])
})

test('softmax, logsumexp, cross-entropy', async () => {
  await near(softmax(device.tensor([1, 2, 3])), [0.0900306, 0.2447285, 0.6652409])
  await near(logsumexp(device.tensor([1, 2, 3])), [3.4076059])
  const logits = device.tensor([1, 2, 3, 1, 1, 1], [2, 3])
  await near(crossEntropy(logits, device.tensor([2, 0], [2], 'i32')), [(0.4076059 + Math.log(3)) / 2])
  await near(crossEntropy(logits, device.tensor([2, -100], [2], 'i32')), [0.4076059])
})

test('norms', async () => {
  const one = device.tensor([1, 1, 1, 1])
  await near(rmsNorm(device.tensor([1, 2, 3, 4]), one, { eps: 0 }), [0.3651484, 0.7302967, 1.0954452, 1.4605935])
  await near(
    layerNorm(device.tensor([1, 2, 3, 4]), one, device.tensor([0, 0, 0, 1])),
    [-1.3416354, -0.4472118, 0.4472118, 2.3416354],
  )
})

test('rope turns by position times frequency, in both layouts', async () => {
  const v = device.tensor([1, 0, 0, 1], [1, 1, 4])
  const position = device.tensor([2], [1], 'i32')
  const f = device.tensor([1, 0.5])
  const [c2, s2, c1, s1] = [Math.cos(2), Math.sin(2), Math.cos(1), Math.sin(1)]
  await near(rope(v, position, f), [c2, -s1, s2, c1])
  await near(rope(v, position, f, { interleaved: true }), [c2, s2, -s1, c1])
})

test('indexing', async () => {
  const t = device.tensor([1, 2, 3, 4, 5, 6], [3, 2])
  const index = device.tensor([2, 0, 2], [3], 'i32')
  await near(gather(t, index), [5, 6, 1, 2, 5, 6])
  await near(scatterAdd(t, index, device.tensor([1, 1, 1, 1, 1, 1], [3, 2])), [2, 3, 3, 4, 7, 8])
  await near(cumsum(t), [1, 3, 3, 7, 5, 11])
  const { values, indices } = topK(device.tensor([3, 1, 3, 2]), 3)
  await near(values, [3, 3, 2])
  await near(indices, [0, 2, 3])
  await near(argmax(device.tensor([3, 1, 3, 2])), [0])
})

test('write_rows rounds as ggml does', async () => {
  const cache = device.upload({ shape: [2, 32], dtype: 'q8_0' }, new Uint8Array(68))
  const row = Float32Array.from({ length: 32 }, (_, i) => (i - 16) / 8)
  writeRows(cache, device.tensor(row, [1, 32]), device.tensor([1], [1], 'i32'))
  const bytes = await cache.bytes()
  // Scale 2/127 as f16; −2 is −127 and 1 is 64 (63.5 away from zero).
  expect([bytes[34], bytes[35]]).toEqual([0x08, 0x24])
  expect(new Int8Array(bytes.buffer, bytes.byteOffset + 36, 32)[0]).toBe(-127)
  expect(new Int8Array(bytes.buffer, bytes.byteOffset + 36, 32)[24]).toBe(64)
  expect(bytes.slice(0, 34).every(b => b === 0)).toBe(true)
})

test('AdamW takes the first step of its paper: lr · sign of the gradient, after decay', async () => {
  const [p, g] = [device.tensor([1, -2]), device.tensor([0.5, -4])]
  const [m, v] = [device.tensor([0, 0]), device.tensor([0, 0])]
  adamw(p, g, m, v, { lr: device.tensor(0.1, []), step: device.tensor(1, []), weightDecay: 0.5, eps: 1e-12 })
  await near(p, [1 - 0.05 - 0.1, -2 + 0.1 + 0.1])
  await near(m, [0.05, -0.4])
  await near(v, [0.0125, 0.8])
})
