/**
 * Thousands of broken files of every format, from fixed seeds: each must open to something consistent or end in a
 * `WeightsError`, quickly, and without asking the source for more than it holds.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lcg } from '../test/random.js'
import { golden } from '../test/shared.js'
import { tinyConfig, tinyFolder } from '../test/tiny.js'
import { convert } from './convert/convert.js'
import { WeightsError } from './errors.js'
import { openModel, openSingle, sourceFolder } from './open.js'
import { memorySink } from './sink.js'
import { type ByteSource, bytesSource } from './source.js'

function joined(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Mutations of a file; the header, where structure lies, is hit most. */
function mutated(bytes: Uint8Array, next: () => number, header: number): Uint8Array {
  const pick = (n: number): number => Math.floor(next() * n)
  const place = (): number => pick(next() < 0.9 ? Math.min(header, bytes.length) : bytes.length)
  const out = bytes.slice()
  const view = new DataView(out.buffer)
  switch (pick(8)) {
    case 0: // truncation
      return out.slice(0, pick(2) ? pick(bytes.length) : bytes.length - pick(64))
    case 1: // bit flips
      for (let i = pick(4); i >= 0; i--) out[place()]! ^= 1 << pick(8)
      return out
    case 2: // extreme bytes
      for (let i = pick(4); i >= 0; i--) out[place()] = pick(2) * 255
      return out
    case 3: {
      // a huge, negative or off-by-one 64-bit number
      const at = Math.min(place(), Math.max(0, out.length - 8))
      if (out.length < 8) return out
      const huge = [
        2n ** 64n - 1n,
        2n ** 63n,
        2n ** 53n,
        2n ** 32n,
        2n ** 31n - 1n,
        BigInt(out.length),
        0n,
        view.getBigUint64(at, true) + 1n,
      ]
      view.setBigUint64(at, BigInt.asUintN(64, huge[pick(huge.length)]!), true)
      return out
    }
    case 4: {
      // a 32-bit one
      const at = Math.min(place(), Math.max(0, out.length - 4))
      if (out.length >= 4) view.setUint32(at, [0xffffffff, 0x80000000, 0x7fffffff, 0, 1, 65536][pick(6)]!, true)
      return out
    }
    case 5: {
      // a piece copied over another
      const [from, to, n] = [place(), place(), 1 + pick(64)]
      out.copyWithin(to, from, from + n)
      return out
    }
    case 6: {
      // bytes inserted
      const at = place()
      const extra = Uint8Array.from({ length: 1 + pick(16) }, () => pick(256))
      return joined(out.subarray(0, at), extra, out.subarray(at))
    }
    default: {
      // bytes removed
      const at = place()
      return joined(out.subarray(0, at), out.subarray(at + 1 + pick(16)))
    }
  }
}

/** A source that notes how much is asked of it. */
function watched(bytes: Uint8Array): { source: ByteSource; most: () => number } {
  const inner = bytesSource(bytes, 'mutant')
  let most = 0
  return {
    source: {
      ...inner,
      async read(offset, length) {
        const got = await inner.read(offset, length) // refuses what is not there
        most = Math.max(most, length)
        return got
      },
    },
    most: () => most,
  }
}

/** `CRIA_FUZZ=50` runs fifty times as many mutants. */
const effort = Number(process.env.CRIA_FUZZ ?? 1)

async function hammer(
  seed: number,
  base: number,
  bytes: Uint8Array,
  header: number,
  companions: Record<string, ByteSource> = {},
): Promise<Record<string, number>> {
  const count = base * effort
  const next = lcg(seed)
  const seen: Record<string, number> = {}
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    const mutant = mutated(bytes, next, header)
    const { source, most } = watched(mutant)
    const began = performance.now()
    let outcome = 'read'
    try {
      const model =
        Object.keys(companions).length > 0
          ? await openModel(sourceFolder({ ...companions, mutant: source }), 'mutant')
          : undefined
      const file = model?.weights ?? (await openSingle(source))
      for (const { name, bytes: expected, shape } of file.tensors.values()) {
        const { length } = await file.read(name)
        if (length !== expected || shape.length > 8) throw new Error(`${name}: ${length} of ${expected} bytes`)
      }
    } catch (error) {
      if (!(error instanceof WeightsError)) throw new Error(`seed ${seed}, mutant ${i}: ${(error as Error).stack}`)
      if (error.message.length > 600) throw new Error(`seed ${seed}, mutant ${i}: ${error.message.length} characters`)
      outcome = error.code
    }
    seen[outcome] = (seen[outcome] ?? 0) + 1
    if (most() > mutant.length) throw new Error(`seed ${seed}, mutant ${i}: read ${most()} of ${mutant.length} bytes`)
    if (performance.now() - began > 2000) throw new Error(`seed ${seed}, mutant ${i}: took too long`)
  }
  expect(performance.now() - start).toBeLessThan(40_000 * effort)
  return seen
}

