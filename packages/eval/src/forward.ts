/** The forward pass of a pack: hidden states of the scored rows, from any LLaMA. */
import type { Llama } from '@cria/llama'
import { gather, i32, type Spec, type Tensor } from '@cria/tensor'
import type { Pack } from './pack.js'

/** Names of a pack's plan inputs. */
type PackInput = 'tokens' | 'positions' | 'rows' | 'start' | 'keys' | 'scored' | 'targets'
export type PackSpecs = Readonly<Record<PackInput, Spec>>
export type PackTensors = Readonly<Record<PackInput, Tensor>>

/** A plan serves every pack of its sizes. */
export const sizeOf = ({ tokens, keys, scored }: Pack): string =>
  `${tokens.length}-${keys?.length ?? 0}-${scored.length}`

export function specsOf({ tokens, keys, scored }: Pack): PackSpecs {
  const perToken = i32([tokens.length])
  const perRow = i32([scored.length])
  // A plan's inputs are fixed, so a pack without key indices has one that nothing reads.
  return {
    tokens: perToken,
    positions: perToken,
    rows: perToken,
    start: perToken,
    keys: i32([keys?.length ?? 1]),
    scored: perRow,
    targets: perRow,
  }
}

export const valuesOf = (pack: Pack): Record<PackInput, Int32Array> => ({
  tokens: pack.tokens,
  positions: pack.positions,
  rows: pack.rows,
  start: pack.start,
  keys: pack.keys ?? new Int32Array(1),
  scored: pack.scored,
  targets: pack.targets,
})

/** Hidden states f32 [R, C] of the scored rows. `shared`: the pack has key indices. */
export function scoredHidden(model: Llama, inputs: PackTensors, shared: boolean): Tensor {
  const { tokens, positions, rows, start, keys, scored } = inputs
  const layOut = (x: Tensor): Tensor => gather(x, keys) // [T, Hkv, D] → [S, Hkv, D]
  const cache = { write: (_: number, k: Tensor, v: Tensor) => [layOut(k), layOut(v)] as const }
  return gather(model.model.forward(tokens, { positions, rows, start, ...(shared && { cache }) }), scored)
}
