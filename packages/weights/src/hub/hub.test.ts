import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HubServer, hubServer } from '../../test/hub-server.js'
import { tinyFolder } from '../../test/tiny.js'
import { httpSource } from '../http.js'
import { openModelAt } from '../node.js'
import { openModel } from '../open.js'
import { type DownloadOptions, type DownloadProgress, downloadModel } from './download.js'
import { chooseFiles, hubFolder, parseHubSpec } from './repo.js'

let cache: string
let server: HubServer
let files: Record<string, Uint8Array>

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'cria-hub-'))
  const folder = await tinyFolder()
  files = {
    'README.md': new Uint8Array(5),
    'tokenizer.json': new Uint8Array([123, 125]),
    'model-Q4_0.gguf': new Uint8Array(200).fill(7),
  }
  for (const name of folder.files) {
    const source = await folder.open(name)
    files[name] = (await source.read(0, source.size)).slice()
  }
  server = await hubServer(files)
})

afterEach(async () => {
  await server.close()
  await rm(cache, { recursive: true, force: true })
})

const get = (options: DownloadOptions = {}, spec = 'hf:owner/repo'): Promise<string> =>
  downloadModel(spec, { endpoint: server.endpoint, cache, offline: false, ...options })

const requests = (part: string): number => server.log.filter(line => line.includes(part)).length

