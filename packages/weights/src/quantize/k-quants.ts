/**
 * Encoders of the k-quants. Each group of a super-block is fitted alone; then the groups' scales are rounded to few
 * bits under the super-block's own scale, which is solved once more for the codes that came out.
 */
import { type BlockEncoder, clamp, peak, putHalf } from './block.js'
import { fitAffine, fitSymmetric } from './search.js'

interface AffineFormat {
  /** Values in a group. */
  readonly width: 16 | 32
  /** Highest code of a value. */
  readonly top: number
  /** Highest code of a group's scale and minimum. */
  readonly scaleTop: number
  /** The row of starting scales for a group. */
  readonly from: number
  readonly steps: number
}

interface AffineBlock {
  d: number
  dmin: number
  readonly scales: Uint8Array
  readonly mins: Uint8Array
  readonly codes: Uint8Array
}

/** Fits a super-block of 256 values: `x ≈ d · scale · code − dmin · min`. `half` rounds a number as it will be stored. */
function affineBlock(
  x: Float32Array,
  o: number,
  format: AffineFormat,
  half: (v: number, slot: 0 | 1) => number,
): AffineBlock {
  const { width, top, scaleTop, from, steps } = format
  const groups = 256 / width
  const weights = new Float64Array(width)
  const fits = Array.from({ length: groups }, (_, group) => {
    let square = 0
    for (let i = 0; i < width; i++) square += x[o + group * width + i]! ** 2
    const mean = Math.sqrt(square / width)
    for (let i = 0; i < width; i++) weights[i] = mean + Math.abs(x[o + group * width + i]!)
    return fitAffine(x, o + group * width, width, weights, top, from, steps)
  })
  const block: AffineBlock = {
    d: half(Math.max(...fits.map(fit => fit.scale)) / scaleTop, 0),
    dmin: half(Math.max(...fits.map(fit => fit.min)) / scaleTop, 1),
    scales: new Uint8Array(groups),
    mins: new Uint8Array(groups),
    codes: new Uint8Array(256),
  }
  const near = (value: number, unit: number): number => (unit > 0 ? clamp(Math.round(value / unit), 0, scaleTop) : 0)
  fits.forEach(({ scale, min }, group) => {
    block.scales[group] = near(scale, block.d)
    block.mins[group] = near(min, block.dmin)
  })
  assignCodes(x, o, block, width, top)
  const before = squaredError(x, o, block, width)
  const solved = solveScales(x, o, block, width)
  if (!solved) return block
  const refined: AffineBlock = {
    ...block,
    d: half(solved.d, 0),
    dmin: half(solved.dmin, 1),
    codes: new Uint8Array(256),
  }
  assignCodes(x, o, refined, width, top)
  if (squaredError(x, o, refined, width) < before) return refined
  half(block.d, 0)
  half(block.dmin, 1)
  return block
}

function assignCodes(x: Float32Array, o: number, block: AffineBlock, width: number, top: number): void {
  for (let i = 0; i < 256; i++) {
    const group = Math.floor(i / width)
    const scale = block.d * block.scales[group]!
    const min = block.dmin * block.mins[group]!
    block.codes[i] = scale > 0 ? clamp(Math.floor((x[o + i]! + min) / scale + 0.5), 0, top) : 0
  }
}

function squaredError(
  x: Float32Array,
  o: number,
  { d, dmin, scales, mins, codes }: AffineBlock,
  width: number,
): number {
  let error = 0
  for (let i = 0; i < 256; i++) {
    const group = Math.floor(i / width)
    error += (d * scales[group]! * codes[i]! - dmin * mins[group]! - x[o + i]!) ** 2
  }
  return error
}

/** Least squares for `d` and `dmin` with everything else fixed; `undefined` when there is no better positive answer. */
function solveScales(
  x: Float32Array,
  o: number,
  { scales, mins, codes }: AffineBlock,
  width: number,
): { d: number; dmin: number } | undefined {
  let aa = 0
  let bb = 0
  let ab = 0
  let ax = 0
  let bx = 0
  for (let i = 0; i < 256; i++) {
    const group = Math.floor(i / width)
    const a = scales[group]! * codes[i]!
    const b = -mins[group]!
    aa += a * a
    bb += b * b
    ab += a * b
    ax += a * x[o + i]!
    bx += b * x[o + i]!
  }
  if (bb === 0) return aa > 0 && ax > 0 ? { d: ax / aa, dmin: 0 } : undefined
  const determinant = aa * bb - ab * ab
  if (!(determinant > 1e-9 * aa * bb)) return undefined
  const d = (ax * bb - bx * ab) / determinant
  const dmin = (aa * bx - ab * ax) / determinant
  return d > 0 && dmin >= 0 ? { d, dmin } : undefined
}

/** Two bits of 128 values share 32 bytes: value i, i + 32, i + 64, i + 96. */
function packPairs(codes: Uint8Array, out: Uint8Array, at: number): void {
  for (let i = 0; i < 256; i++) out[at + (i >> 7) * 32 + (i & 31)]! |= (codes[i]! & 3) << (((i >> 5) & 3) * 2)
}

/** Low nibbles of 64 values share 32 bytes: value i and i + 32. */
function packNibbles(codes: Uint8Array, out: Uint8Array, at: number): void {
  for (let i = 0; i < 256; i++) out[at + (i >> 6) * 32 + (i & 31)]! |= (codes[i]! & 15) << (((i >> 5) & 1) * 4)
}

