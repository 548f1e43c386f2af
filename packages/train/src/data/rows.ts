/**
 * Rows: what a batch is made of. A source of rows is endless (epoch after epoch), deterministic, and knows where it is:
 * `position()` is plain JSON, and after `seek(position)` the same rows follow.
 */

/** A negative target counts nothing (PyTorch's `ignore_index`). */
export const ignored = -100

/** One sequence. All arrays have the length of the source. */
export interface Row {
  readonly tokens: Int32Array
  /** The next token at each place, or a negative number where nothing is learned. */
  readonly targets: Int32Array
  /** Packed rows only: positions for the rotation, from 0 in every document. */
  readonly positions?: Int32Array
  /** Packed rows only: the place where the token's document begins; attention sees nothing before it. */
  readonly start?: Int32Array
  /** Targets that count. */
  readonly count: number
}

/** Plain JSON; opaque to everyone but the source it came from. */
export type Position = number | string | boolean | null | readonly Position[] | { readonly [key: string]: Position }

export interface Rows {
  /** Tokens in a row. */
  readonly length: number
  /** Whether rows hold several documents and say so with `positions` and `start`. */
  readonly packed: boolean
  next(): Promise<Row>
  position(): Position
  /** @throws DataError for a position that this source did not give; it is then where it was. */
  seek(position: Position): void
  /** Throws what `seek` would, and moves nothing. Absent: only `seek` knows. */
  check?(position: Position): void
  /** Closes the files below. */
  close?(): Promise<void>
}
