import { iota, type Tensor } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, describe, expect, test } from 'vitest'
import {
  BusyError,
  estimate,
  fingerprint,
  type GenerateEvent,
  generate,
  Llama,
  llamaConfig,
  preset,
  presetNames,
  randomSource,
  restoreSession,
  Session,
  StateError,
  saveSession,
} from './index.js'

const device = reference()
const before = device.liveBytes
const config = llamaConfig({
  vocabSize: 61,
  hiddenSize: 64,
  intermediateSize: 80,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 32,
  maxPositionEmbeddings: 64,
})
const model = new Llama(config, randomSource(device, { seed: 3, std: 0.15 }))
const prompt = [5, 17, 3, 42, 8, 8, 29, 1, 60, 2, 33]
const greedy = { sample: (logits: Float32Array): number => logits.indexOf(Math.max(...logits)) }

afterAll(() => {
  model.dispose()
  expect(device.liveBytes).toBe(before)
})

const close = (a: ArrayLike<number>, b: ArrayLike<number>, bound: number): void => {
  expect(a.length).toBe(b.length)
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(bound)
}

describe('a session', () => {
  test.each([1, 3, 4, 64])(
    'gives the logits of the plain forward pass, prompts cut into steps of at most %i',
    async batch => {
      using session = new Session(model, { capacity: 32, batch })
      const rows = await session.evaluateAll(prompt)
      const whole = device.scope(() =>
        model.forward(device.tensor(prompt, [prompt.length], 'i32'), { positions: iota(device, prompt.length) }),
      )
      close(rows, await whole.data(), 1e-4)
      whole.dispose()
    },
  )

  test.each(['f16', 'bf16', 'q8_0'] as const)('keeps %s keys and values close to f32', async dtype => {
    using exact = new Session(model, { capacity: 32, dtype: 'f32' })
    using coarse = new Session(model, { capacity: 32, dtype })
    close(await coarse.evaluate(prompt), (await exact.evaluate(prompt)).slice(), dtype === 'f16' ? 0.01 : 0.1)
    expect(coarse.cache.dtype).toBe(dtype)
  })

  test.each([7, 8, 13, 15])(
    'pads the end of a prompt where that pays, without a trace: capacity 16, %i tokens',
    async n => {
      using whole = new Session(model, { capacity: 16, batch: 8 })
      using single = new Session(model, { capacity: 16, batch: 1 })
      const tokens = Array.from({ length: n }, (_, i) => (i * 7) % 61)
      close(await whole.evaluate(tokens), (await single.evaluate(tokens)).slice(), 1e-4)
      close(await whole.evaluate([5]), (await single.evaluate([5])).slice(), 1e-4)
      expect(whole.length).toBe(n + 1)
    },
  )

  test('a fork goes its own way, and a cut session is as if the rest had never been', async () => {
    using session = new Session(model, { capacity: 32 })
    await session.evaluate(prompt)
    using fork = await session.fork()
    const other = (await fork.evaluate([7, 7])).slice()
    const own = (await session.evaluate([9])).slice()
    session.truncate(prompt.length)
    expect(await session.evaluate([7, 7])).toEqual(other)
    session.truncate(prompt.length)
    expect(await session.evaluate([9])).toEqual(own)
    expect(session.tokens).toEqual([...prompt, 9])
  })

  test('forks trace nothing again, and live on when the first session is gone', async () => {
    const parent = new Session(model, { capacity: 32, batch: 8 })
    await parent.evaluate(prompt)
    const expected = (await parent.evaluate([7])).slice()
    parent.truncate(prompt.length)
    const { forward } = model.model
    let traces = 0
    model.model.forward = (...args) => {
      traces++
      return forward.apply(model.model, args)
    }
    try {
      const child = await parent.fork()
      parent.dispose()
      using grandchild = await child.fork()
      expect(await grandchild.evaluate([7])).toEqual(expected)
      child.dispose()
      grandchild.truncate(0)
      await grandchild.evaluate(prompt)
      expect(await grandchild.evaluate([7])).toEqual(expected)
      expect(traces).toBe(0)
    } finally {
      model.model.forward = forward
    }
  })

  test.each([
    { type: 'dynamic', factor: 2, originalContext: 8 },
    {
      type: 'longrope',
      shortFactor: Array(16).fill(1),
      longFactor: Array(16).fill(3),
      originalContext: 8,
    },
  ] as const)(
    'with $type rotation, sessions of different lengths under way together do not disturb each other',
    async ropeScaling => {
      const scaled = new Llama(llamaConfig({ ...config, ropeScaling }), randomSource(device, { seed: 3, std: 0.15 }))
      const answers = async (together: boolean): Promise<Float32Array[]> => {
        using long = new Session(scaled, { capacity: 32, batch: 4 })
        using short = new Session(scaled, { capacity: 32, batch: 4 })
        const first = long.evaluate([...prompt, ...prompt])
        if (!together) await first
        const second = short.evaluate(prompt.slice(0, 6))
        return (await Promise.all([first, second])).map(logits => logits.slice())
      }
      expect(await answers(true)).toEqual(await answers(false))
      scaled.dispose()
    },
  )

  test('saved and restored, it goes on bit for bit; another model, cut or damaged bytes are refused', async () => {
    using session = new Session(model, { capacity: 32 })
    await session.evaluate(prompt)
    const bytes = await saveSession(session)
    using restored = await restoreSession(model, bytes)
    expect(restored.tokens).toEqual(prompt)
    expect(await restored.evaluate([4])).toEqual((await session.evaluate([4])).slice())
    const stranger = new Llama(config, randomSource(device, { seed: 4 }))
    await expect(restoreSession(stranger, bytes)).rejects.toThrow(StateError)
    expect(await fingerprint(stranger)).not.toBe(await fingerprint(model))
    stranger.dispose()
    await expect(restoreSession(model, bytes.subarray(0, bytes.length - 5))).rejects.toThrow('cut short')
    await expect(restoreSession(model, bytes, { capacity: 4 })).rejects.toThrow('capacity')
    for (let i = 0; i < 200; i++) {
      const bad = bytes.slice(0, 400)
      bad[i]! ^= 1 << (i % 8)
      await expect(restoreSession(model, bad)).rejects.toThrow(StateError)
    }
  })

  test('a model that differs anywhere in one matrix, or in one value, has another fingerprint', async () => {
    const own = await fingerprint(model)
    const { weight } = model.model.layers[1]!.mlp.downProj
    const { buf } = weight.storage('test')
    const { backend } = device
    const bytes = await backend.read(buf, 0, 64 * 80 * 4)
    for (const [from, to] of [
      [5 * 320, 64 * 320],
      [bytes.length - 1, bytes.length],
    ] as const) {
      backend.write(buf, bytes.slice().fill(0x3c, from, to))
      expect(await fingerprint(model)).not.toBe(own)
    }
    backend.write(buf, bytes)
    expect(await fingerprint(model)).toBe(own)
  })

  test('a model with an adapter attached has no fingerprint: its weights do not say what it computes', async () => {
    using session = new Session(model, { capacity: 32 })
    await session.evaluate(prompt)
    const bytes = await saveSession(session)
    const layer = model.model.layers[1]!.mlp.downProj
    const own = layer.forward
    layer.forward = x => own.call(layer, x)
    try {
      for (const save of [() => fingerprint(model), () => saveSession(session), () => restoreSession(model, bytes)])
        await expect(save()).rejects.toThrow(/another forward\(\) at model\.layers\.1\.mlp\.downProj than its own/)
    } finally {
      layer.forward = own // as an adapter that is taken off leaves it
    }
    using restored = await restoreSession(model, bytes)
    expect(restored.tokens).toEqual(prompt)
  })

  test('of thousands of damaged saves each is refused by type, or is the same session', async () => {
    using session = new Session(model, { capacity: 32 })
    await session.evaluate(prompt)
    const expected = (await session.evaluate([4])).slice()
    session.truncate(prompt.length)
    const bytes = await saveSession(session)
    const body = bytes.indexOf(10, 20) + 1
    let state = 7
    const pick = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * n)
    }
    let same = 0
    for (let i = 0; i < 2000; i++) {
      let bad = bytes.slice()
      const place = pick(3) === 0 ? pick(bytes.length) : pick(body)
      if (i % 4 === 0) bad = bad.slice(0, place)
      else if (i % 4 === 1) bad[place] = 48 + pick(10)
      else if (i % 4 === 2) bad[place]! ^= 1 << pick(8)
      else bad = Uint8Array.from([...bad.subarray(0, place), 57, 57, 57, ...bad.subarray(place)])
      try {
        using restored = await restoreSession(model, bad)
        expect(restored.tokens).toEqual(prompt)
        if (same++ % 50 === 0) expect(await restored.evaluate([4])).toEqual(expected)
      } catch (error) {
        if (!(error instanceof StateError)) throw error
      }
    }
    expect(same).toBeGreaterThan(0) // a digit overwritten by itself
  })

  test('a save that claims a giant cache, or foreign tokens, is refused before anything is allocated', async () => {
    using session = new Session(model, { capacity: 32 })
    await session.evaluate(prompt)
    const bytes = await saveSession(session)
    const end = bytes.indexOf(10, 20)
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(15, end))) as Record<string, unknown>
    const changed = (fields: object): Uint8Array =>
      Uint8Array.from([
        ...new TextEncoder().encode(`cria-session-4\n${JSON.stringify({ ...header, ...fields })}\n`),
        ...bytes.subarray(end + 1),
      ])
    const { liveBytes } = device
    for (const fields of [
      { capacity: 2 ** 50 },
      { tokens: prompt.map(() => 61) },
      { tokens: prompt.with(0, prompt[0]! === 3 ? 4 : 3) },
      { dtype: 'bf16' },
      { tokens: [9999, 1e9] },
      { dtype: 'q8_0' },
      { digest: '' },
    ])
      await expect(restoreSession(model, changed(fields))).rejects.toThrow(StateError)
    expect(device.liveBytes).toBe(liveBytes)
    const old = Uint8Array.from(bytes)
    old[13] = 51 // cria-session-3
    await expect(restoreSession(model, old)).rejects.toThrow('a session of another version of cria')
    using wide = await restoreSession(model, bytes, { capacity: 1000 })
    expect(wide.tokens).toEqual(prompt)
  })

  test.each([1, 4, 64])(
    'gives hidden states, and the logits that follow from them, in steps of at most %i',
    async batch => {
      using session = new Session(model, { capacity: 32, batch })
      const { hiddenSize, vocabSize } = model.config
      const hidden = await session.evaluateHidden(prompt)
      expect(hidden).toHaveLength(prompt.length * hiddenSize)
      using other = new Session(model, { capacity: 32, batch })
      const rows = await other.evaluateAll(prompt)
      for (const t of [0, prompt.length - 1]) {
        const logits = await session.logitsOf(hidden.slice(t * hiddenSize, (t + 1) * hiddenSize))
        close(logits, rows.subarray(t * vocabSize, (t + 1) * vocabSize), 1e-4)
      }
      await expect(session.logitsOf(hidden.slice(1, 3))).rejects.toThrow(/got a row of 2, expected hiddenSize/)
    },
  )

  test('a call while another is under way is refused, and the first goes on undisturbed', async () => {
    using alone = new Session(model, { capacity: 32, batch: 4 })
    await alone.evaluate(prompt)
    const expected = (await alone.evaluate([7])).slice()
    using session = new Session(model, { capacity: 32, batch: 4 })
    const first = session.evaluate(prompt)
    expect(() => session.truncate(0)).toThrow(BusyError)
    // All at once: the first may end while another's refusal is awaited.
    const refused = [
      session.evaluate([9]),
      session.evaluateAll([9]),
      session.logProbs([9]),
      session.fork(),
      saveSession(session),
    ].map(call => expect(call).rejects.toThrow('while evaluate() runs, expected one call at a time. Await the first'))
    await Promise.all(refused)
    await first
    expect(await session.evaluate([7])).toEqual(expected)
    const saving = saveSession(session)
    await expect(session.evaluate([9])).rejects.toThrow(BusyError)
    using restored = await restoreSession(model, await saving)
    expect(restored.tokens).toEqual([...prompt, 7])
    const forking = session.fork()
    await expect(session.logProbs([9])).rejects.toThrow(BusyError)
    ;(await forking).dispose()
    await expect(session.evaluate([61])).rejects.toThrow('expected 0 … 60')
    await session.logProbs([9])
    expect(session.tokens).toEqual([...prompt, 7, 9])
  })

  test('refuses what it cannot evaluate', async () => {
    using session = new Session(model, { capacity: 8 })
    await expect(session.evaluate([])).rejects.toThrow('got no tokens')
    await expect(session.evaluate([61])).rejects.toThrow('expected 0 … 60')
    await expect(session.evaluate(prompt)).rejects.toThrow('at most 8')
    expect(session.length).toBe(0)
  })

  test('observe sees every layer', () => {
    const seen = new Map<string, readonly number[]>()
    const observe = (name: string, t: Tensor): void => void seen.set(name, t.shape)
    device.scope(() => {
      model.forward(device.tensor(prompt, [11], 'i32'), { positions: iota(device, 11), observe })
    })
    expect(seen.get('embeddings')).toEqual([11, 64])
    expect(seen.get('layers.1.hidden')).toEqual([11, 64])
    expect(seen.get('layers.0.attention')).toEqual([4, 11, 11])
  })
})