describe('downloadModel', () => {
  it('fetches what a model needs, once, in the layout of huggingface_hub', async () => {
    const progress: DownloadProgress[] = []
    const path = await get({ onProgress: p => progress.push(p) })
    expect((await readdir(path)).filter(name => !name.startsWith('.')).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ])
    expect(await readdir(join(cache, 'models--owner--repo'))).toEqual(
      expect.arrayContaining(['blobs', 'refs', 'snapshots']),
    )
    const model = await openModelAt(path)
    expect(model.config.dim).toBe(64)
    expect(model.weights.location('model.norm.weight')?.bytes).toBe(256)
    await model.close()
    const last = progress.filter(p => p.file === 'model.safetensors').at(-1)!
    expect(last).toMatchObject({
      loaded: files['model.safetensors']!.length,
      total: files['model.safetensors']!.length,
      count: 3,
    })
    expect(await get()).toBe(path)
    expect(requests('/resolve/')).toBe(3)
  })

  it('goes on where the connection broke off', async () => {
    server.faults.cutAfter = [20_000, 30_000]
    const path = await get()
    const resumed = server.log.filter(line => line.includes('bytes='))
    expect(resumed).toHaveLength(2)
    expect(resumed[1]).toMatch(/bytes=50000-/)
    expect(new Uint8Array(await readFile(join(path, 'model.safetensors')))).toEqual(files['model.safetensors'])
  })

  it('goes on in a later call, and starts again where the server ignores ranges', async () => {
    server.faults.cutAfter = [20_000]
    await expect(get({ attempts: 1 })).rejects.toMatchObject({ code: 'network' })
    server.faults.ignoreRange = true
    const path = await get()
    expect(requests('bytes=20000-')).toBe(1)
    expect(new Uint8Array(await readFile(join(path, 'model.safetensors')))).toEqual(files['model.safetensors'])
  })

  it('refuses damaged bytes and keeps none of them', async () => {
    server.faults.corrupt = true
    await expect(get()).rejects.toMatchObject({ code: 'checksum' })
    expect(await readdir(join(cache, 'models--owner--repo', 'blobs'))).toEqual([])
    server.faults.corrupt = false
    await get()
  })

  it('works from the cache without a connection, and says so when it cannot', async () => {
    await expect(get({ offline: true })).rejects.toThrow(/not in the cache .* downloads are off/)
    const path = await get()
    await server.close()
    expect(await get({ offline: true })).toBe(path)
    expect(await get()).toBe(path) // the server is gone
    await expect(get({}, 'hf:owner/other')).rejects.toMatchObject({ code: 'network' })
  })

  it('does not take half a download for a model', async () => {
    server.faults.cutAfter = [20_000]
    await expect(get({ attempts: 1 })).rejects.toThrow(/broke off|expected/)
    await expect(get({ offline: true })).rejects.toThrow(/not in the cache/)
  })

  it('names a file of the repository', async () => {
    const path = await get({}, 'hf:owner/repo@main:q4_0')
    expect(basename(path)).toBe('model-Q4_0.gguf')
    await expect(get({}, 'hf:owner/repo:q5_0')).rejects.toThrow(/"q5_0", which no file of owner\/repo matches/)
  })

  it('passes the token on, and says what a refusal means', async () => {
    await server.close()
    server = await hubServer(files, 'secret')
    await expect(get()).rejects.toThrow(/status 401. The repository is gated or private: .* HF_TOKEN/)
    await get({ token: 'secret' })
    await rm(cache, { recursive: true })
    server.faults.status = 503
    await expect(get({ token: 'secret' })).rejects.toThrow(/status 503. Try again later/)
  })

  const name = 'model.safetensors'
  const whole = async (path: string): Promise<void> =>
    expect(new Uint8Array(await readFile(join(path, name)))).toEqual(files[name])

  it.each([500, 503, 429, 408])('asks again after status %i, of the list and of files', async status => {
    server.faults.statuses = [status, 0, status, status]
    await whole(await get())
    expect(server.log.length).toBe(1 + 1 + 2 + 3)
  })

  it.each([400, 403, 404, 410])('does not ask again after status %i', async status => {
    server.faults.statuses = [status]
    await expect(get()).rejects.toMatchObject({ got: status, code: status === 404 ? 'missing' : 'network' })
    expect(server.log.length).toBe(1)
  })

  it('waits as long as it is asked to, within reason, and less when aborted', async () => {
    server.faults.retryAfter = '0'
    server.faults.statuses = Array(4).fill(429)
    await whole(await get())
    server.faults.retryAfter = '86400'
    server.faults.status = 429
    await rm(cache, { recursive: true })
    await expect(get()).rejects.toMatchObject({ got: 429, retryAfter: 86_400_000 })
    server.faults.retryAfter = '50'
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 50)
    await expect(get({ signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' })
  })

  describe.each([{ chunked: false }, { chunked: true }])('of files without size and hash, $chunked chunked', faults => {
    beforeEach(() => Object.assign(server.faults, faults, { nothingKnown: true }))

    it('goes on where it broke off', async () => {
      server.faults.cutAfter = [20_000, 30_000]
      await whole(await get())
      expect(requests('bytes=50000-')).toBe(1)
    })

    it('knows a finished part when the server has no more', async () => {
      await get()
      // The process died between the last byte and the name: what remains is a whole part.
      const root = join(cache, 'models--owner--repo')
      const blob = (await readdir(join(root, 'blobs'))).find(b => b.endsWith(name))!
      await rename(join(root, 'blobs', blob), join(root, 'blobs', `${blob}.incomplete`))
      await writeFile(join(root, 'blobs', `${blob}.incomplete.etag`), '"tag"')
      await rm(join(root, 'snapshots'), { recursive: true })
      await whole(await get())
      expect(requests(`bytes=${files[name]!.length}-`)).toBe(1)
    })

    it('starts again when there is more than the server has, or another content', async () => {
      server.faults.cutAfter = [30_000]
      await expect(get({ attempts: 1 })).rejects.toMatchObject({ code: 'network' })
      files[name] = files[name]!.map(b => b ^ 255)
      server.faults.etag = '"other"'
      await whole(await get())
      expect(requests('bytes=30000-')).toBe(1)
      await rm(cache, { recursive: true })
      server.faults.cutAfter = [30_000]
      await expect(get({ attempts: 1 })).rejects.toMatchObject({ code: 'network' })
      files[name] = files[name]!.slice(0, 20_000)
      await whole(await get())
    })

    it.each([undefined, 'W/"tag"'])('joins no parts under the tag %s', async etag => {
      server.faults.etag = etag ?? ''
      server.faults.cutAfter = [20_000]
      await whole(await get())
      expect(requests('bytes=')).toBe(0)
    })
  })

  it('refuses a range it did not ask for', async () => {
    server.faults.cutAfter = [20_000]
    await expect(get({ attempts: 1 })).rejects.toMatchObject({ code: 'network' })
    server.faults.shift = 5
    await expect(get({ attempts: 1 })).rejects.toThrow(/got range "bytes 20005-.* expected bytes from 20000/)
    server.faults.shift = 0
    await whole(await get())
  })

  it('refuses a content that changed between two parts of a known hash', async () => {
    server.faults.cutAfter = [20_000]
    await expect(get({ attempts: 1 })).rejects.toMatchObject({ code: 'network' })
    server.faults.corrupt = true
    await expect(get()).rejects.toMatchObject({ code: 'checksum' })
    server.faults.corrupt = false
    await whole(await get())
  })

  it('follows redirects to another host, and leaves the token behind', async () => {
    const storage = await hubServer(files)
    server.faults.redirect = storage.endpoint.replace('127.0.0.1', 'localhost')
    await whole(await get({ token: 'secret' }))
    expect(server.log.every(line => line.endsWith('with token'))).toBe(true)
    expect(storage.log.length).toBe(3)
    expect(storage.log.some(line => line.endsWith('with token'))).toBe(false)
    server.faults.redirect = server.endpoint
    await rm(cache, { recursive: true })
    await expect(get({ attempts: 2 })).rejects.toMatchObject({ code: 'network' })
    await storage.close()
  })

  it('uses the cache while the hub is down', async () => {
    const path = await get()
    server.faults.status = 503
    expect(await get()).toBe(path)
    server.faults.status = 403
    await expect(get()).rejects.toThrow(/gated or private/)
  })

  it('stops when told to', async () => {
    const controller = new AbortController()
    const got = get({ signal: controller.signal, onProgress: () => controller.abort() })
    await expect(got).rejects.toMatchObject({ code: 'aborted' })
  })

  it('ignores a snapshot whose mark is damaged', async () => {
    const path = await get()
    await writeFile(join(path, '.complete-model.safetensors.json'), '{')
    await expect(get({ offline: true })).rejects.toThrow(/not in the cache/)
  })
})

describe('hubFolder', () => {
  it('opens a model by ranges, without a download', async () => {
    const model = await openModel(await hubFolder('hf:owner/repo', { endpoint: server.endpoint }))
    expect((await model.weights.read('model.norm.weight')).length).toBe(256)
    expect(requests('bytes=')).toBeGreaterThan(2)
    server.faults.ignoreRange = true
    await expect(model.weights.read('model.norm.weight')).rejects.toThrow(/ignored the byte range/)
  })
})

describe('httpSource', () => {
  const url = (): string => server.url('model.safetensors')

  it.each([500, 429])('asks again after status %i', async status => {
    server.faults.statuses = [status, 0, status, status]
    const source = await httpSource(url())
    expect(await source.read(10, 20)).toEqual(files['model.safetensors']!.slice(10, 30))
    server.faults.status = 403
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'network', got: 403 })
    expect(server.log.length).toBe(2 + 3 + 1)
  })

  it('reads again what broke off', async () => {
    server.faults.cutAfter = [0, 100]
    const source = await httpSource(url())
    server.faults.cutAfter = [100, 100]
    expect((await source.read(0, 5000)).length).toBe(5000)
  })

  it('refuses a file that changed, other ranges, and servers without ranges', async () => {
    const source = await httpSource(url())
    server.faults.etag = '"other"'
    await expect(source.read(0, 8)).rejects.toMatchObject({ code: 'checksum' })
    server.faults.etag = '"tag"'
    server.faults.shift = 1
    await expect(source.read(0, 8)).rejects.toThrow(/got range "bytes 1-8/)
    server.faults.shift = 0
    files['model.safetensors'] = files['model.safetensors']!.slice(0, 1000)
    await expect(source.read(0, 8)).rejects.toThrow(/changed while it was read/)
    await expect(source.read(0, 2 ** 40)).rejects.toMatchObject({ code: 'format' })
    server.faults.ignoreRange = true
    await expect(httpSource(url())).rejects.toMatchObject({ code: 'unsupported' })
  })
})

describe('names', () => {
  it('parses specifications', () => {
    expect(parseHubSpec('hf:a/b')).toEqual({ id: 'a/b', revision: 'main', file: undefined })
    expect(parseHubSpec('hf:a/b.c@v1:x/y.gguf')).toEqual({ id: 'a/b.c', revision: 'v1', file: 'x/y.gguf' })
    for (const bad of ['hf:a', 'hf:a/b/c', 'hf:../b', 'hf:a/../../b', 'a/b', 'hf:a/b@'])
      expect(() => parseHubSpec(bad)).toThrow(/expected hf:/)
  })

  const repo = (...paths: string[]) => ({
    id: 'a/b',
    commit: 'c',
    files: paths.map(path => ({ path, bytes: 1, sha256: undefined, gitSha1: undefined })),
  })

  it('chooses the files of one model', () => {
    const chosen = (wanted: string | undefined, ...paths: string[]): string[] =>
      chooseFiles(repo(...paths), wanted).files.map(f => f.path)
    expect(
      chosen(
        undefined,
        'config.json',
        'model-00001-of-00002.safetensors',
        'model-00002-of-00002.safetensors',
        'model.safetensors.index.json',
        'pytorch_model.bin',
        'x.gguf',
      ),
    ).toEqual([
      'config.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ])
    expect(chosen('Q8_0', 'm-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf', 'm-Q4_K.gguf')).toEqual([
      'm-Q8_0-00001-of-00002.gguf',
      'm-Q8_0-00002-of-00002.gguf',
    ])
    expect(chosen('Q4_K', 'm-Q4_K.gguf', 'm-Q4_K_M.gguf')).toEqual(['m-Q4_K.gguf'])
    expect(
      chosen(
        'consolidated.00.pth',
        'consolidated.00.pth',
        'consolidated.01.pth',
        'params.json',
        'tokenizer.model',
        'config.json',
      ),
    ).toHaveLength(5)
    expect(() => chosen(undefined, 'a.gguf', 'b.gguf')).toThrow(/2 GGUF files. Name one/)
    expect(() => chosen(undefined, 'a.txt')).toThrow(/no weights/)
  })
})
