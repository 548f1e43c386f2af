/** Events, their file, the terminal, the page and the planner. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { estimate, Llama, type LlamaConfig, llamaConfig } from '@cria/llama'
import { crossEntropy, type Device, f32, i32, iota, linearCrossEntropy, mul, sum } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  DataError,
  initialise,
  lora,
  meter,
  peakFlops,
  planMemory,
  recomputeBlocks,
  type StepChoice,
  trainStep,
} from '../index.js'
import { jsonl, readEvents, report, reportHtml, terminal } from '../node.js'
import type { TrainEvent } from './events.js'
import { bytes, duration, sparkline } from './format.js'

let folder: string
const device = reference()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cria-metrics-'))
})
afterAll(async () => {
  device.dispose()
  await rm(folder, { recursive: true, force: true })
})

/** A step of two numbers, and a clock that moves half a second each time it is read. */
function setUp() {
  const module = { w: device.tensor([1, 2]) }
  const step = trainStep(module, { batch: { g: f32([2]) }, loss: ({ g }) => sum(mul(module.w, g)) })
  let time = 0
  const now = (): number => {
    time += 500
    return time
  }
  const run = (g: number) => step.run({ inputs: { g: [g, 1] }, count: 100 }, { lr: 0.1 })
  return { step, now, run }
}

test('a meter gives rates, shares and the time left', async () => {
  const { step, now, run } = setUp()
  const events: TrainEvent[] = []
  const log = meter(step, { steps: 10, flopsPerToken: 50, peak: 100_000, now, notes: { seed: 1 } }, [
    { write: e => void events.push(e) },
  ])
  for (let i = 0; i < 3; i++) log.step(await run(i))
  log.step(await run(Number.NaN))
  log.sample('Once', ' upon')
  await log.end()
  expect(events.map(e => e.type)).toEqual(['start', 'step', 'step', 'step', 'step', 'skip', 'sample', 'end'])
  expect(events[0]).toMatchObject({ steps: 10, parameters: 2, notes: { seed: 1 } })
  // Reads of the clock: at the beginning, at the start event, then once a step.
  expect(events[3]).toMatchObject({ step: 3, tokens: 100, tokensPerSecond: 150, share: 0.075, remaining: 7 * (2 / 3) })
  expect(events[5]).toMatchObject({ type: 'skip', step: 4 })
})

test('the share of the peak counts products: no embedding beside an output layer, and frozen weights under an adapter', async () => {
  const block = 4 * (4 * 8 * 8 + 3 * 8 * 16) // 4 layers
  const model = (tied: boolean): Llama => {
    const shape = { vocabSize: 32, hiddenSize: 8, intermediateSize: 16, numHiddenLayers: 4, numAttentionHeads: 2 }
    return new Llama(llamaConfig({ ...shape, tieWordEmbeddings: tied }), initialise(device, 'nanoGPT', { layers: 4 }))
  }
  const flops = (module: object, whole?: object): number => {
    const inner = trainStep(module, { batch: { g: f32([1]) }, loss: ({ g }) => sum(g) })
    const log = meter(inner, { steps: 1, peak: 1, now: () => 0, ...(whole && { model: whole }) }, [])
    const { share, tokensPerSecond } = log.step({ step: 1, loss: 1, norm: 1, lr: 1, count: 1, seconds: 1 })
    inner.dispose()
    return Math.round(share! / tokensPerSecond)
  }
  for (const tied of [true, false]) {
    const whole = model(tied)
    expect(flops(whole)).toBe(6 * (block + 32 * 8))
    // Products without attention are those that `estimate` counts.
    expect(flops(whole)).toBe(estimate(whole.config, { context: 0 }).trainFlopsPerToken)
    const adapter = lora(whole, { rank: 2 })
    const trained = 4 * 2 * (2 * 8 + 2 * 8)
    expect(flops(adapter)).toBe(6 * trained)
    expect(flops(adapter, whole)).toBe(4 * (block + 32 * 8) + 6 * trained)
    expect(flops(whole, whole)).toBe(flops(whole))
    for (const t of [adapter, whole]) t.dispose()
  }
})

