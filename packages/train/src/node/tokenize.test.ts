/** Text to shards: the same files for any number of workers, and what comes back is what went in. */
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { fromTokenizerJson, type Tokenizer, toCompact, trainBpe } from '@cria/tokenizer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DataError } from '../errors.js'
import { type Document, jsonlDocuments, textDocuments } from './documents.js'
import { encodeDocuments } from './encode.js'
import { Pool } from './pool.js'
import { readTokenManifest, tokenFolder } from './shards.js'
import { tokenize } from './tokenize.js'

let folder: string
let tokenizer: Tokenizer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cria-tokens-'))
  const letters = 'abcdefghijklmnopqrstuvwxyz.,!?'
  tokenizer = fromTokenizerJson({
    added_tokens: [
      { id: 31, content: '<s>', special: true },
      { id: 32, content: '</s>', special: true },
    ],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(['Ġ', ...letters].map((c, i) => [c, i])), merges: [] },
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const stories = (n: number): string[] =>
  Array.from({ length: n }, (_, i) => `once there was a llama. it had ${'very '.repeat(i % 7)}soft wool!`)

const files = async (path: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(path)).sort().map(async f => [f, (await readFile(join(path, f))).toString('hex')]),
    ),
  )

test('the same files with no worker, one and two; documents come back', async () => {
  const text = stories(40_000)
  const options = { tokenizer, bos: false, eos: false, shardTokens: 500_000 }
  for (const workers of [0, 1, 2]) await tokenize(text, join(folder, `w${workers}`), { ...options, workers })
  const want = await files(join(folder, 'w0'))
  expect(await files(join(folder, 'w1'))).toEqual(want)
  expect(await files(join(folder, 'w2'))).toEqual(want)
  const tokens = await tokenFolder(join(folder, 'w2'), { verify: true })
  const manifest = await readTokenManifest(join(folder, 'w2'))
  expect(manifest.shards.length).toBeGreaterThan(2)
  expect(tokens.documents.length).toBe(text.length + 1)
  for (const i of [0, 1, 20_000, 39_999]) {
    const [from, to] = [tokens.documents[i]!, tokens.documents[i + 1]!]
    expect(tokenizer.decode(await tokens.read(from, to - from))).toBe(text[i])
  }
  await tokens.close?.()
})

test('JSONL with texts, prompts and tokens keeps its masks', async () => {
  const path = join(folder, 'data.jsonl')
  const lines = [{ text: 'abc' }, { prompt: 'ab', completion: 'cd' }, { tokens: [3, 4], counted: [0, 1] }]
  await writeFile(path, `${lines.map(l => JSON.stringify(l)).join('\n')}\n\n`)
  await tokenize(jsonlDocuments(path), join(folder, 'jsonl'), { tokenizer, bos: false, eos: false, workers: 0 })
  const tokens = await tokenFolder(join(folder, 'jsonl'))
  expect([...(await tokens.read(0, 9))]).toEqual([1, 2, 3, 1, 2, 3, 4, 3, 4])
  expect([...(await tokens.counted!(0, 9))]).toEqual([1, 1, 1, 0, 0, 1, 1, 0, 1])
  await tokens.close?.()
  await writeFile(path, '{"text": "abc"}\n{"txt": 1}\n')
  await expect(tokenize(jsonlDocuments(path), join(folder, 'bad'), { tokenizer, workers: 1 })).rejects.toThrow(
    /data\.jsonl:2: got .*expected/,
  )
})

