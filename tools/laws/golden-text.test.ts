/** Law 1: the 200-step greedy text of stories260K, byte for byte, on every backend, eager and as a plan. */
import { readFileSync } from 'node:fs'
import { type Llama, loadLlama, Session } from '@cria/llama'
import { argmax, type Device, iota } from '@cria/tensor'
import { fromLlama2c } from '@cria/tokenizer'
import { openModelAt } from '@cria/weights/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exact, gpu, hasShared, shared } from './devices.js'

describe.skipIf(!hasShared)('stories260K (needs the folder `shared` beside the checkout)', () => {
  const golden = hasShared ? readFileSync(shared('golden', 'stories260K-greedy.txt'), 'utf8') : ''
  const tokenizer = hasShared ? fromLlama2c(readFileSync(shared('models', 'tok512.bin'))) : undefined

  describe.each([...exact, ...(gpu ? [gpu] : [])])('on $name', ({ name, open }) => {
    let device: Device
    beforeAll(async () => {
      device = await open()
    })
    afterAll(() => device.dispose())

    // A software adapter is slow; the formats of files are proven elsewhere.
    test.each(name === 'webgpu' ? ['stories260K.gguf'] : ['stories260K.bin', 'stories260K.gguf'])(
      '%s tells the golden story as a plan, and frees everything',
      async file => {
        const before = device.liveBytes
        const opened = await openModelAt(shared('models', file))
        const model = await loadLlama(device, opened)
        const session = new Session(model, { capacity: 256 })
        const ids = await greedy(token => session.evaluate([token]))
        expect(tokenizer!.decode(ids)).toBe(golden)
        session.dispose()
        model.dispose()
        await opened.close()
        expect(device.liveBytes).toBe(before)
      },
    )

    test('eagerly, it tells the same', async () => {
      const opened = await openModelAt(shared('models', 'stories260K.bin'))
      const model = await loadLlama(device, opened)
      const ids = await greedyEager(device, model, eagerSteps[device.name] ?? 200)
      expect(ids.length).toBeGreaterThan(0)
      expect(golden.startsWith(tokenizer!.decode(ids))).toBe(true)
      model.dispose()
      await opened.close()
    })
  })
})

const bos = 1

/** The slow ones say less. */
const eagerSteps: Readonly<Record<string, number>> = { reference: 24, webgpu: 4 }

/** Greedy tokens after BOS, 200 at most. */
async function greedy(next: (token: number) => Promise<Float32Array>): Promise<number[]> {
  const ids: number[] = []
  for (let token = bos, step = 0; step < 200; step++) {
    token = largest(await next(token))
    if (token === bos) break
    ids.push(token)
  }
  return ids
}

const largest = (logits: Float32Array): number => logits.reduce((best, x, i) => (x > logits[best]! ? i : best), 0)

/** Without cache or plan: the whole text again for every token. */
async function greedyEager(device: Device, model: Llama, steps: number): Promise<number[]> {
  const ids = [bos]
  for (let i = 0; i < steps; i++) {
    const best = device.scope(() =>
      argmax(model.forward(device.tensor(ids, [ids.length], 'i32'), { positions: iota(device, ids.length) })),
    )
    const token = (await best.data()).at(-1)!
    best.dispose()
    if (token === bos) break
    ids.push(token)
  }
  return ids.slice(1)
}