test('a file keeps what a killed run repeated, once', async () => {
  const path = join(folder, 'metrics.jsonl')
  const sink = jsonl(path)
  const start = (step: number): TrainEvent => ({ type: 'start', time: 0, step, steps: 5, parameters: 1, device: 'd' })
  const at = (step: number, name: string): TrainEvent => ({ type: 'evaluation', time: 0, step, name, loss: 1 })
  for (const e of [start(0), at(1, 'a'), at(2, 'a'), at(3, 'lost'), start(2), at(3, 'b')]) sink.write(e)
  expect(readEvents(path).flatMap(e => (e.type === 'evaluation' ? `${e.step}${e.name}` : []))).toEqual([
    '1a',
    '2a',
    '3b',
  ])
})

test('a line cut short takes no other with it, and a loss that was no number is no zero', async () => {
  const path = join(folder, 'torn.jsonl')
  const { step, now, run } = setUp()
  const first = meter(step, { steps: 5, now }, [jsonl(path)])
  for (const g of [3, Number.NaN]) first.step(await run(g))
  first.evaluation(Number.NaN)
  appendFileSync(path, '{"type":"st')
  const events = readEvents(path)
  const { loss } = events[1] as { loss: number }
  meter(step, { steps: 5, now }, [jsonl(path)])
  expect(readEvents(path).map(e => e.type)).toEqual([...events.map(e => e.type), 'start'])
  const html = reportHtml(events)
  expect(html).toContain(`<b>${loss.toFixed(3)}</b><span>loss, mean of 50`)
  expect(html).not.toContain('best held out')
})

