/** The suite under vitest: one call in a backend's test file proves the backend. */
import { type Device, i32, plan } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Case } from './case.js'
import { families } from './cases/index.js'
import { checkDefinition, checkGradients, checkPlan, checkValues } from './checks.js'
import { coverage } from './coverage.js'
import { type PerfOptions, perf } from './perf.js'
import { deviceChecks } from './storage.js'
import { type TinyLlamaOptions, tinyLlama } from './tiny-llama.js'

export interface Skip {
  /** The op, by name. Default: every op. */
  readonly op?: string
  /** Only cases whose title holds this text. */
  readonly title?: string
  /** Shown in the report: a skip without a reason is a bug. */
  readonly reason: string
}

export interface DescribeOptions {
  readonly skip?: readonly Skip[]
  /** Weight and cache dtypes for which a LLaMA decode plan must have a kernel for every op. Default: none are asked. */
  readonly noFallback?: readonly TinyLlamaOptions[]
  /** Times the cases after they pass and prints a table. Default: off, or the environment's `CRIA_PERF`. */
  readonly perf?: boolean | PerfOptions
}

/**
 * Declares the conformance suite of a backend: values, gradients, kernels against definitions, plans against eager
 * calls, storage and leaks.
 *
 * @param makeDevice makes the device under test; it is disposed at the end.
 * @example
 * describeBackend('mine', () => createDevice(mine()))
 */
export function describeBackend(
  name: string,
  makeDevice: () => Device | Promise<Device>,
  { skip = [], noFallback = [], perf: timed = false }: DescribeOptions = {},
): void {
  describe(`backend ${name}`, () => {
    let device: Device
    let oracle: Device
    beforeAll(async () => {
      device = await makeDevice()
      oracle = reference()
    }, 60_000)
    afterAll(() => {
      device?.dispose()
      oracle?.dispose()
    })

    const skipped = (c: Case): Skip | undefined =>
      skip.find(s => (s.op === undefined || s.op === c.op) && (s.title === undefined || c.title.includes(s.title)))

    for (const [family, cases] of Object.entries(families)) {
      describe(family, () => {
        for (const c of cases) {
          const reason = skipped(c)?.reason
          const title = `${c.op} ${c.title}`
          if (reason !== undefined) {
            test.skip(`${title}: ${reason}`, () => {})
            continue
          }
          test(title, async () => {
            await checkValues(device, oracle, c)
            await checkDefinition(device, c)
            await checkPlan(device, c)
            if (c.gradients.length > 0) await checkGradients(device, oracle, c)
          })
        }
      })
    }

    describe('storage and plans', () => {
      for (const [title, run] of Object.entries(deviceChecks)) test(title, () => run(device, oracle))

      for (const options of noFallback) {
        test(`no fallback in a LLaMA decode plan, ${options.weights ?? 'f32'} weights, ${options.cache ?? 'f32'} cache`, () => {
          const { fallbacks } = coverage(device, d => {
            const model = tinyLlama(d, options)
            plan(d, { token: i32([1]), position: i32([1]) }, ({ token, position }) =>
              model.step(token, position),
            ).dispose()
            model.dispose()
          })
          expect(fallbacks).toEqual([])
        })
      }
    })

    const clock = timed || (typeof process !== 'undefined' && Boolean(process.env.CRIA_PERF))
    if (clock) {
      test('perf', { timeout: 600_000 }, async () => {
        const rows = await perf(device, {
          ...(typeof timed === 'object' ? timed : {}),
          filter: c => skipped(c) === undefined && (typeof timed !== 'object' || (timed.filter?.(c) ?? true)),
        })
        console.table(rows.map(r => ({ ...r, microseconds: Number(r.microseconds.toFixed(1)) })))
      })
    }
  })
}
