/** Rows made of whole documents: packed side by side with a mask between them, or padded, one document a row. */
import { DataError } from '../errors.js'
import { ignored, type Position, type Row, type Rows } from './rows.js'
import { checkSeed, mix, permute } from './shuffle.js'
import type { DocumentTokens, Tokens } from './tokens.js'
import { whole } from './windows.js'

export interface PackOptions {
  /** Tokens in a row. */
  readonly length: number
  /** Default 0. */
  readonly seed?: number
  /** Another order of the documents in each epoch. Default true. */
  readonly shuffle?: boolean
  /**
   * Documents that are packed together, at most an epoch of them: more fill rows better, and `seek` reads their lengths
   * again. Default 1024.
   */
  readonly window?: number
}

/** A stretch of a document: `n` tokens that are seen, each with a next one. */
interface Piece {
  readonly at: number
  readonly n: number
}

/**
 * Documents packed into rows by best fit, longest first (TRL's `bfd_split`): a document longer than a row is cut. Each
 * sees only itself and counts its positions from 0, so the loss is that of the documents one by one.
 *
 * @example
 * packed(await tokenFolder('data'), { length: 512, seed: 1 })
 * @throws DataError where the documents' limits are not known.
 */
export function packed(tokens: Tokens, options: PackOptions): Rows {
  const { length, window = 1024 } = options
  const source = order(tokens, options)
  if (!Number.isInteger(window) || window < 1)
    throw new DataError(`packed: got a window of ${window} documents, expected a whole number ≥ 1`, { got: window })
  // More than an epoch at once would put every copy of a long document before the first short one.
  const size = Math.min(window, source.documents)
  let [chunk, row] = [0, 0]
  let bins: Bins | undefined
  const binsOf = (wanted: number): Bins => {
    if (bins?.chunk !== wanted) bins = { chunk: wanted, ...binsFrom(source, wanted * size, size, length) }
    return bins
  }
  const placeOf = (position: Position): readonly [chunk: number, row: number] => {
    const p = position as { readonly chunk?: Position; readonly row?: Position; readonly window?: Position } | null
    const place = [whole(p?.chunk ?? null), whole(p?.row ?? null)] as const
    if ((p?.window ?? window) !== size)
      throw new DataError(
        `packed: got a position in windows of ${JSON.stringify(p?.window ?? window)} documents, expected ${size}. It is of other data or of an older version: begin the data again`,
        { got: p?.window ?? window, expected: size },
      )
    return place
  }
  return {
    length,
    packed: true,
    async next() {
      let { rows, at } = binsOf(chunk)
      while (row >= rows) {
        ;[chunk, row] = [chunk + 1, 0]
        ;({ rows, at } = binsOf(chunk))
      }
      // Rows come out longest document first; their order must not say so.
      const i = source.shuffle ? permute(row, rows, mix(source.seed, chunk)) : row
      row++
      return packedRow(tokens, at(i), length)
    },
    // Where all documents are one window, places mean another thing than in versions that repeated documents to fill it.
    position: () => ({ chunk, row, ...(size < window && { window: size }) }),
    check: placeOf,
    seek(position) {
      ;[chunk, row] = placeOf(position)
    },
    close: async () => tokens.close?.(),
  }
}

interface Bins {
  readonly chunk: number
  /** How many there are. */
  readonly rows: number
  at(row: number): readonly Piece[]
}

/** The rows of a window of documents. Pieces that fill one alone, nearly all of a long document, cost eight bytes each. */
function binsFrom(source: Order, first: number, size: number, length: number): Omit<Bins, 'chunk'> {
  const places = Array.from({ length: size }, (_, i) => source.at(first + i))
  const alone = new Float64Array(places.reduce((a, { inputs }) => a + Math.floor(inputs / length), 0))
  const shorter: Piece[] = []
  let filled = 0
  for (const { from, inputs } of places) {
    const end = from + inputs - (inputs % length)
    for (let at = from; at < end; at += length) alone[filled++] = at
    if (inputs % length > 0) shorter.push({ at: end, n: inputs % length })
  }
  const mixed = bestFit(shorter, length)
  return {
    rows: filled + mixed.length,
    at: row => (row < filled ? [{ at: alone[row]!, n: length }] : mixed[row - filled]!),
  }
}