describe('generate', () => {
  const collect = async (options: Partial<Parameters<typeof generate>[1]>, capacity = 32): Promise<GenerateEvent[]> => {
    using session = new Session(model, { capacity })
    const events: GenerateEvent[] = []
    for await (const event of generate(session, { prompt, sampler: greedy, maxTokens: 6, ...options }))
      events.push(event)
    return events
  }
  const tokensOf = (events: GenerateEvent[]): number[] => events.flatMap(e => (e.type === 'token' ? [e.token] : []))

  test('tells the prompt, each token, and why it ended', async () => {
    const events = await collect({})
    expect(events[0]).toMatchObject({ type: 'prompt', tokens: 11 })
    expect(tokensOf(events)).toHaveLength(6)
    expect(events.at(-1)).toMatchObject({ type: 'done', reason: 'length', tokens: 6 })
  })

  test.each([1.5, -1, Number.NaN])('refuses a limit of %d tokens', async maxTokens => {
    await expect(collect({ maxTokens })).rejects.toThrow('expected a whole number ≥ 0')
  })

  test('ends at a stop token, at the end of the cache, and when aborted', async () => {
    const all = tokensOf(await collect({}))
    expect((await collect({ stop: [all[2]!] })).at(-1)).toMatchObject({ reason: 'stop', tokens: all.indexOf(all[2]!) })
    expect((await collect({ maxTokens: 100 }, 14)).at(-1)).toMatchObject({ reason: 'capacity', tokens: 4 })
    expect((await collect({ maxTokens: 0 })).at(-1)).toMatchObject({ reason: 'length', tokens: 0 })
    const stopper = new AbortController()
    using session = new Session(model, { capacity: 32 })
    let last: GenerateEvent | undefined
    for await (const event of generate(session, { prompt, sampler: greedy, signal: stopper.signal })) {
      if (event.type === 'token' && event.index === 1) stopper.abort()
      last = event
    }
    expect(last).toMatchObject({ type: 'done', reason: 'abort', tokens: 2 })
  })

  test('lets timers run, so that what they abort stops', async () => {
    const stopper = new AbortController()
    setTimeout(() => stopper.abort(), 0)
    const events = await collect({ maxTokens: 4000, signal: stopper.signal }, 4096)
    expect(events.at(-1)).toMatchObject({ type: 'done', reason: 'abort' })
  })
})

