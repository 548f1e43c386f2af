import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shared, withoutShared } from '../test/shared.js'
import { tinyConfig, tinyFolder } from '../test/tiny.js'
import { writeGguf } from './gguf/write.js'
import { convertPath, fileSink, fileSource, openModelAt, openWeights, resolveModel } from './node.js'
import type { Folder } from './open.js'
import { memorySink } from './sink.js'
import { blobSource } from './source.js'

let dir: string
const at = (...parts: string[]): string => join(dir, ...parts)

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cria-weights-'))
  await save(await tinyFolder(), 'hf')
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function save(folder: Folder, name: string): Promise<void> {
  await mkdir(at(name), { recursive: true })
  for (const file of folder.files) {
    const source = await folder.open(file)
    await writeFile(at(name, file), await source.read(0, source.size))
  }
}

describe('files on disk', () => {
  it('opens a folder, a file, an index, and says where tensors lie', async () => {
    const model = await openModelAt(at('hf'))
    expect(model.config).toEqual(tinyConfig)
    const place = model.weights.location('model.norm.weight')!
    const source = await fileSource(place.path)
    expect(await source.read(place.offset, place.bytes)).toEqual(await model.weights.read('model.norm.weight'))
    await source.close?.()
    await model.close()
    const file = await openWeights(at('hf', 'model.safetensors'))
    expect(file.tensors.size).toBe(21)
    await file.close()
    await expect(openModelAt(at('nothing'))).rejects.toMatchObject({ code: 'missing' })
    await expect(openWeights(at('hf', 'config.json'))).rejects.toThrow(/got JSON, expected weights/)
    expect(await resolveModel('some/path')).toBe('some/path')
  })

  it('converts from path to path and back, leaving no partial files', async () => {
    await convertPath(at('hf'), at('tiny.gguf'), { type: 'q8_0' })
    const report = await convertPath(at('tiny.gguf'), at('again'), { type: 'bf16' })
    expect(report.notes.join()).toMatch(/tokenizer stays in the GGUF/)
    const again = await openModelAt(at('again'))
    expect(again.config).toEqual(tinyConfig)
    await again.close()
    await expect(convertPath(at('hf'), at('x.safetensors'), { type: 'f32' })).rejects.toThrow(/or a folder/)
    await expect(convertPath(at('tiny.gguf'), at('hf', '..', 'tiny.gguf'), { type: 'f32' })).rejects.toThrow(/another/)
    await expect(convertPath(at('hf'), at('hf'), { type: 'f32' })).rejects.toThrow(/another/)
    const signal = AbortSignal.abort()
    await expect(convertPath(at('hf'), at('aborted.gguf'), { type: 'f32', signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    expect((await readdir(dir)).sort()).toEqual(['again', 'hf', 'tiny.gguf'])
  })

  it('opens split GGUF files from any folder that holds them', async () => {
    const tensors = ['a', 'b'].map(name => ({
      name,
      shape: [8],
      dtype: 'f32' as const,
      data: () => new Uint8Array(32).fill(name.charCodeAt(0)),
    }))
    await mkdir(at('split'))
    for (const [no, tensor] of tensors.entries()) {
      const sink = await fileSink(at('split', `m-0000${no + 1}-of-00002.gguf`))
      await writeGguf(sink, {
        metadata: new Map([
          ['split.no', { type: 'u16', value: no }],
          ['split.count', { type: 'u16', value: 2 }],
        ]),
        tensors: [tensor],
      })
      await sink.close()
    }
    for (const path of [at('split'), at('split', 'm-00001-of-00002.gguf'), at('split', 'm-00002-of-00002.gguf')]) {
      const file = await openWeights(path)
      expect((await file.read('b'))[0]).toBe(98)
      expect(file.location('b')!.path).toMatch(/m-00002-of-00002.gguf$/)
      await file.close()
    }
    await rm(at('split', 'm-00002-of-00002.gguf'))
    await expect(openWeights(at('split'))).rejects.toThrow(/m-00002-of-00002.gguf is missing/)
    await rm(at('split'), { recursive: true })
  })

  it('reads beyond 4 GiB without reading what lies before', async () => {
    const sink = memorySink()
    const far = { name: 'far', shape: [4], dtype: 'f32' as const, data: () => new Uint8Array(16) }
    const wide = { name: 'wide', shape: [2 ** 30 + 2 ** 20], dtype: 'f32' as const, data: () => new Uint8Array(0) }
    // The header as if `wide` were there; the file is sparse.
    await writeGguf(sink, { metadata: new Map(), tensors: [wide, far] }).catch(() => {})
    const header = sink.bytes()
    const handle = await open(at('big.gguf'), 'w')
    const offset = header.length + 4 * wide.shape[0]!
    await handle.write(header)
    await handle.write(new Uint8Array(16).fill(5), 0, 16, offset)
    await handle.close()
    const file = await openWeights(at('big.gguf'))
    expect(file.tensors.get('far')!.offset).toBe(offset)
    expect(await file.read('far')).toEqual(new Uint8Array(16).fill(5))
    await file.close()
    await rm(at('big.gguf'))
  })

  it('reads blobs as it reads files', async () => {
    const source = blobSource(new File([Uint8Array.of(1, 2, 3)], 'x.bin'))
    expect(source.name).toBe('x.bin')
    expect(await source.read(1, 2)).toEqual(Uint8Array.of(2, 3))
    await expect(source.read(2, 2)).rejects.toThrow(/got 3 bytes, expected at least 4/)
  })

  it.skipIf(withoutShared)('finds the same weights in stories260K.bin and .gguf', async () => {
    const bin = await openModelAt(shared('models/stories260K.bin'))
    const gguf = await openModelAt(shared('models/stories260K.gguf'))
    expect({ ...bin.config, tied: false, context: 0 }).toEqual({ ...gguf.config, context: 0, eosTokenIds: [1, 2] })
    for (const name of bin.weights.tensors.keys())
      expect(await bin.weights.read(name)).toEqual(await gguf.weights.read(name))
    await bin.close()
    await gguf.close()
  })

  it.skipIf(withoutShared)("carries llama2.c's vocabulary into GGUF as llama.cpp has it", async () => {
    await mkdir(at('c2'))
    for (const file of ['stories260K.bin', 'tok512.bin']) {
      const source = await fileSource(shared(`models/${file}`))
      await writeFile(at('c2', file), await source.read(0, source.size))
      await source.close?.()
    }
    await convertPath(at('c2'), at('c2.gguf'), { type: 'f32' })
    const ours = await openWeights(at('c2.gguf'))
    const theirs = await openWeights(shared('models/stories260K.gguf'))
    expect(ours.metadata['tokenizer.ggml.token_type']).toEqual(theirs.metadata['tokenizer.ggml.token_type'])
    const tokens = (file: typeof ours): string[] => file.metadata['tokenizer.ggml.tokens'] as string[]
    expect(tokens(ours)).toEqual(tokens(theirs))
    await ours.close()
    await theirs.close()
  })
})

it('browser entry: no file of Node behind it', async () => {
  const seen = new Set<string>()
  const { readFile } = await import('node:fs/promises')
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return
    seen.add(file)
    const text = await readFile(new URL(file, import.meta.url), 'utf8')
    expect(text, file).not.toMatch(/from 'node:/)
    for (const [, target] of text.matchAll(/from '(\.[^']+)'/g))
      await visit(new URL(target!.replace(/\.js$/, '.ts'), new URL(file, import.meta.url)).href)
  }
  await visit(new URL('./index.ts', import.meta.url).href)
  expect(seen.size).toBeGreaterThan(30)
})