test.each([
  ['{"text":"","prompt":"a","completion":"b"}', /got a document with text, prompt, completion, expected one of/],
  ['{"tokens":[1],"text":"a"}', /got a document with tokens, text/],
  ['{"text":"a","completion":"b"}', /got a document with text, completion/],
  ['{}', /got a document with nothing/],
  ['[]', /got a document with nothing/],
  ['null', /got null/],
  ['{"prompt":"a"}', /got completion undefined, expected a text/],
  ['{"text":3}', /got text 3, expected a text/],
  ['{"tokens":"12"}', /got tokens 12, expected an array of ids/],
  ['{"tokens":[4294967297]}', /got token 4294967297 at place 0, expected a whole number from 0 to 2\^31 - 1/],
  ['{"tokens":[1,2147483648]}', /got token 2147483648 at place 1/],
  ['{"tokens":[-1]}', /got token -1/],
  ['{"tokens":["1"]}', /got token 1 /],
  ['{"tokens":[1,null]}', /got token null at place 1/],
  ['{"tokens":[1,2],"counted":"01"}', /got 01 for counted, expected an array/],
  ['{"tokens":[1,2],"counted":{"a":1}}', /got \[object Object\] for counted/],
  ['{"tokens":[1,2],"counted":null}', /got null for counted/],
  ['{"tokens":[1,2],"counted":[0]}', /got 1 marks for 2 tokens/],
  ['{"tokens":[1,2],"counted":[0,2]}', /got counted\[1\] 2, expected 0, 1, false or true/],
  ['{"text":"a","counted":[1]}', /got counted without tokens/],
])('a row %s is refused with its line', async (row, message) => {
  const path = join(folder, 'refused.jsonl')
  await writeFile(path, `{"text":"abc"}\n${row}\n`)
  const read = async () => {
    for await (const _ of jsonlDocuments(path));
  }
  await expect(read()).rejects.toThrow(DataError)
  await expect(read()).rejects.toThrow(message)
  await expect(read()).rejects.toThrow(/refused\.jsonl:2: /)
  // From elsewhere than a file.
  await expect(tokenize(['abc', JSON.parse(row)], join(folder, 'no'), { tokenizer, workers: 0 })).rejects.toThrow(
    /^tokenize: document 2: got/,
  )
})

test('columns that are null are absent, and others mean nothing', async () => {
  const path = join(folder, 'columns.jsonl')
  await writeFile(
    path,
    '{"text":null,"tokens":[3,4],"counted":[false,true]}\n{"text":"ab","prompt":null,"tokens":null,"counted":null,"id":7}\n',
  )
  await tokenize(jsonlDocuments(path), join(folder, 'columns'), { tokenizer, bos: false, eos: false, workers: 1 })
  const tokens = await tokenFolder(join(folder, 'columns'))
  expect([...(await tokens.read(0, 4))]).toEqual([3, 4, 1, 2])
  expect([...(await tokens.counted!(0, 4))]).toEqual([0, 1, 1, 1])
  await tokens.close?.()
})

test('a prompt and its completion are one text, and what is not all prompt is learned', async () => {
  const words = Array.from({ length: 9 }, () => 'A: time the bar foo')
  const sentencePiece = trainBpe(words, { kind: 'sentencepiece', vocabSize: 300, minFrequency: 9 })
  const made = (tokenizer: Tokenizer, prompt: string, completion: string, settings = { bos: true, eos: true }) => {
    const { ids, counted } = encodeDocuments(tokenizer, [{ prompt, completion }], settings)
    expect([...ids]).toEqual([...tokenizer.encode(prompt + completion, settings)])
    const learned = [...ids].filter((_, i) => counted![i] === 1)
    expect([...counted!]).toEqual([...counted!].sort())
    return learned.map(id => tokenizer.piece(id)).join('|')
  }
  expect(made(sentencePiece, 'A:', ' time')).toBe('▁time|</s>')
  expect(made(sentencePiece, 'A: ', 'time')).toBe('▁time|</s>')
  expect(made(sentencePiece, 'foo', 'bar', { bos: false, eos: false })).toBe('b|ar')
  expect(made(sentencePiece, '', 'time')).toBe('▁time|</s>')
  expect(made(sentencePiece, 'time', '')).toBe('</s>')
  expect(made(sentencePiece, 'time', '', { bos: true, eos: false })).toBe('')
  // The last letter of the prompt and the first of the completion are one token.
  expect(made(sentencePiece, 't', 'he', { bos: true, eos: false })).toBe('▁the')
  expect(made(tokenizer, 'ab', 'cd', { bos: false, eos: false })).toBe('c|d')
})

