/**
 * Logits equal the references': transformers on small random checkpoints, exact arithmetic on dequantised GGUF files.
 * The fixtures are committed; CRIA_GOLDEN_MODELS names a folder of more, as tools/golden writes them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadLlama, Session } from '@cria/llama'
import type { Device } from '@cria/tensor'
import { openModelAt } from '@cria/weights/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exact } from './devices.js'

interface Case {
  readonly tokens: number[]
  /** [id, log-probability], likeliest first. */
  readonly top?: [number, number][]
  /** The same, or the log-probability of every id. */
  readonly exact?: [number, number][] | number[]
  /** llama.cpp's, of every id. */
  readonly llamaCpp?: number[]
}

/** BF16 GGUF is held against llama.cpp, whose rounding we follow there; everything else against the truth. */
const likeliest = ({ top, exact: truth = [], llamaCpp }: Case, asLlamaCpp: boolean): [number, number][] => {
  const all = (asLlamaCpp && llamaCpp) || truth
  const pairs =
    top ??
    (typeof all[0] === 'number'
      ? (all as number[]).map((p, id): [number, number] => [id, p])
      : (all as [number, number][]))
  return pairs.toSorted((a, b) => b[1] - a[1]).slice(0, 10)
}

interface Expected {
  /** An activation or bias that this project may refuse by name. */
  readonly refusable?: unknown
  readonly dtype?: string
  readonly cases: readonly Case[]
}

const fixtures = fileURLToPath(new URL('../golden/fixtures', import.meta.url))
const more = process.env.CRIA_GOLDEN_MODELS

/** Model paths with their expectations and how far the ten likeliest may be off. */
function models(): { name: string; path: string; expected: string; bound: number }[] {
  const folders = (root: string) =>
    readdirSync(root)
      .filter(name => existsSync(join(root, name, 'expected.json')))
      .map(name => ({ name, path: join(root, name), expected: join(root, name, 'expected.json') }))
  const ggufs = (root: string) =>
    readdirSync(root)
      .filter(name => name.endsWith('.gguf'))
      .map(name => ({ name, path: join(root, name), expected: join(root, name.replace(/gguf$/, 'json')) }))
  const found = [
    ...folders(fixtures),
    ...ggufs(fixtures),
    ...(more ? [...folders(join(more, 'hf')), ...ggufs(join(more, 'gguf'))] : []),
  ]
  return found.map(m => ({ ...m, bound: boundOf(m.name, JSON.parse(readFileSync(m.expected, 'utf8')) as Expected) }))
}

/** Float files agree closely; block formats round activations too. */
function boundOf(name: string, { dtype }: Expected): number {
  if (name.endsWith('.gguf')) return /F32|F16/.test(name) ? 0.02 : 0.25
  return dtype === 'bf16' || name.includes('bf16') ? 0.05 : 0.02
}

describe.each(exact)('on $name', ({ open }) => {
  let device: Device
  beforeAll(async () => {
    device = await open()
  })
  afterAll(() => device.dispose())

  test.each(models())('$name', async ({ path, expected, bound }) => {
    const { cases, refusable } = JSON.parse(readFileSync(expected, 'utf8')) as Expected
    if (refusable !== undefined) return expect(openModelAt(path)).rejects.toThrow('hidden_act')
    const opened = await openModelAt(path)
    const model = await loadLlama(device, opened)
    try {
      for (const one of cases) {
        const { tokens } = one
        const session = new Session(model, { capacity: tokens.length })
        const got = await session.logProbs(tokens)
        for (const [id, want] of likeliest(one, path.includes('BF16')))
          expect(Math.abs(got[id]! - want), `${tokens} → ${id}`).toBeLessThan(bound)
        session.dispose()
      }
    } finally {
      model.dispose()
      await opened.close()
    }
  })
})
