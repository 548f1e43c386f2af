/**
 * Thousands of broken files of every format, from fixed seeds: each must open to something consistent or end in a
 * `WeightsError`, without asking the source for more than it holds. Those of weights are opened in `test/fuzz.ts`.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { mutated } from '../test/mutate.js'
import { deepPickle, sharedPickle, torchZip } from '../test/pickles.js'
import { lcg } from '../test/random.js'
import { tinyConfig, tinyFolder } from '../test/tiny.js'
import { convert } from './convert/convert.js'
import { WeightsError } from './errors.js'
import { openModel, openSingle, sourceFolder } from './open.js'
import { memorySink } from './sink.js'
import { type ByteSource, bytesSource } from './source.js'

/** No bound on speed: it only ends what hangs. */
const hangs = 600_000 * Number(process.env.CRIA_FUZZ ?? 1)

describe('broken weight files end in a WeightsError, in bounded memory', () => {
  let ended: Record<string, Record<string, number>>
  let peakBytes: number
  beforeAll(async () => {
    const script = fileURLToPath(new URL('../test/fuzz.ts', import.meta.url))
    const args = ['--conditions=cria-source', '--import', import.meta.resolve('tsx'), script]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: hangs, killSignal: 'SIGKILL' })
    ;({ ended, peakBytes } = JSON.parse(stdout) as { ended: typeof ended; peakBytes: number })
  }, hangs + 10_000)

  it.each([
    ['gguf', 'format', 1000],
    ['gguf', 'read', 50], // some mutations change nothing that can be known, such as a name's letter
    ['safetensors', 'format', 1000],
    ['plain.pth', 'format', 500],
    ['evil.pth', 'unsupported', 500],
    ['legacy.pth', 'unsupported', 500],
    ['pickles', 'format', 1000],
    ['pickles', 'unsupported', 100],
    ['pickles', 'read', 100],
    ...[0, 1, 2].flatMap((v): [string, string, number][] => [
      [`llama2c ${v}`, 'format', 300],
      [`llama2c ${v}`, 'read', 20],
    ]),
  ])('%s: %s, more than %i times', (campaign, outcome, least) => {
    expect(ended[campaign]![outcome]).toBeGreaterThan(least)
  })

  it('takes no more memory than the runtime itself and a few files', () => {
    expect(peakBytes).toBeLessThan(600 * 2 ** 20)
  })
})

describe('hostile files end in a WeightsError', () => {
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

  it('a pickle that nests a hundred thousand deep, or refers to itself', async () => {
    await expect(openSingle(bytesSource(torchZip(deepPickle(100_000))))).rejects.toThrow(WeightsError)
  })

  it('a pickle whose entries all share one large dictionary is looked through once', async () => {
    // Looked through for each entry, this would be 1.6 thousand million steps: a minute for a file of 600 kB.
    await expect(openSingle(bytesSource(torchZip(sharedPickle(40_000))))).rejects.toMatchObject({ code: 'missing' })
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

  it('a file whose name and beginning disagree is a damaged one of its name', async () => {
    const open = (name: string, bytes: number[]): Promise<unknown> =>
      openSingle(bytesSource(Uint8Array.from(bytes), name))
    await expect(open('a.gguf', [])).rejects.toThrow('a.gguf: got an empty file, expected "GGUF"')
    await expect(open('a.gguf', Array(64).fill(7))).rejects.toThrow(/begins with the bytes 07 07/)
    await expect(open('a.safetensors', [])).rejects.toThrow(/got 0 bytes, expected a safetensors header/)
    await expect(open('a.safetensors', [...Array(8).fill(127), 123, 125])).rejects.toThrow(/got a header of \d+ bytes/)
    await expect(open('a.pth', Array(64).fill(0))).rejects.toThrow(/expected a zip archive of torch.save/)
    await expect(open('a.bin', [])).rejects.toThrow(/llama2.c header/)
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