test('text files are cut at their separator', async () => {
  const path = join(folder, 'stories.txt')
  await writeFile(path, 'one\n<|endoftext|>\n two \n<|endoftext|>\n\n')
  const found: Document[] = []
  for await (const d of textDocuments(path)) found.push(d)
  expect(found).toEqual(['one', 'two'])
})

test('bytes that are no UTF-8 are refused with their place, and a character may lie across pieces', async () => {
  const path = join(folder, 'bytes.txt')
  const all = async (documents: AsyncIterable<Document>): Promise<Document[]> => {
    const found: Document[] = []
    for await (const d of documents) found.push(d)
    return found
  }
  // Pieces are 2^20 bytes: the character of four bytes begins one, two and three bytes before their end.
  for (const before of [1, 2, 3]) {
    const text = `${'a'.repeat(2 ** 20 - before)}\u{1f999} \ufffd é`
    await writeFile(path, text)
    expect(await all(textDocuments(path))).toEqual([text])
  }
  for (const [bytes, place] of [
    [[0x61, 0xff, 0x62], 2 ** 20 + 1],
    [[0x61, 0xc3, 0x28], 2 ** 20 + 1],
    [[0x61, 0x62, 0xe2, 0x82], 2 ** 20 + 2],
  ] as const) {
    await writeFile(path, Buffer.concat([Buffer.alloc(2 ** 20, 'a'), Buffer.from(bytes)]))
    for (const read of [textDocuments, jsonlDocuments])
      await expect(all(read(path))).rejects.toThrow(
        new RegExp(`bytes\\.txt: got bytes that are no UTF-8 at byte ${place},`),
      )
  }
  for (const read of [textDocuments, jsonlDocuments])
    await expect(all(read(join(folder, 'nowhere.txt')))).rejects.toThrow(DataError)
})

test('JSONL may begin with a mark, end lines in CRLF and have line separators in its texts', async () => {
  const path = join(folder, 'mark.jsonl')
  await writeFile(path, '\ufeff{"text":"a\u2028b"}\r\n"c"\r\n\r\n{"text":"d"}')
  const found: Document[] = []
  for await (const d of jsonlDocuments(path)) found.push(d)
  expect(found).toEqual([{ text: 'a\u2028b' }, 'c', { text: 'd' }])
})

