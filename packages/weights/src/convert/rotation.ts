/** Reordering of query and key rows between the two conventions of rotary pairs. Works on whole rows of any dtype. */

/**
 * Moves rows from `from` to `to` order.
 *
 * Half-split pairs row j of a head with row j + headDim/2, interleaved pairs 2j with 2j + 1, so going to interleaved
 * takes row j to 2j and row j + headDim/2 to 2j + 1 (the `permute` of the usual converters).
 *
 * @param bytes    `rows` rows of equal length; a bias is rows of one element
 * @param headDim  rows of a head; divides `rows`
 */
export function reorderRows(
  bytes: Uint8Array,
  rows: number,
  headDim: number,
  from: 'half' | 'interleaved',
  to: 'half' | 'interleaved',
): Uint8Array {
  if (from === to) return bytes
  const width = bytes.length / rows
  const half = headDim / 2
  const out = new Uint8Array(bytes.length)
  for (let row = 0; row < rows; row++) {
    const inHead = row % headDim
    const first = row - inHead
    const target =
      to === 'interleaved'
        ? first + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1)
        : first + (inHead >> 1) + (inHead & 1) * half
    out.set(bytes.subarray(row * width, (row + 1) * width), target * width)
  }
  return out
}
