/** `cria tokenize`: token ids of standard input. */
import { createInterface } from 'node:readline'
import { type EncodeOptions, StreamEncoder, type Tokenizer } from '@cria/tokenizer'
import { InputError } from '../errors.js'
import { print, printJson } from '../output.js'
import { resolveModel } from '../resolve.js'
import { openTokenizer } from '../tokenizer.js'

const SPACE = 0x20
const COMMA = 0x2c
const ZERO = 0x30

export interface TokenizeOptions {
  readonly json?: boolean
  readonly count?: boolean
  readonly jsonl?: boolean
  readonly bos?: boolean
  readonly specials?: boolean
}

export async function tokenize(file: string, options: TokenizeOptions): Promise<void> {
  const tokenizer = await openTokenizer(await resolveModel(file))
  const encode: EncodeOptions = {
    bos: options.bos ?? false,
    eos: false,
    allowSpecial: options.specials ? 'all' : 'none',
  }
  if (options.jsonl) return lines(tokenizer, encode)
  if (options.count) return count(tokenizer, encode, options.json === true)
  if (options.json) return withPieces(tokenizer, encode)
  let first = true
  for await (const ids of encoded(tokenizer, encode)) {
    await print(decimals(ids, SPACE).subarray(first ? 1 : 0))
    first = false
  }
  await print('\n')
}

/** Ids of standard input as they become certain. */
async function* encoded(tokenizer: Tokenizer, options: EncodeOptions): AsyncGenerator<Uint32Array> {
  const encoder = new StreamEncoder(tokenizer, options)
  for await (const chunk of process.stdin) {
    const ids = encoder.push(chunk as Buffer)
    if (ids.length > 0) yield ids
  }
  const rest = encoder.end()
  if (rest.length > 0) yield rest
}

async function count(tokenizer: Tokenizer, options: EncodeOptions, json: boolean): Promise<void> {
  let tokens = 0
  for await (const ids of encoded(tokenizer, options)) tokens += ids.length
  await (json ? printJson({ tokens }) : print(`${tokens}\n`))
}

/** One JSON object; the ids, which the pieces follow, are all that is kept. */
async function withPieces(tokenizer: Tokenizer, options: EncodeOptions): Promise<void> {
  const all: Uint32Array[] = []
  await print('{"ids":[')
  for await (const ids of encoded(tokenizer, options)) {
    await print(decimals(ids, COMMA).subarray(all.length === 0 ? 1 : 0))
    all.push(ids)
  }
  await print('],"pieces":[')
  const written: string[] = []
  for (const [n, ids] of all.entries()) {
    const pieces = Array.from(ids, id => (written[id] ??= JSON.stringify(tokenizer.piece(id))))
    await print((n === 0 ? '' : ',') + pieces.join(','))
  }
  await print(']}\n')
}

/** The ids in decimal, `before` before each of them. */
function decimals(ids: Uint32Array, before: number): Uint8Array {
  const out = new Uint8Array(ids.length * 8)
  let end = 0
  for (const id of ids) {
    out[end++] = before
    // Ids are below 2^20.
    end += id < 10 ? 1 : id < 100 ? 2 : id < 1e3 ? 3 : id < 1e4 ? 4 : id < 1e5 ? 5 : id < 1e6 ? 6 : 7
    let rest = id | 0
    let at = end
    do {
      const tenth = (rest / 10) | 0
      out[--at] = ZERO + rest - tenth * 10
      rest = tenth
    } while (rest > 0)
  }
  return out.subarray(0, end)
}

async function lines(tokenizer: Tokenizer, encode: EncodeOptions): Promise<void> {
  let n = 0
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    n++
    if (line.trim() === '') continue
    let text: unknown
    try {
      text = JSON.parse(line)
    } catch {
      text = undefined
    }
    if (typeof text !== 'string')
      throw new InputError(`tokenize: line ${n}: got ${line.slice(0, 60)}, expected a JSON string`)
    await print(`[${tokenizer.encode(text, encode).join(',')}]\n`)
  }
}