test('a shard that cannot be written leaves nothing behind', async () => {
  const path = join(folder, 'half')
  // In the way of the second file of the second shard.
  await mkdir(join(path, '00001.documents'), { recursive: true })
  const options = { tokenizer, bos: false, eos: false, workers: 0, shardTokens: 100 }
  const failed = tokenize(stories(10), path, options)
  await expect(failed).rejects.toThrow(DataError)
  await expect(failed).rejects.toThrow(/00001\.documents: cannot be written \(EISDIR.*Make room/)
  expect(await readdir(path)).toEqual(['00001.documents'])
  await writeFile(join(folder, 'file'), '')
  await expect(tokenize(['a'], join(folder, 'file/data'), options)).rejects.toThrow(/cannot be written \(ENOTDIR/)
  // What the source of documents throws is its own.
  const broken = (function* (): Generator<string> {
    readFileSync(join(folder, 'nowhere'))
    yield 'a'
  })()
  await expect(tokenize(broken, path, options)).rejects.toThrow(/^ENOENT/)
})

test('a manifest that is none is named', async () => {
  const path = join(folder, 'manifest')
  await tokenize(stories(3), path, { tokenizer, bos: false, eos: false, workers: 0 })
  const file = join(path, 'dataset.json')
  const good = JSON.parse(await readFile(file, 'utf8'))
  for (const [edit, wrong] of [
    [{ dtype: 'u8' }, /dataset\.json: got dtype "u8", expected u16 or u32/],
    [{ vocabSize: null }, /got vocabSize null/],
    [{ shards: {} }, /got shards \{\}/],
    [{ shards: [] }, /got shards \[\]/],
    [{ shards: [null] }, /got shards \[null\]/],
    [{ shards: [{ files: {} }] }, /got shards/],
    [{ shards: [{ files: { 'a.tokens': 1, 'a.documents': 2 } }] }, /got shards/],
  ] as const) {
    await writeFile(file, JSON.stringify({ ...good, ...edit }))
    await expect(tokenFolder(path)).rejects.toThrow(wrong)
  }
})

test('a folder written over is void until it is whole, and ids are those of their tokenizer', async () => {
  const path = join(folder, 'again')
  const options = { tokenizer, bos: false, eos: false, workers: 0 }
  await tokenize(stories(10), path, options)
  await (await tokenFolder(path, { tokenizer })).close?.()
  const compact = toCompact(tokenizer)
  const broken = (function* (): Generator<string> {
    yield 'abc'
    throw new Error('the source broke off')
  })()
  await expect(tokenize(broken, path, options)).rejects.toThrow('broke off')
  await expect(tokenFolder(path)).rejects.toThrow(/dataset\.json: cannot be read/)
  await tokenize(stories(3), path, options)
  const other = fromTokenizerJson({
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
  })
  expect(toCompact(other)).not.toEqual(compact)
  await expect(tokenFolder(path, { tokenizer: other })).rejects.toThrow(/ids of another tokenizer \(of 33 tokens\)/)
})

test('marks that do not fit their tokens, and workers that cannot be, are named', async () => {
  const document = { tokens: [3, 4, 5], counted: [1, 0] }
  for (const workers of [0, 1])
    await expect(tokenize([document], join(folder, 'marks'), { tokenizer, workers })).rejects.toThrow(
      /got 2 marks for 3 tokens/,
    )
  await expect(tokenize(['a'], join(folder, 'none'), { tokenizer, workers: -1 })).rejects.toThrow(/got -1 workers/)
  await expect(tokenize([], join(folder, 'none'), { tokenizer, workers: 0 })).rejects.toThrow(/got no documents/)
})

test('a worker that ends, with or without a batch to do, fails every batch from then on', async () => {
  for (const [body, reason] of [
    ['throw new Error("broken")', /a worker ended \(broken\)/],
    ['process.exit(3)', /a worker ended \(exit code 3\)/],
  ] as const) {
    let ended: Promise<unknown> = Promise.resolve()
    const pool = new Pool(1, () => {
      const worker = new Worker(body, { eval: true })
      ended = new Promise(resolve => worker.on('exit', resolve))
      return worker
    })
    await expect(pool.run([{ text: 'a' }])).rejects.toThrow(reason)
    await ended
    for (const _ of 'ab') await expect(pool.run([{ text: 'a' }])).rejects.toThrow(reason)
    await pool.close()
  }
  let idle: Promise<unknown> = Promise.resolve()
  const pool = new Pool(1, () => {
    const worker = new Worker('process.exit(0)', { eval: true })
    idle = new Promise(resolve => worker.on('exit', resolve))
    return worker
  })
  await idle
  await expect(pool.run([{ text: 'a' }])).rejects.toThrow(DataError)
  await pool.close()
  // Closed while a batch is under way: nobody waits for it.
  const closed = new Pool(1, () => new Worker('setInterval(() => {}, 1000)', { eval: true }))
  closed.run([{ text: 'a' }]).catch(() => expect.unreachable('close() is no failure'))
  await closed.close()
})

test('damaged shards and missing manifests are named', async () => {
  const path = join(folder, 'damaged')
  await tokenize(stories(10), path, { tokenizer, bos: false, eos: false, workers: 0 })
  await truncate(join(path, '00000.tokens'), 10)
  await expect(tokenFolder(path)).rejects.toThrow(/00000\.tokens: got 10 bytes, expected/)
  await expect(tokenFolder(join(folder, 'nowhere'))).rejects.toThrow(/dataset\.json: cannot be read/)
})