/** The tiny model as one GGUF file, and the length of its header. */
async function tinyGguf(): Promise<{ bytes: Uint8Array; header: number }> {
  const model = await openModel(await tinyFolder({ ...tinyConfig, layers: 1, vocab: 16, ffnDim: 32 }))
  const sink = memorySink()
  await convert(model, sink, { to: 'gguf', type: 'q8_0' })
  const bytes = sink.bytes()
  const opened = await openSingle(bytesSource(bytes))
  return { bytes, header: Math.min(...[...opened.tensors.values()].map(t => t.offset)) }
}

describe('broken files end in a WeightsError', { timeout: 60_000 * effort }, () => {
  it('GGUF, opened as a model', async () => {
    const { bytes, header } = await tinyGguf()
    const seen = await hammer(1, 3000, bytes, header, { 'config.json': bytesSource(new Uint8Array(2)) })
    expect(seen.format).toBeGreaterThan(1000)
    expect(seen.read).toBeGreaterThan(50) // some mutations change nothing that can be known, such as a name's letter
  })

  it('safetensors, opened as a model', async () => {
    const folder = await tinyFolder({ ...tinyConfig, layers: 1, vocab: 16, ffnDim: 32 })
    const source = await folder.open('model.safetensors')
    const bytes = await source.read(0, source.size)
    const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    const seen = await hammer(2, 3000, bytes, header, { 'config.json': await folder.open('config.json') })
    expect(seen.format).toBeGreaterThan(1000)
  })

  it.each(['plain.pth', 'evil.pth', 'legacy.pth'])('PyTorch, %s', async name => {
    const bytes = new Uint8Array(readFileSync(golden(name)))
    const seen = await hammer(3, 2500, bytes, bytes.length)
    expect(Object.values(seen).reduce((a, b) => a + b)).toBe(2500 * effort)
    if (name === 'evil.pth') expect(seen.unsupported).toBeGreaterThan(500)
  })

  it.each([0, 1, 2])('llama2.c, version %i', async version => {
    const bytes = new Uint8Array(6000)
    const view = new DataView(bytes.buffer)
    if (version > 0) {
      view.setUint32(0, 0x616b3432, true)
      view.setInt32(4, version, true)
    }
    const at = version > 0 ? 8 : 0
    for (const [i, n] of [8, 16, 1, 2, 1, 4, 8].entries()) view.setInt32(at + 4 * i, n, true)
    if (version > 0) view.setUint8(at + 28, 1)
    if (version === 2) view.setInt32(at + 29, 4, true)
    await hammer(4 + version, 1000, bytes, 64)
  })

  it('configurations', async () => {
    const folder = await tinyFolder({ ...tinyConfig, layers: 1 })
    const weights = await folder.open('model.safetensors')
    const source = await folder.open('config.json')
    const bytes = await source.read(0, source.size)
    const next = lcg(10)
    const seen = { opened: 0, refused: 0 }
    const hostile = [null, -1, 0, 1e9, 2 ** 53, 1e308, 0.5, '', 'x', [], {}, [1], { a: 1 }, true, [[]], '__proto__']
    const keys = Object.keys(JSON.parse(new TextDecoder().decode(bytes)))
    const cases: Uint8Array[] = Array.from({ length: 1500 }, () => mutated(bytes, next, bytes.length))
    for (const key of keys) {
      for (const value of hostile)
        cases.push(
          new TextEncoder().encode(JSON.stringify({ ...JSON.parse(new TextDecoder().decode(bytes)), [key]: value })),
        )
    }
    for (const config of cases) {
      try {
        await openModel(sourceFolder({ 'model.safetensors': weights, 'config.json': bytesSource(config) }))
        seen.opened++
      } catch (error) {
        if (!(error instanceof WeightsError))
          throw new Error(`${new TextDecoder().decode(config)}: ${(error as Error).stack}`)
        seen.refused++
      }
    }
    expect(seen.refused).toBeGreaterThan(500)
  })

  it('tokenizer files, on their way into GGUF', async () => {
    const folder = await tinyFolder({ ...tinyConfig, layers: 1 })
    const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
    const json = encode({
      model: {
        type: 'BPE',
        vocab: { a: 0, b: 1, ab: 2, '<0x0A>': 3 },
        merges: ['a b', ['b', 'a']],
        byte_fallback: true,
      },
      added_tokens: [{ id: 4, content: '</s>', special: true }],
      pre_tokenizer: { type: 'ByteLevel' },
      post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: 'b', type_id: 0 } }] },
    })
    const settings = encode({ add_bos_token: true, chat_template: '{{ messages }}' })
    // Two pieces, "<unk>" and "▁a", and a normaliser without a prefix space.
    const pieces = Uint8Array.from(
      [10, 9, 10, 5, ...'<unk>']
        .map(c => (typeof c === 'string' ? c.charCodeAt(0) : c))
        .concat([24, 2, 10, 11, 10, 4, 0xe2, 0x96, 0x81, 97, 21, 0, 0, 0, 191, 26, 2, 24, 0]),
    )
    const next = lcg(20)
    const seen: Record<string, number> = {}
    for (let i = 0; i < 3000; i++) {
      const mutate = (bytes: Uint8Array, turn: number): ByteSource =>
        bytesSource(i % 3 === turn ? mutated(bytes, next, bytes.length) : bytes)
      const files: Record<string, ByteSource> = {
        'model.safetensors': await folder.open('model.safetensors'),
        'config.json': await folder.open('config.json'),
        'tokenizer_config.json': mutate(settings, 0),
        ...(i % 3 === 2 ? { 'tokenizer.model': mutate(pieces, 2) } : { 'tokenizer.json': mutate(json, 1) }),
      }
      try {
        await convert(await openModel(sourceFolder(files)), memorySink(), { to: 'gguf', type: 'f16' })
        seen.written = (seen.written ?? 0) + 1
      } catch (error) {
        if (!(error instanceof WeightsError)) throw new Error(`mutant ${i}: ${(error as Error).stack}`)
        seen[error.code] = (seen[error.code] ?? 0) + 1
      }
    }
    expect(seen.written).toBeGreaterThan(300)
    expect(seen.format).toBeGreaterThan(300)
  })

  it('JSON that nests a million deep', async () => {
    const deep = `${'['.repeat(1e6)}${']'.repeat(1e6)}`
    const folder = await tinyFolder({ ...tinyConfig, layers: 1 })
    const encode = (text: string): ByteSource => bytesSource(new TextEncoder().encode(text))
    const config = encode(`{"model_type":"llama","hidden_size":${deep}}`)
    const model = { 'model.safetensors': await folder.open('model.safetensors'), 'config.json': config }
    await expect(openModel(sourceFolder(model))).rejects.toThrow(/nests more than 100/)
    const header = `{"a":{"dtype":${deep},"shape":[],"data_offsets":[0,0]}}`
    const bytes = new TextEncoder().encode(`12345678${header}`)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
    await expect(openSingle(bytesSource(bytes))).rejects.toThrow(/nests more than 100/)
  })

  it('a tiny file that claims giants, and nests arrays without end', async () => {
    const bytes = new Uint8Array(4096)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, 0x46554747, true)
    view.setUint32(4, 3, true)
    view.setBigUint64(16, 1n, true)
    view.setBigUint64(24, 1n, true)
    bytes[32] = 97
    view.setUint32(33, 9, true)
    // Every array holds one array: ids 9 and counts 1, as far as the file goes.
    for (let at = 37; at + 12 < bytes.length; at += 12) {
      view.setUint32(at, 9, true)
      view.setBigUint64(at + 4, 1n, true)
    }
    await expect(openSingle(bytesSource(bytes))).rejects.toThrow(/nest more than/)
    view.setUint32(37, 8, true)
    view.setBigUint64(41, 2n ** 52n, true)
    await expect(openSingle(bytesSource(bytes))).rejects.toThrow(/bytes remain/)
  })
})
