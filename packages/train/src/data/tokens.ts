/** Token sequences on disk or in memory, read by range: never whole in memory unless they are already. */
import type { ByteSource } from '@cria/weights'
import { DataError } from '../errors.js'

export type TokenDType = 'u16' | 'u32'

/** A long sequence of token ids. */
export interface Tokens {
  /** Number of tokens. */
  readonly length: number
  /** Where each document begins, and after the last entry the end: [0, 120, 300] is two documents. Absent: unknown. */
  readonly documents?: ArrayLike<number>
  read(at: number, count: number): Promise<Int32Array>
  /** 1 where the token may be a target, 0 where it may not (a prompt). Absent: every token counts. */
  counted?(at: number, count: number): Promise<Uint8Array>
  close?(): Promise<void>
}

export interface DocumentTokens extends Tokens {
  readonly documents: ArrayLike<number>
}

/** Ids that are ids: beyond 31 bits they would be others, or negative, which as targets are not learned. */
export function checkedIds(where: string, ids: ArrayLike<number>): Int32Array {
  const out = ids instanceof Int32Array ? ids : Int32Array.from(ids)
  for (let i = 0; i < out.length; i++)
    if (out[i] !== ids[i] || out[i]! < 0)
      throw new DataError(
        `${where}: got token ${String(ids[i])} at place ${i}, expected a whole number from 0 to 2^31 - 1`,
        { got: ids[i] },
      )
  return out
}

/** A mark for each token, 1 where it counts. */
export function checkedMarks(where: string, counted: ArrayLike<number | boolean>, length: number): Uint8Array {
  if (typeof counted !== 'object' || counted === null || counted.length === undefined)
    throw new DataError(`${where}: got ${String(counted)} for counted, expected an array of 0 and 1`, { got: counted })
  if (counted.length !== length)
    throw new DataError(`${where}: got ${counted.length} marks for ${length} tokens, expected one for each`, {
      got: counted.length,
      expected: length,
    })
  return Uint8Array.from(counted, (mark, i) => {
    if (mark !== 0 && mark !== 1 && typeof mark !== 'boolean')
      throw new DataError(`${where}: got counted[${i}] ${String(mark)}, expected 0, 1, false or true`, { got: mark })
    return Number(mark)
  })
}

/**
 * Tokens that are in memory.
 *
 * @throws DataError for ids that are none, and limits of documents that are not those of the tokens.
 */
export function tokenArray(ids: ArrayLike<number>, documents?: ArrayLike<number>): Tokens {
  const all = checkedIds('token_array', ids)
  if (documents) checkLimits('token_array', documents, all.length)
  return {
    length: all.length,
    ...(documents && { documents }),
    read: async (at, count) => all.slice(at, at + count),
  }
}

/** Limits that ascend and lie within the tokens: beyond them there is nothing, which would be learned as zeros. */
function checkLimits(name: string, documents: ArrayLike<number>, length: number): void {
  for (let i = 0, last = 0; i < documents.length; i++) {
    const limit = documents[i]!
    if (!Number.isSafeInteger(limit) || limit < last || limit > length)
      throw new DataError(
        `${name}: got documents[${i}] ${limit}, expected a whole number from ${last} to ${length}, the number of tokens. Are the limits those of other tokens?`,
        { got: limit, expected: length },
      )
    last = limit
  }
}

/** One example for fine-tuning: `counted[i]` says whether token i is trained on as a target. */
export interface Example {
  readonly tokens: ArrayLike<number>
  /** Absent: all of them. */
  readonly counted?: ArrayLike<number | boolean>
}

/**
 * Documents that are in memory, with the masks of their targets: a prompt's tokens are seen and not learned.
 *
 * @example
 * examples([{ tokens: [1, 5, 9, 2], counted: [0, 0, 1, 1] }])
 * @throws DataError for ids that are none, and marks that are not one for each token.
 */
export function examples(list: readonly Example[]): DocumentTokens {
  const starts = [0]
  for (const { tokens } of list) starts.push(starts.at(-1)! + tokens.length)
  const all = new Int32Array(starts.at(-1)!)
  const mask = new Uint8Array(all.length).fill(1)
  list.forEach(({ tokens, counted }, i) => {
    const where = `examples: example ${i}`
    all.set(checkedIds(where, tokens), starts[i])
    if (counted !== undefined) mask.set(checkedMarks(where, counted, tokens.length), starts[i])
  })
  return {
    length: all.length,
    documents: starts,
    read: async (at, count) => all.slice(at, at + count),
    counted: async (at, count) => mask.slice(at, at + count),
  }
}