describe('presets', () => {
  test('a sliding window bounds what attention costs', () => {
    const keys = (name: 'llama-2-7b' | 'mistral-7b-v0.1', context: number): number =>
      estimate(preset(name), { context }).flopsPerToken - estimate(preset(name), { context: 0 }).flopsPerToken
    expect(keys('mistral-7b-v0.1', 32_768)).toBe(4 * 32 * 4096 * 4096)
    expect(keys('llama-2-7b', 8192)).toBe(4 * 32 * 4096 * 8192)
  })

  /** Parameters as published, or as the checkpoints' own files add up. */
  const published: Partial<Record<(typeof presetNames)[number], number>> = {
    'llama-7b': 6_738_415_616,
    'llama-13b': 13_015_864_320,
    'llama-33b': 32_528_943_616,
    'llama-65b': 65_285_660_672,
    'llama-2-70b': 68_976_648_192,
    'llama-3-8b': 8_030_261_248,
    'llama-3.2-1b': 1_235_814_400,
    'llama-3.2-3b': 3_212_749_824,
    'llama-3.1-405b': 405_853_388_800,
    'mistral-7b-v0.1': 7_241_732_096,
    'tinyllama-1.1b': 1_100_048_384,
    'smollm2-135m': 134_515_008,
    'qwen2.5-0.5b': 494_032_768,
    'qwen3-0.6b': 596_049_920,
  }

  test.each(Object.entries(published))('%s has %i parameters', (name, parameters) => {
    expect(estimate(preset(name as keyof typeof published)).parameters).toBe(parameters)
  })

  test('every preset is a configuration, with its costs', () => {
    for (const name of presetNames) {
      const e = estimate(preset(name), { dtype: 'q4_0', context: 2048 })
      expect(e.weightBytes).toBeLessThan(e.parameters)
      expect(e.flopsPerToken).toBeGreaterThan(2 * e.weightBytes * 0.8)
      expect(e.cacheBytes).toBeGreaterThan(0)
    }
  })

  test('a configuration that cannot be is refused by its field', () => {
    expect(() => llamaConfig({ ...config, numKeyValueHeads: 3 })).toThrow('numKeyValueHeads 3')
    expect(() => llamaConfig({ ...config, vocabSize: 0 })).toThrow('vocabSize 0')
  })
})