test('what is no event is left out, and what cannot be read or written is said', async () => {
  const path = join(folder, 'strange.jsonl')
  writeFileSync(path, 'null\n3\n"x"\n{"type":"skip"}\n{"type":"skip","time":0,"step":1,"reason":"r"}\n[]\n')
  expect(readEvents(path).map(e => e.step)).toEqual([1])
  const half = [
    { type: 'evaluation', time: 0, step: 3, loss: 1 },
    { type: 'skip', time: 0, step: 1 },
    { type: 'step', time: 0, step: 1, loss: 1 },
    { type: 'start', time: 0, step: 0, steps: 5, parameters: 1 },
    { type: 'sample', time: 0, step: 1, prompt: 'a', text: 3 },
    { type: 'end', step: 1, reason: 'done' },
    { type: 'epoch', time: 0, step: 1 },
    { type: 'toString', time: 0, step: 1 },
  ]
  appendFileSync(path, half.map(e => `${JSON.stringify(e)}\n`).join(''))
  expect(readEvents(path)).toHaveLength(1)
  report(path, join(folder, 'strange.html'))
  expect(() => readEvents(join(folder, 'nowhere.jsonl'))).toThrow(DataError)
  expect(() => report(join(folder, 'nowhere.jsonl'), join(folder, 'x.html'))).toThrow(/nowhere\.jsonl: cannot be read/)
  expect(() => report(path, folder)).toThrow(/cannot be written \(EISDIR.*Make room/)
  expect(() => jsonl(folder)).toThrow(/cannot be written \(EISDIR/)
  const gone = join(folder, 'gone')
  const sink = jsonl(join(gone, 'm.jsonl'))
  await rm(gone, { recursive: true })
  const event: TrainEvent = { type: 'skip', time: 0, step: 2, reason: 'r' }
  expect(() => sink.write(event)).toThrow(DataError)
  // After a line that a full disk may have cut short.
  jsonl(join(gone, 'm.jsonl'))
  appendFileSync(join(gone, 'm.jsonl'), '{"type"')
  sink.write(event)
  expect(readEvents(join(gone, 'm.jsonl'))).toEqual([event])
})

test('the terminal shows the state in place, and lines where there is none', async () => {
  for (const live of [true, false]) {
    const { step, now, run } = setUp()
    let text = ''
    const stream = new Writable({
      write(chunk, _, done) {
        text += String(chunk)
        done()
      },
    })
    const log = meter(step, { steps: 3, now }, [terminal({ stream, live, every: 0 })])
    for (let i = 0; i < 3; i++) log.step(await run(i))
    log.sample('Once', ' upon')
    await log.end()
    expect(text).toMatch(live ? /tokens\/s · .* left/ : /step 3\/3 {2}loss .* left/)
    expect(text).toContain('done after')
    expect(text.includes('\x1b[')).toBe(live)
  }
})

test('the page has curves and samples, needs nothing else, and escapes what it shows', async () => {
  const { step, now, run } = setUp()
  const path = join(folder, 'page.jsonl')
  const log = meter(step, { steps: 5, now }, [jsonl(path)])
  for (let i = 0; i < 5; i++) log.step(await run(i))
  log.evaluation(2.5)
  log.sample('Once', ' <script>alert(1)</script>')
  await log.end('a & b')
  report(path, join(folder, 'page.html'))
  const html = reportHtml(readEvents(path))
  expect(html).toContain('&lt;script&gt;')
  expect(html).not.toMatch(/<script|https?:\/\/|NaN/)
  expect(html.match(/<svg/g)).toHaveLength(4)
  expect(reportHtml([])).toContain('No events yet')
})

test('each held-out set has its own points, colour and tile', async () => {
  const { step, now, run } = setUp()
  const events: TrainEvent[] = []
  const log = meter(step, { steps: 5, now }, [{ write: e => void events.push(e) }])
  for (const [stories, code] of [
    [2, 8],
    [1, 9],
  ] as const) {
    log.step(await run(1))
    log.evaluation(stories, 'stories')
    log.evaluation(code, '<code>')
  }
  const html = reportHtml(events)
  expect(html).toContain('<b>1.000</b><span>best stories')
  expect(html).toContain('<b>8.000</b><span>best &lt;code&gt;')
  expect(html).toContain('<i class="points set1"></i>stories<i class="points set2"></i>&lt;code&gt;')
  expect(html.match(/<circle class="points set1"[^>]*><title>stories, /g)).toHaveLength(2)
  expect(html.match(/<circle class="points set2"[^>]*><title>&lt;code&gt;, /g)).toHaveLength(2)
})

test.each([30, 50, 80, 200])('no row is longer than a terminal of %i columns', async columns => {
  const { step, now, run } = setUp()
  const parts: string[] = []
  const stream = Object.assign(
    new Writable({
      write(chunk, _, done) {
        parts.push(String(chunk))
        done()
      },
    }),
    { isTTY: true, columns },
  )
  const log = meter(step, { steps: 100_000, now, peak: 1e9 }, [terminal({ stream, every: 0 })])
  log.evaluation(2, 'a held-out set with a long name')
  for (let i = 0; i < 60; i++) log.step(await run(i))
  const rows = stripVTControlCharacters(parts.at(-1)!).split('\n')
  expect(rows).toHaveLength(5)
  for (const row of rows) expect(row.length).toBeLessThan(columns)
  expect(rows[0]).toMatch(columns > 60 ? /^step 60\/100,000 .* 0 %$/ : /^step 60\/100,000/)
  expect(rows[1]).toMatch(columns > 120 ? /a held-out set with a long name 2\.000$/ : /^loss/)
})

test('formats', () => {
  expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8)).toBe('▁▂▃▄▅▆▇█')
  expect(sparkline([1, 1], 8)).toBe('▁▁')
  expect([duration(5), duration(65), duration(3700)]).toEqual(['5s', '1m 05s', '1h 01m'])
  expect([bytes(12), bytes(1500), bytes(2.5e9)]).toEqual(['12 B', '1.5 kB', '2.5 GB'])
})

test('the peak is a positive rate', async () => {
  for (const products of ['f32', 'bf16'] as const)
    expect(await peakFlops(device, { size: 16, products })).toBeGreaterThan(0)
})

