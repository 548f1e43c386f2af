/**
 * A folder of token shards: `00000.tokens` (little-endian ids), `00000.documents` (u32: where each document begins, and
 * the end), `00000.counted` (a byte for each token, where masks occur), and `dataset.json`, written last.
 */
import { createHash } from 'node:crypto'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Tokenizer, toCompact } from '@cria/tokenizer'
import type { ByteSource } from '@cria/weights'
import { fileSource } from '@cria/weights/node'
import { type DocumentTokens, joinTokens, type TokenDType, type Tokens, tokenSource } from '../data/tokens.js'
import { DataError } from '../errors.js'
import type { Encoded } from './encode.js'
import { type FileRecord, isFileRecord, recordOf, writeDurably } from './files.js'
import { isCount, isObject, isPlainName } from './shape.js'
import { unwritten } from './text.js'

export interface ShardRecord {
  readonly tokens: number
  readonly documents: number
  readonly files: Readonly<Record<string, FileRecord>>
}

/** `dataset.json`. */
export interface TokenManifest {
  readonly format: 'cria-tokens'
  readonly version: 1
  readonly dtype: TokenDType
  readonly vocabSize: number
  readonly tokens: number
  readonly documents: number
  /** SHA-256 of the tokenizer's compact form: the ids mean nothing under another. */
  readonly tokenizer: string
  readonly shards: readonly ShardRecord[]
}

const manifestName = 'dataset.json'

/** What a manifest knows a tokenizer by. */
export const hashOf = (compact: Uint8Array): string => createHash('sha256').update(compact).digest('hex')

export class ShardWriter {
  tokens = 0
  documents = 0
  private readonly shards: ShardRecord[] = []
  private readonly dtype: TokenDType
  private ids: Uint32Array[] = []
  private masks: (Uint8Array | undefined)[] = []
  private lengths: number[] = []
  private held = 0
  /** Files that were begun, whole or not. */
  private readonly written: string[] = []

  constructor(
    private readonly folder: string,
    private readonly options: { readonly vocabSize: number; readonly shardTokens: number; readonly tokenizer: string },
  ) {
    this.dtype = options.vocabSize <= 2 ** 16 ? 'u16' : 'u32'
  }

  async add({ ids, lengths, counted }: Encoded): Promise<void> {
    const out = ids.findIndex(id => id >= this.options.vocabSize)
    if (out >= 0)
      throw new DataError(
        `tokenize: got token ${ids[out]}, expected ids below ${this.options.vocabSize}, the tokenizer's vocabulary`,
        { got: ids[out] },
      )
    let at = 0
    for (const length of lengths) {
      if (this.held > 0 && this.held + length > this.options.shardTokens) await this.flush()
      this.ids.push(ids.subarray(at, at + length))
      this.masks.push(counted?.subarray(at, at + length))
      this.lengths.push(length)
      this.held += length
      this.tokens += length
      this.documents++
      at += length
    }
  }

  async close(): Promise<TokenManifest> {
    if (this.held > 0) await this.flush()
    if (this.shards.length === 0)
      throw new DataError('tokenize: got no documents, expected at least one. Check the path and the separator')
    const manifest: TokenManifest = {
      format: 'cria-tokens',
      version: 1,
      dtype: this.dtype,
      vocabSize: this.options.vocabSize,
      tokens: this.tokens,
      documents: this.documents,
      tokenizer: this.options.tokenizer,
      shards: this.shards,
    }
    const partial = join(this.folder, `${manifestName}.partial`)
    this.written.push(partial)
    try {
      await writeDurably(partial, `${JSON.stringify(manifest, null, 2)}\n`)
      await rename(partial, join(this.folder, manifestName))
    } catch (cause) {
      throw unwritten(this.folder, cause)
    }
    return manifest
  }

  /** Takes away what was written. */
  async abort(): Promise<void> {
    for (const path of this.written) await rm(path, { force: true })
  }

  private async flush(): Promise<void> {
    const base = String(this.shards.length).padStart(5, '0')
    const size = this.dtype === 'u16' ? 2 : 4
    const ids = new DataView(new ArrayBuffer(this.held * size))
    const starts = new DataView(new ArrayBuffer((this.lengths.length + 1) * 4))
    const masked = this.masks.some(m => m !== undefined)
    const counted = new Uint8Array(masked ? this.held : 0).fill(1)
    let at = 0
    this.ids.forEach((document, d) => {
      starts.setUint32(d * 4, at, true)
      if (this.masks[d]) counted.set(this.masks[d], at)
      for (const id of document) {
        if (size === 2) ids.setUint16(at * 2, id, true)
        else ids.setUint32(at * 4, id, true)
        at++
      }
    })
    starts.setUint32(this.lengths.length * 4, at, true)
    const files: Record<string, FileRecord> = {}
    const write = async (name: string, bytes: Uint8Array): Promise<void> => {
      const path = join(this.folder, name)
      files[name] = await writeDurably(path, bytes, () => this.written.push(path)).catch(cause => {
        throw unwritten(path, cause)
      })
    }
    await write(`${base}.tokens`, new Uint8Array(ids.buffer))
    await write(`${base}.documents`, new Uint8Array(starts.buffer))
    if (masked) await write(`${base}.counted`, counted)
    this.shards.push({ tokens: at, documents: this.lengths.length, files })
    this.ids = []
    this.masks = []
    this.lengths = []
    this.held = 0
  }
}

