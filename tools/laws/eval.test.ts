/**
 * Evaluation against lm-evaluation-harness and transformers: the tasks in packages/eval/test/tasks on
 * SmolLM2-135M-Instruct (tools/golden/eval_golden.py). The model is needed: CRIA_SMOLLM2, or the model cache.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { evaluate, LlamaLanguageModel, measurePerplexity, type TaskResult } from '@cria/eval'
import { loadTask } from '@cria/eval/node'
import { type Llama, loadLlama } from '@cria/llama'
import type { Device } from '@cria/tensor'
import { fromGguf, fromSentencePiece, type Tokenizer } from '@cria/tokenizer'
import { openModelAt } from '@cria/weights/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fast } from './devices.js'

type Answer = [logprob: number, greedy: boolean] | number | string

interface TaskGolden {
  readonly metrics: Readonly<Record<string, number | string>>
  readonly requests: readonly (readonly [args: readonly unknown[], answer: Answer])[]
}

interface Pair {
  readonly context: string
  readonly continuation: string
  readonly tokens: readonly [number[], number[]]
}

interface Golden {
  readonly tasks: Readonly<Record<string, TaskGolden>>
  readonly windows: TaskGolden
  readonly pairs: Readonly<Record<'smollm2' | 'llama2', readonly Pair[]>>
  readonly perplexity: {
    readonly text: string
    readonly windows: readonly { context: number; tokens: number; scored: number; nll: number }[]
  }
}

const golden = JSON.parse(readFileSync(new URL('../golden/eval.json', import.meta.url), 'utf8')) as Golden
const tasks = fileURLToPath(new URL('../../packages/eval/test/tasks/', import.meta.url))
const file = process.env.CRIA_SMOLLM2 ?? join(homedir(), '.cache', 'cria', 'models', 'SmolLM2-135M-Instruct.Q4_1.gguf')
const shared = process.env.CRIA_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url))
const pieces = join(shared, 'models', 'llama2-tokenizer.model')

const expectPairs = (lm: LlamaLanguageModel, pairs: readonly Pair[]): void => {
  for (const { context, continuation, tokens } of pairs)
    expect(lm.pair({ context, continuation }), JSON.stringify([context, continuation])).toEqual({
      tokens: tokens.flat(),
      from: tokens[0].length,
    })
}

test.skipIf(!existsSync(pieces))(
  'contexts and continuations are cut as lm-eval cuts them under LLaMA’s vocabulary',
  () => {
    const model = { config: { maxPositionEmbeddings: 2048 } } as Llama
    expectPairs(new LlamaLanguageModel(model, fromSentencePiece(readFileSync(pieces))), golden.pairs.llama2)
  },
)

describe.skipIf(!existsSync(file))('SmolLM2-135M-Instruct (needs CRIA_SMOLLM2 or the file in the model cache)', () => {
  // One backend: that all give the same numbers is what conformance is for.
  describe.each(fast.slice(-2, -1))('on $name', ({ open }) => {
    let device: Device
    let model: Llama
    let tokenizer: Tokenizer
    beforeAll(async () => {
      device = await open()
      const opened = await openModelAt(file)
      model = await loadLlama(device, opened)
      tokenizer = fromGguf(opened.weights.metadata)
      await opened.close()
    })
    afterAll(() => {
      model.dispose()
      device.dispose()
    })

    test('contexts and continuations are cut as lm-eval cuts them', () => {
      using lm = new LlamaLanguageModel(model, tokenizer)
      expectPairs(lm, golden.pairs.smollm2)
    })

    test('requests, answers and metrics of every task are lm-eval’s', async () => {
      using lm = new LlamaLanguageModel(model, tokenizer)
      const names = Object.keys(golden.tasks)
      const loaded = await Promise.all(names.map(name => loadTask(join(tasks, `${name}.yaml`))))
      const results = await evaluate(lm, loaded, { bootstrapIterations: 2000 })
      for (const [i, name] of names.entries()) expectTask(results[i]!, golden.tasks[name]!, name)
    }, 600_000)

    test('a text longer than the window rolls over it as lm-eval’s does', async () => {
      using lm = new LlamaLanguageModel(model, tokenizer, { maxLength: 48 })
      const [result] = await evaluate(lm, [await loadTask(join(tasks, 'passages.yaml'))])
      expectTask(result!, golden.windows, 'windows')
    })

    test('perplexity over windows is that of transformers', async () => {
      const { text, windows } = golden.perplexity
      const tokens = tokenizer.encode(text, { bos: false })
      for (const { context, nll, ...counts } of windows) {
        const result = await measurePerplexity(model, tokens, { context, bytes: 1 })
        expect(result).toMatchObject({ tokens: counts.tokens, scored: counts.scored })
        expect(Math.abs(result.nll - nll)).toBeLessThan(0.001)
      }
    })
  })
})

/** Nats of a whole request between our arithmetic (8-bit activations) and f32: 0.018 at most where this was written. */
const requestBound = 0.05

function expectTask({ samples, scores }: TaskResult, { requests, metrics }: TaskGolden, name: string): void {
  const own = samples.flatMap(s => s.requests.map((request, i) => ({ request, answer: s.answers[i]! })))
  expect(own.length, name).toBe(requests.length)
  const errors: number[] = []
  for (const [i, { request, answer }] of own.entries()) {
    const [args, wanted] = requests[i]!
    const where = `${name} ${JSON.stringify(args)}`
    if (request.kind === 'loglikelihood') expect([request.context, request.continuation]).toEqual(args)
    else expect(request.kind === 'generate_until' ? request.context : request.text).toBe(args[0])
    if (typeof answer === 'string') {
      expect(answer, where).toBe(wanted)
      continue
    }
    const [logprob, greedy] = Array.isArray(wanted) ? wanted : [wanted as number, undefined]
    const error = Math.abs((typeof answer === 'number' ? answer : answer.logprob) - logprob)
    expect(error, where).toBeLessThan(requestBound)
    errors.push(error)
    if (typeof answer === 'object') expect(answer.greedy, where).toBe(greedy)
  }
  if (errors.length > 0) expect(errors.reduce((a, b) => a + b) / errors.length, name).toBeLessThan(requestBound / 5)
  for (const { metric, filter, value, stderr } of scores) {
    const wanted = metrics[`${metric},${filter}`] as number
    const error = metrics[`${metric}_stderr,${filter}`]
    // Counts are equal; what is made of the log-likelihoods themselves is as near as they are.
    const bound = /^(acc|exact)/.test(metric) ? 1e-12 : 1e-3 * wanted
    expect(Math.abs(value - wanted), `${name} ${metric}`).toBeLessThanOrEqual(bound)
    if (typeof error === 'number') expect(Math.abs(stderr! - error), `${name} ${metric}`).toBeLessThan(bound + 1e-12)
    else expect(stderr, `${name} ${metric}`).toBeUndefined()
  }
}