export const q2_k: BlockEncoder = (x, o, out, at) => {
  const format = { width: 16, top: 3, scaleTop: 15, from: -1.2, steps: 22 } as const
  const { scales, mins, codes } = affineBlock(x, o, format, (v, slot) => putHalf(out, at + 80 + 2 * slot, v))
  for (let group = 0; group < 16; group++) out[at + group] = scales[group]! | (mins[group]! << 4)
  packPairs(codes, out, at + 16)
}

/** Six-bit scales and minima of eight groups in twelve bytes. */
function packK4(scales: Uint8Array, mins: Uint8Array, out: Uint8Array, at: number): void {
  for (let group = 0; group < 4; group++) {
    out[at + group] = scales[group]! | ((scales[group + 4]! >> 4) << 6)
    out[at + 4 + group] = mins[group]! | ((mins[group + 4]! >> 4) << 6)
    out[at + 8 + group] = (scales[group + 4]! & 15) | ((mins[group + 4]! & 15) << 4)
  }
}

export const q4_k: BlockEncoder = (x, o, out, at) => {
  const format = { width: 32, top: 15, scaleTop: 63, from: -1, steps: 20 } as const
  const { scales, mins, codes } = affineBlock(x, o, format, (v, slot) => putHalf(out, at + 2 * slot, v))
  packK4(scales, mins, out, at + 4)
  packNibbles(codes, out, at + 16)
}

export const q5_k: BlockEncoder = (x, o, out, at) => {
  const format = { width: 32, top: 31, scaleTop: 63, from: -1, steps: 20 } as const
  const { scales, mins, codes } = affineBlock(x, o, format, (v, slot) => putHalf(out, at + 2 * slot, v))
  packK4(scales, mins, out, at + 4)
  for (let i = 0; i < 256; i++) out[at + 16 + (i & 31)]! |= (codes[i]! >> 4) << (i >> 5)
  packNibbles(codes, out, at + 48)
}

interface SymmetricBlock {
  /** Signed codes of the 16 groups' scales. */
  readonly scales: Int8Array
  /** Signed codes of the values. */
  readonly codes: Int8Array
}

/** Fits a super-block of 256 values in groups of 16: `x ≈ d · scale · code`. */
function symmetricBlock(
  x: Float32Array,
  o: number,
  half: number,
  scaleHalf: number,
  store: (v: number) => number,
): SymmetricBlock {
  const fits = new Float32Array(16)
  for (let group = 0; group < 16; group++) {
    fits[group] = fitSymmetric(x, o + group * 16, 16, half, peak(x, o + group * 16, 16))
  }
  const block = { scales: new Int8Array(16), codes: new Int8Array(256) }
  const d = store(peak(fits, 0, 16) / -scaleHalf)
  for (let group = 0; group < 16; group++) {
    block.scales[group] = d === 0 ? 0 : clamp(Math.round(fits[group]! / d), -scaleHalf, scaleHalf - 1)
  }
  const assign = (unit: number): { codes: Int8Array; error: number; xl: number; ll: number } => {
    const codes = new Int8Array(256)
    let error = 0
    let xl = 0
    let ll = 0
    for (let i = 0; i < 256; i++) {
      const v = x[o + i]!
      const scale = unit * block.scales[i >> 4]!
      const code = scale === 0 ? 0 : clamp(Math.floor(v / scale + 0.5), -half, half - 1)
      codes[i] = code
      error += (scale * code - v) ** 2
      const l = block.scales[i >> 4]! * code
      xl += v * l
      ll += l * l
    }
    return { codes, error, xl, ll }
  }
  const first = assign(d)
  if (first.ll > 0) {
    const refined = assign(store(first.xl / first.ll))
    if (refined.error < first.error) return { scales: block.scales, codes: refined.codes }
    store(d)
  }
  return { scales: block.scales, codes: first.codes }
}

export const q3_k: BlockEncoder = (x, o, out, at) => {
  const { scales, codes } = symmetricBlock(x, o, 4, 32, v => putHalf(out, at + 108, v))
  for (let group = 0; group < 16; group++) {
    const scale = scales[group]! + 32
    out[at + 96 + (group & 7)]! |= (scale & 15) << (group < 8 ? 0 : 4)
    out[at + 104 + (group & 3)]! |= (scale >> 4) << ((group >> 2) * 2)
  }
  const lifted = Uint8Array.from(codes, code => code + 4)
  for (let i = 0; i < 256; i++) out[at + (i & 31)]! |= (lifted[i]! >> 2) << (i >> 5)
  packPairs(lifted, out, at + 32)
}

export const q6_k: BlockEncoder = (x, o, out, at) => {
  const { scales, codes } = symmetricBlock(x, o, 32, 128, v => putHalf(out, at + 208, v))
  for (let group = 0; group < 16; group++) out[at + 192 + group] = scales[group]!
  for (let i = 0; i < 256; i++) {
    const code = codes[i]! + 32
    out[at + (i >> 7) * 64 + (i & 63)]! |= (code & 15) << (((i >> 6) & 1) * 4)
    out[at + 128 + (i >> 7) * 32 + (i & 31)]! |= (code >> 4) << (((i >> 5) & 3) * 2)
  }
}
