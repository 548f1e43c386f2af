/** The forward pass of a pack: hidden states of the scored rows, from any LLaMA. */
import type { Llama } from '@cria/llama'
import { f32, gather, i32, type Spec, slice, type Tensor } from '@cria/tensor'
import type { Pack } from './pack.js'

/** Names of a pack's plan inputs. */
type PackInput = 'tokens' | 'positions' | 'rows' | 'start' | 'keys' | 'scored' | 'targets' | 'frequencies'
export type PackSpecs = Readonly<Record<PackInput, Spec>>
export type PackTensors = Readonly<Record<PackInput, Tensor>>

/** A plan serves every pack of its sizes. */
export const sizeOf = ({ tokens, keys, scored }: Pack): string =>
  `${tokens.length}-${keys?.length ?? 0}-${scored.length}`

/** Rotary frequencies of the models that go by length, one after another. */
function frequenciesOf(models: readonly Llama[], length: number): number[] {
  return models.flatMap(({ model: { _rotary } }) => (_rotary.byLength ? [..._rotary.frequencies(length)] : []))
}

export function specsOf({ tokens, keys, scored }: Pack, models: readonly Llama[]): PackSpecs {
  const perToken = i32([tokens.length])
  const perRow = i32([scored.length])
  // A plan's inputs are fixed: without key indices, or models that rotate by length, nothing reads theirs.
  return {
    tokens: perToken,
    positions: perToken,
    rows: perToken,
    start: perToken,
    keys: i32([keys?.length ?? 1]),
    scored: perRow,
    targets: perRow,
    frequencies: f32([Math.max(1, frequenciesOf(models, 0).length)]),
  }
}

/** `length`: of the longest sequence in the pack; all have it where a model rotates by length. */
export function valuesOf(
  pack: Pack,
  models: readonly Llama[],
  length: number,
): Record<PackInput, Int32Array | Float32Array> {
  const frequencies = frequenciesOf(models, length)
  return {
    tokens: pack.tokens,
    positions: pack.positions,
    rows: pack.rows,
    start: pack.start,
    keys: pack.keys ?? new Int32Array(1),
    scored: pack.scored,
    targets: pack.targets,
    frequencies: Float32Array.from(frequencies.length > 0 ? frequencies : [0]),
  }
}

/** Hidden states f32 [R, C] of the scored rows, by the model at `index`. `shared`: the pack has key indices. */
export function scoredHidden(models: readonly Llama[], index: number, inputs: PackTensors, shared: boolean): Tensor {
  const { tokens, positions, rows, start, keys, scored } = inputs
  const { model } = models[index]!
  const layOut = (x: Tensor): Tensor => gather(x, keys) // [T, Hkv, D] → [S, Hkv, D]
  const cache = { write: (_: number, k: Tensor, v: Tensor) => [layOut(k), layOut(v)] as const }
  const [from, to] = [index, index + 1].map(n => frequenciesOf(models.slice(0, n), 0).length) as [number, number]
  const own = from < to && { frequencies: slice(inputs.frequencies, 0, from, to) }
  return gather(model.forward(tokens, { positions, rows, start, ...own, ...(shared && { cache }) }), scored)
}