/** Makes a folder none that `tokenFolder` opens, so that a crash while it is written over is no mix of two data sets. */
export const removeTokenManifest = (folder: string): Promise<void> => rm(join(folder, manifestName), { force: true })

/** The manifest of a folder that `tokenize` wrote. */
export async function readTokenManifest(folder: string): Promise<TokenManifest> {
  const path = join(folder, manifestName)
  let manifest: Partial<TokenManifest> | null
  try {
    manifest = JSON.parse(await readFile(path, 'utf8')) as Partial<TokenManifest> | null
  } catch (cause) {
    throw new DataError(`${path}: cannot be read (${(cause as Error).message}). Make the folder with tokenize()`)
  }
  if (manifest?.format !== 'cria-tokens' || manifest.version !== 1)
    throw new DataError(
      `${path}: got something else, expected a manifest of version 1. Make the folder with tokenize()`,
    )
  const { dtype, vocabSize, shards } = manifest
  const wrong =
    (dtype !== 'u16' && dtype !== 'u32' && `dtype ${JSON.stringify(dtype)}, expected u16 or u32`) ||
    (!isCount(vocabSize) && `vocabSize ${JSON.stringify(vocabSize)}, expected a whole number`) ||
    (!(Array.isArray(shards) && shards.length > 0 && shards.every(isShard)) &&
      `shards ${JSON.stringify(shards)?.slice(0, 80)}, expected a list with the length and hash of each file`)
  if (wrong) throw new DataError(`${path}: got ${wrong}. Make the folder with tokenize()`)
  return manifest as TokenManifest
}

function isShard(shard: unknown): shard is ShardRecord {
  if (!isObject(shard) || !isObject(shard.files)) return false
  const files = Object.entries(shard.files)
  return (
    files.every(([name, record]) => isPlainName(name) && isFileRecord(record)) &&
    ['.tokens', '.documents'].every(ending => files.some(([name]) => name.endsWith(ending)))
  )
}

export interface TokenFolderOptions {
  /** Compare every file with its hash. Default false: lengths alone. */
  readonly verify?: boolean
  /** The tokenizer that the ids must be of. Default: not checked. */
  readonly tokenizer?: Tokenizer
}

/**
 * The shards of a folder as one sequence with its documents, read by range.
 *
 * @throws DataError naming a file that is missing or has another length; with `verify`, another hash; with `tokenizer`,
 * for ids of another.
 */
export async function tokenFolder(
  folder: string,
  { verify = false, tokenizer }: TokenFolderOptions = {},
): Promise<DocumentTokens> {
  const { shards, dtype, tokenizer: made, vocabSize } = await readTokenManifest(folder)
  if (tokenizer !== undefined && hashOf(toCompact(tokenizer)) !== made)
    throw new DataError(
      `${folder}: got ids of another tokenizer (of ${vocabSize} tokens), expected those of the one given (of ${tokenizer.vocabSize}). Tokenise again with it`,
      { got: vocabSize, expected: tokenizer.vocabSize },
    )
  const parts: Tokens[] = []
  try {
    for (const shard of shards) parts.push(await openShard(folder, shard, dtype, verify))
    return joinTokens(parts) as DocumentTokens
  } catch (error) {
    for (const part of parts) await part.close?.()
    throw error
  }
}

async function openShard(folder: string, shard: ShardRecord, dtype: TokenDType, verify: boolean): Promise<Tokens> {
  const opened: ByteSource[] = []
  const open = async (ending: string): Promise<ByteSource | undefined> => {
    const [name, want] = Object.entries(shard.files).find(([file]) => file.endsWith(ending)) ?? []
    if (name === undefined || want === undefined) return undefined
    const path = join(folder, name)
    const source = await fileSource(path)
    opened.push(source)
    if (source.size !== want.bytes || (verify && (await recordOf(path)).sha256 !== want.sha256))
      throw new DataError(
        `${path}: got ${source.size === want.bytes ? 'other bytes than its hash says' : `${source.size} bytes, expected ${want.bytes}`}. Tokenise again`,
      )
    return source
  }
  const close = async (): Promise<void> => {
    for (const source of opened.splice(0)) await source.close?.()
  }
  try {
    const limits = (await open('.documents'))!
    const starts = await limits.read(0, limits.size - (limits.size % 4))
    const tokens = (await open('.tokens'))!
    const counted = await open('.counted')
    return {
      ...tokenSource(tokens, { dtype, documents: new Uint32Array(starts.slice().buffer) }),
      ...(counted && { counted: (at: number, count: number) => counted.read(at, count) }),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