export interface TokenSourceOptions {
  /** Default u16 (nanoGPT's and llm.c's `.bin` files without header). */
  readonly dtype?: TokenDType
  /** Bytes of a header to pass over. Default 0. */
  readonly offset?: number
  readonly documents?: ArrayLike<number>
}

/**
 * Little-endian token ids in any byte source: a file (`tokenFile` of the `node` entry), a Blob, HTTP ranges.
 *
 * @throws DataError for options that do not fit the bytes; `read` for ids that are none.
 */
export function tokenSource(source: ByteSource, options: TokenSourceOptions = {}): Tokens {
  const { dtype = 'u16', offset = 0, documents } = options
  if (dtype !== 'u16' && dtype !== 'u32')
    throw new DataError(`${source.name}: got dtype ${String(dtype)}, expected u16 or u32`, { got: dtype })
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new DataError(`${source.name}: got offset ${offset}, expected a whole number of bytes ≥ 0`, { got: offset })
  const size = dtype === 'u16' ? 2 : 4
  const length = (source.size - offset) / size
  if (!Number.isInteger(length) || length < 0)
    throw new DataError(
      `${source.name}: got ${source.size - offset} bytes of tokens, expected a multiple of ${size} (${dtype}). Check dtype and offset`,
      { got: source.size },
    )
  if (documents) checkLimits(source.name, documents, length)
  return {
    length,
    ...(documents && { documents }),
    async read(at, count) {
      const bytes = await source.read(offset + at * size, count * size)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const out = new Int32Array(count)
      for (let i = 0; i < count; i++) out[i] = size === 2 ? view.getUint16(i * 2, true) : view.getInt32(i * 4, true)
      // A negative one would be a target that is not learned.
      const bad = size === 2 ? -1 : out.findIndex(id => id < 0)
      if (bad >= 0)
        throw new DataError(
          `${source.name}: got token ${out[bad]! >>> 0} at place ${at + bad}, expected ids below 2^31. Check dtype and offset`,
          { got: out[bad]! >>> 0 },
        )
      return out
    },
    ...(source.close && { close: () => source.close!() }),
  }
}

/**
 * Several sequences as one, in order; a range may cross from one to the next.
 *
 * @throws DataError for parts with documents whose limits leave tokens out.
 */
export function joinTokens(parts: readonly Tokens[]): Tokens {
  const ends: number[] = []
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.length)
  const length = ends.at(-1) ?? 0
  const across = async <A extends Int32Array | Uint8Array>(
    at: number,
    out: A,
    read: (part: Tokens, at: number, count: number) => Promise<ArrayLike<number>>,
  ): Promise<A> => {
    let done = 0
    let i = ends.findIndex(end => at < end)
    while (done < out.length && i >= 0 && i < parts.length) {
      const begin = ends[i]! - parts[i]!.length
      const n = Math.min(out.length - done, ends[i]! - (at + done))
      out.set(await read(parts[i]!, at + done - begin, n), done)
      done += n
      i++
    }
    return out
  }
  const documents = parts.every(p => p.documents) ? joinDocuments(parts as readonly DocumentTokens[]) : undefined
  return {
    length,
    ...(documents && { documents }),
    read: (at, count) => across(at, new Int32Array(count), (part, from, n) => part.read(from, n)),
    ...(parts.some(p => p.counted) && {
      counted: (at: number, count: number) =>
        across(at, new Uint8Array(count), async (part, from, n) =>
          part.counted ? part.counted(from, n) : new Uint8Array(n).fill(1),
        ),
    }),
    close: async () => {
      for (const part of parts) await part.close?.()
    },
  }
}

function joinDocuments(parts: readonly DocumentTokens[]): Float64Array {
  const out = new Float64Array(parts.reduce((a, p) => a + Math.max(0, p.documents.length - 1), 1))
  let [at, base] = [0, 0]
  for (const [part, { documents, length }] of parts.entries()) {
    const [first, last] = [documents[0], documents[documents.length - 1]]
    // What lies outside would become documents of its own, or part of one.
    if (first !== 0 || last !== length)
      throw new DataError(
        `join_tokens: got documents from ${first} to ${last} in part ${part}, expected limits from 0 to ${length}, its number of tokens. Give limits that cover it`,
        { got: [first, last], expected: [0, length] },
      )
    for (let i = 0; i < documents.length - 1; i++) out[at++] = base + documents[i]!
    base += length
  }
  out[at] = base
  return out
}
