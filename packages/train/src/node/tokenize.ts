/**
 * Text to token shards, by worker threads. Documents are handed out in batches and written in the order in which they
 * came, so the files are the same whatever the number of workers.
 */
import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type Tokenizer, toCompact } from '@cria/tokenizer'
import { DataError } from '../errors.js'
import { type Document, type Form, formOf } from './documents.js'
import { type Encoded, type EncodeSettings, encodeDocuments } from './encode.js'
import { Pool } from './pool.js'
import { hashOf, removeTokenManifest, ShardWriter, type TokenManifest } from './shards.js'
import { unwritten } from './text.js'

export interface TokenizeOptions {
  readonly tokenizer: Tokenizer
  /** Threads. Default: the cores; 0 works on this thread alone. */
  readonly workers?: number
  /** Begin each document with the tokenizer's bos. Default true, where it has one. */
  readonly bos?: boolean
  /** End each document with the tokenizer's eos. Default true, where it has one. */
  readonly eos?: boolean
  /** Tokens in a shard; a document is never cut. Default 2²⁶. */
  readonly shardTokens?: number
  readonly onProgress?: (progress: { readonly documents: number; readonly tokens: number }) => void
}

/** Characters in a batch for a worker: some milliseconds of work. */
const batchCharacters = 2 ** 18

/**
 * Tokenises documents into a folder of shards with a manifest; `tokenFolder` opens it.
 *
 * @example
 * await tokenize(textDocuments('stories.txt'), 'data', { tokenizer })
 * const tokens = await tokenFolder('data')
 * @throws DataError for documents without a form, and where the folder cannot be written; nothing is left in it then.
 */
export async function tokenize(
  documents: Iterable<Document> | AsyncIterable<Document>,
  folder: string,
  options: TokenizeOptions,
): Promise<TokenManifest> {
  const { tokenizer, workers = availableParallelism(), shardTokens = 2 ** 26, onProgress } = options
  if (!Number.isInteger(workers) || workers < 0)
    throw new DataError(`tokenize: got ${workers} workers, expected a whole number ≥ 0`, { got: workers })
  const settings = {
    bos: options.bos ?? tokenizer.bosId !== undefined,
    eos: options.eos ?? tokenizer.eosId !== undefined,
  }
  const compact = toCompact(tokenizer)
  try {
    await mkdir(folder, { recursive: true })
    // What was there is void from the first shard that is written over it.
    await removeTokenManifest(folder)
  } catch (cause) {
    throw unwritten(folder, cause)
  }
  const writer = new ShardWriter(folder, {
    vocabSize: tokenizer.vocabSize,
    shardTokens,
    tokenizer: hashOf(compact),
  })
  const pool = workers > 0 ? new Pool(workers, () => startWorker({ tokenizer: compact, settings })) : undefined
  const work = pool
    ? (batch: readonly Form[]) => pool.run(batch)
    : async (batch: readonly Form[]) => encodeDocuments(tokenizer, batch, settings)
  const pending: Promise<Encoded>[] = []
  const settle = async (): Promise<void> => {
    await writer.add(await pending.shift()!)
    onProgress?.({ documents: writer.documents, tokens: writer.tokens })
  }
  try {
    for await (const batch of inBatches(documents)) {
      const encoded = work(batch)
      encoded.catch(() => {})
      pending.push(encoded)
      // Two for each worker: one at work, one waiting. Memory stays small however long the text is.
      if (pending.length > workers * 2) await settle()
    }
    while (pending.length > 0) await settle()
    return await writer.close()
  } catch (error) {
    await writer.abort()
    throw error
  } finally {
    await pool?.close()
  }
}

async function* inBatches(documents: Iterable<Document> | AsyncIterable<Document>): AsyncGenerator<Form[]> {
  let batch: Form[] = []
  let [size, number] = [0, 0]
  for await (const document of documents) {
    const form = formOf(`tokenize: document ${++number}`, document)
    batch.push(form)
    size += charactersOf(form)
    if (size < batchCharacters) continue
    yield batch
    ;[batch, size] = [[], 0]
  }
  if (batch.length > 0) yield batch
}

const charactersOf = (d: Form): number =>
  'text' in d ? d.text.length : 'ids' in d ? d.ids.length : d.prompt.length + d.completion.length

/** From source the worker is TypeScript, which a thread needs a loader for; what is published is JavaScript. */
function startWorker(workerData: { tokenizer: Uint8Array; settings: EncodeSettings }): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./tokenize-worker.js', import.meta.url), { workerData })
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))
  const loader = new URL('./dist/esm/api/index.mjs', tsx).href
  const body = `import(${JSON.stringify(loader)}).then(({ register }) => {
    register()
    return import(${JSON.stringify(new URL('./tokenize-worker.ts', import.meta.url).href)})
  })`
  return new Worker(body, { eval: true, workerData, execArgv: ['--conditions=cria-source'] })
}
