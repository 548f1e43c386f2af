/** Gradients of gradients: the gradient of Σ v · ∇(Σ w · f) against finite differences of it, for every case in f32. */
import { add, type Device, decode, grad, isFloat, mul, reshape, sum, type Tensor } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { expect, test } from 'vitest'
import { type Case, fill } from './case.js'
import { families } from './cases/index.js'
import { numericGradients, weighted } from './finite-differences.js'
import { stream } from './random.js'

const device = reference()

const listOf = (out: ReturnType<Case['run']>): readonly Tensor[] =>
  out === undefined ? [] : Array.isArray(out) ? out : [out as Tensor]

/** Σ v · ∇f: a scalar made of first gradients. */
function slope(c: Case, inputs: readonly Tensor[]): Tensor {
  const targets = c.gradients.map(i => inputs[i]!)
  const first = grad(() => weighted(c, listOf(c.run(...inputs))), targets)
  const parts = first.map((g, k) => {
    const next = stream(`second ${c.op} ${c.title} ${k}`)
    const v = Float32Array.from({ length: g.size }, () => next() * 2 - 1)
    return sum(mul(reshape(g, [g.size]), device.tensor(v)))
  })
  return parts.reduce(add)
}

async function at(d: Device, c: Case, bytes: readonly Uint8Array[]): Promise<number> {
  const inputs = c.inputs.map((input, i) => d.upload(input.spec, bytes[i]!))
  const value = d.scope(() => slope(c, inputs))
  const [x] = await value.data()
  for (const t of [value, ...inputs]) t.dispose()
  return x!
}

const twice = Object.values(families)
  .flat()
  .filter(c => c.gradients.length > 0 && c.inputs.every(({ spec: s }) => !isFloat(s.dtype) || s.dtype === 'f32'))

test.each(twice.map(c => [c.op, c.title, c] as const))('%s: %s', async (_, __, c) => {
  const bytes = fill(c)
  const inputs = c.inputs.map((input, i) => device.upload(input.spec, bytes[i]!))
  const targets = c.gradients.map(i => inputs[i]!)
  const second = device.scope(() => grad(() => slope(c, inputs), targets))
  const got = await Promise.all(second.map(async g => (await g.data()) as Float32Array))
  for (const [k, i] of c.gradients.entries()) {
    const numeric = await numericGradients(
      changed =>
        at(
          device,
          c,
          bytes.map((b, j) => (j === i ? new Uint8Array(changed.buffer) : b)),
        ),
      decode(c.inputs[i]!.spec, bytes[i]!) as Float32Array,
      { samples: 6 },
    )
    const size = Math.sqrt(numeric.reduce((a, n) => a + n.slope * n.slope, 0) / Math.max(1, numeric.length))
    for (const n of numeric)
      expect(
        Math.abs(got[k]![n.at]! - n.slope),
        `input ${i} at ${n.at}: ${got[k]![n.at]} against ${n.slope}`,
      ).toBeLessThan(5e-3 * (Math.abs(n.slope) + size) + 1e-3)
  }
  for (const t of [...second, ...inputs]) t.dispose()
})