const config = llamaConfig({
  vocabSize: 512,
  hiddenSize: 64,
  intermediateSize: 172,
  numHiddenLayers: 5,
  numAttentionHeads: 8,
  numKeyValueHeads: 4,
})
const build =
  (c: LlamaConfig, chunked = true) =>
  (on: Device, { rows, accumulate, recompute }: StepChoice) => {
    const model = new Llama(c, initialise(on, 'llama2.c', { layers: c.numHiddenLayers }))
    if (recompute) recomputeBlocks(model.model.layers)
    const tokens = i32([rows, 64])
    return trainStep(model, {
      batch: { tokens, targets: tokens },
      accumulate,
      loss: ({ tokens: ids, targets }) => {
        const hidden = model.model.forward(ids, { positions: iota(on, 64) })
        return chunked
          ? linearCrossEntropy(hidden, model.lmHead.weight, targets, { reduction: 'sum', chunk: 64 })
          : crossEntropy(model.logits(hidden), targets, { reduction: 'sum' })
      },
    })
  }

test('the planner measures the real plan and says what would help', () => {
  const plan = planMemory(build(config), { rows: 8 })
  expect(plan.parameters).toBe(292_800)
  expect(plan.weights).toBe(plan.parameters * 4)
  expect(plan.optimiser).toBe(plan.parameters * 8)
  expect(plan.logits).toBe(64 * 512 * 4)
  expect(planMemory(build(config, false), { rows: 8 }).logits).toBe(8 * 64 * 512 * 4)
  const recomputed = planMemory(build(config), { rows: 8, recompute: true })
  expect(recomputed.activations).toBeLessThan(plan.activations * 0.6)
  const over = planMemory(build(config), { rows: 8, budget: plan.total * 0.7 })
  expect(over.suggestions[0]).toMatch(/recompute|rows/)
  expect(over.suggestions.join()).not.toMatch(/^.*still too much/)
  expect(plan.suggestions).toEqual([])
})

test('a budget or batch that cannot be is refused', () => {
  for (const budget of [Number.NaN, 0, -1, '4e9' as never])
    expect(() => planMemory(build(config), { rows: 8, budget })).toThrow(/^plan_memory: got budget \S+, expected/)
  for (const rows of [0, 1.5, Number.NaN]) expect(() => planMemory(build(config), { rows })).toThrow(/got rows/)
  expect(() => planMemory(build(config), { rows: 1, accumulate: 0.5 })).toThrow(/got accumulate 0.5/)
})

test('rows that are odd are divided as well', () => {
  const small = llamaConfig({ ...config, numHiddenLayers: 1 })
  const { total } = planMemory(build(small), { rows: 15 })
  const { suggestions } = planMemory(build(small), { rows: 15, budget: total * 0.9 })
  expect(suggestions.join()).toMatch(/5 rows at a time, accumulated 3 times/)
  expect(planMemory(build(small), { rows: 13, budget: total * 0.5 }).suggestions.join()).toMatch(
    /1 rows at a time, accumulated 13 times/,
  )
})

test('logits are as wide as the loss says, whatever else is tall', () => {
  // The up projection has more rows than the vocabulary, and what it makes is wider.
  const tall = llamaConfig({ ...config, vocabSize: 128, intermediateSize: 400, numHiddenLayers: 1 })
  expect(planMemory(build(tall), { rows: 2 }).logits).toBe(64 * 128 * 4)
  expect(planMemory(build(tall, false), { rows: 2 }).logits).toBe(2 * 64 * 128 * 4)
})

test('the planner counts frozen weights and logits under an adapter, and proposes no other', () => {
  const adapted = (on: Device, { rows }: StepChoice) => {
    const model = new Llama(config, initialise(on, 'nanoGPT', { layers: 5 }))
    const adapter = lora(model, { rank: 4 })
    const tokens = i32([rows, 64])
    return trainStep(adapter, {
      batch: { tokens, targets: tokens },
      loss: b => crossEntropy(model.forward(b.tokens, { positions: iota(on, 64) }), b.targets, { reduction: 'sum' }),
    })
  }
  const plan = planMemory(adapted, { rows: 2 })
  expect(plan.parameters).toBe(5 * 4 * (64 + 64 + 64 + 32))
  expect(plan.frozen).toBeGreaterThan(292_800 * 4 - 1)
  expect(plan.logits).toBe(2 * 64 * 512 * 4)
  expect(planMemory(adapted, { rows: 2, budget: 1000 }).suggestions.join()).not.toMatch(/lora/)
  expect(planMemory(build(config), { rows: 2, budget: 1000 }).suggestions.join()).toMatch(/lora\(\)/)
})
