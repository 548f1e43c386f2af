import { iota } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { expect, test } from 'vitest'
import { tiny, tinyLlama } from '../test/fake.js'
import { compareModels } from './index.js'

const softmax = (row: ArrayLike<number>): number[] => {
  const top = Math.max(...Array.from(row))
  const e = Array.from(row, x => Math.exp(x - top))
  const total = e.reduce((a, b) => a + b, 0)
  return e.map(x => x / total)
}

test('KL divergence, agreement and perplexity ratio are what their formulas say', async () => {
  const device = reference()
  const [base, other] = [tinyLlama(device, 3), tinyLlama(device, 4)]
  const text = Array.from({ length: 21 }, (_, i) => (i * 17 + 3) % 61)
  const rows: { p: number[]; q: number[]; target: number }[] = []
  for (const at of [0, 8, 16]) {
    const window = text.slice(at, at + 8)
    const [p, q] = await Promise.all(
      [base, other].map(async model => {
        const logits = device.scope(() =>
          model.forward(device.tensor(window, [window.length], 'i32'), { positions: iota(device, window.length) }),
        )
        const data = await logits.data()
        logits.dispose()
        return window.map((_, t) => softmax(data.subarray(t * tiny.vocabSize, (t + 1) * tiny.vocabSize)))
      }),
    )
    window.slice(1).forEach((target, t) => rows.push({ p: p![t]!, q: q![t]!, target }))
  }
  const mean = (f: (row: (typeof rows)[number]) => number): number => rows.reduce((a, r) => a + f(r), 0) / rows.length
  const top = (p: number[]): number => p.indexOf(Math.max(...p))
  const result = await compareModels(base, other, text, { context: 8, rowsAtOnce: 5, bytes: 30 })
  expect(result.base.scored).toBe(18)
  expect(result.kl.mean).toBeCloseTo(
    mean(({ p, q }) => p.reduce((a, x, i) => a + x * Math.log(x / q[i]!), 0)),
    4,
  )
  expect(result.sameTop.mean).toBeCloseTo(
    mean(({ p, q }) => (top(p) === top(q) ? 1 : 0)),
    10,
  )
  const nll = mean(({ p, target }) => -Math.log(p[target]!))
  const otherNll = mean(({ q, target }) => -Math.log(q[target]!))
  expect(result.base.nll).toBeCloseTo(nll, 4)
  expect(result.perplexityRatio.mean).toBeCloseTo(Math.exp(otherNll - nll), 3)
  expect(result.probabilityDifference.mean).toBeCloseTo(
    mean(({ p, q, target }) => q[target]! - p[target]!),
    5,
  )

  const same = await compareModels(base, base, text, { context: 8 })
  expect(same).toMatchObject({ kl: { mean: 0, max: 0 }, sameTop: { mean: 1 }, perplexityRatio: { mean: 1, stderr: 0 } })
  for (const [options, reason] of [
    [{ rowsAtOnce: 0 }, 'rowsAtOnce 0'],
    [{ batch: Number.NaN }, 'batch NaN'],
    [{ batch: -1 }, 'batch -1'],
    [{ bytes: 0 }, 'bytes 0'],
  ] as const)
    await expect(compareModels(base, other, text, options)).rejects.toThrow(reason)
  await expect(compareModels(base, other, [1, 61])).rejects.toThrow('got token 61 at 1')
  const elsewhere = tinyLlama(reference(), 3)
  await expect(compareModels(base, elsewhere, text)).rejects.toThrow('one device')
  elsewhere.dispose()
  base.dispose()
  other.dispose()
  expect(device.liveBytes).toBe(0)
})