/**
 * One document a row, padded at its end; a document longer than a row is cut into several. For comparison, and for data
 * whose documents all have about the length of a row.
 */
export function padded(tokens: Tokens, options: Omit<PackOptions, 'window'>): Rows {
  const { length } = options
  const source = order(tokens, options)
  let [document, piece] = [0, 0]
  const placeOf = (position: Position): readonly [document: number, piece: number] => {
    const p = position as { readonly document?: Position; readonly piece?: Position } | null
    return [whole(p?.document ?? null), whole(p?.piece ?? null)]
  }
  return {
    length,
    packed: false,
    async next() {
      let { from, inputs } = source.at(document)
      while (piece * length >= inputs) {
        ;[document, piece] = [document + 1, 0]
        ;({ from, inputs } = source.at(document))
      }
      const done = piece++ * length
      const only = { at: from + done, n: Math.min(length, inputs - done) }
      const { tokens: ids, targets, count } = await packedRow(tokens, [only], length)
      return { tokens: ids, targets, count }
    },
    position: () => ({ document, piece }),
    check: placeOf,
    seek(position) {
      ;[document, piece] = placeOf(position)
    },
    close: async () => tokens.close?.(),
  }
}

/** Documents by their place in an endless order. */
interface Order {
  /** How many there are. */
  readonly documents: number
  readonly seed: number
  readonly shuffle: boolean
  /** Where the document begins, and how many of its tokens have a next one. */
  at(place: number): { readonly from: number; readonly inputs: number }
}

function order(tokens: Tokens, { length, seed = 0, shuffle = true }: PackOptions): Order {
  const documents = known(tokens, length)
  checkSeed('packed', seed)
  const n = documents.length - 1
  return {
    documents: n,
    seed,
    shuffle,
    at(place) {
      const epoch = Math.floor(place / n)
      const i = shuffle ? permute(place % n, n, mix(seed, epoch)) : place % n
      return { from: documents[i]!, inputs: Math.max(0, documents[i + 1]! - documents[i]! - 1) }
    },
  }
}

function known(tokens: Tokens, length: number): DocumentTokens['documents'] {
  const { documents } = tokens
  if (documents === undefined)
    throw new DataError(
      'packed: got tokens without the limits of their documents, expected `documents`. Use a folder that tokenize() wrote, examples(), or windows()',
    )
  if (!Number.isInteger(length) || length < 1)
    throw new DataError(`packed: got rows of ${length}, expected a whole number ≥ 1`, { got: length })
  for (let i = 1; i < documents.length; i++) if (documents[i]! - documents[i - 1]! > 1) return documents
  throw new DataError('packed: got no document of two tokens or more, expected one: there is nothing to predict')
}

/** Best fit, longest first; among equals the one that came first. */
export function bestFit(pieces: readonly Piece[], length: number): Piece[][] {
  const sorted = pieces.map((piece, i) => ({ piece, i })).sort((a, b) => b.piece.n - a.piece.n || a.i - b.i)
  const rows: Piece[][] = []
  // Rows by the space that is left in them.
  const open: number[][] = Array.from({ length: length + 1 }, () => [])
  for (const { piece } of sorted) {
    let space = piece.n
    while (space <= length && open[space]!.length === 0) space++
    const row = space <= length ? open[space]!.shift()! : rows.push([]) - 1
    rows[row]!.push(piece)
    open[Math.min(space, length) - piece.n]!.push(row)
  }
  return rows
}

async function packedRow(source: Tokens, pieces: readonly Piece[], length: number): Promise<Required<Row>> {
  const row = {
    tokens: new Int32Array(length),
    targets: new Int32Array(length).fill(ignored),
    positions: new Int32Array(length),
    // What is left over sees itself and is no target.
    start: Int32Array.from({ length }, (_, i) => i),
    count: 0,
  }
  let at = 0
  for (const piece of pieces) {
    const ids = await source.read(piece.at, piece.n + 1)
    const counted = await source.counted?.(piece.at + 1, piece.n)
    row.start.fill(at, at, at + piece.n)
    for (let i = 0; i < piece.n; i++, at++) {
      row.tokens[at] = ids[i]!
      row.positions[at] = i
      if (counted?.[i] === 0) continue
      row.targets[at] = ids[i + 1]!
      row.count++
    }
  }
  return row
}
