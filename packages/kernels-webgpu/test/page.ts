/** What runs inside the browser: a part of the conformance suite on the browser's own WebGPU. */
import {
  checkDefinition,
  checkGradients,
  checkPlan,
  checkValues,
  deviceChecks,
  families,
} from '@cria/conformance/suite'
import { reference } from '@cria/tensor/reference'
import { webgpu } from '../src/index.js'

export interface PageReport {
  readonly description: string
  readonly passed: number
  readonly failures: readonly string[]
}

/** Two cases of every op, and every check of storage and plans. */
async function run(): Promise<PageReport> {
  const device = await webgpu()
  const oracle = reference()
  const failures: string[] = []
  let passed = 0
  const attempt = async (title: string, fn: () => Promise<unknown>): Promise<void> => {
    try {
      await fn()
      passed++
    } catch (error) {
      failures.push(`${title}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const seen = new Map<string, number>()
  for (const c of Object.values(families).flat()) {
    const before = seen.get(c.op) ?? 0
    if (before >= 2 || c.title.includes('iq')) continue
    seen.set(c.op, before + 1)
    await attempt(`${c.op} ${c.title}`, async () => {
      await checkValues(device, oracle, c)
      await checkDefinition(device, c)
      await checkPlan(device, c, 2)
      if (c.gradients.length > 0) await checkGradients(device, oracle, c)
    })
  }
  for (const [title, check] of Object.entries(deviceChecks)) {
    if (!title.includes('round-trips') && !title.includes('fresh')) await attempt(title, () => check(device, oracle))
  }
  const { description } = device
  device.dispose()
  return { description, passed, failures }
}

;(globalThis as unknown as { conformance: () => Promise<PageReport> }).conformance = run
