/**
 * Muon (Jordan et al. 2024): momentum, orthogonalised by Newton–Schulz, for hidden matrices; AdamW for the rest. The
 * order of operations is `torch.optim.Muon`'s; the iteration runs in f32, where PyTorch rounds to bf16.
 */
import {
  add,
  div,
  globalNorm,
  matmul,
  maximum,
  mul,
  reshape,
  type Spec,
  sub,
  type Tensor,
  transpose,
} from '@cria/tensor'
import { TrainError } from '../errors.js'
import { isEmbedding, isOutputLayer } from '../names.js'
import { type AdamWSettings, adamW } from './adamw.js'
import { checkSettings, like, type Optimiser, perParameter, write } from './optimiser.js'

export interface MuonSettings {
  /** Default 0.95 (Jordan). */
  readonly momentum?: number
  /** Default true (Jordan). */
  readonly nesterov?: boolean
  /** Decoupled. Default 0.1 (Moonlight §2.2; torch.optim.Muon). */
  readonly weightDecay?: number
  /**
   * What the learning rate of a matrix [A, B] is multiplied with. `rms`, the default: 0.2·√max(A, B), so that AdamW's
   * learning rate and decay serve both (Moonlight, eq. 4). `shape`: √max(1, A/B) (Jordan).
   */
  readonly scaling?: 'rms' | 'shape'
  /** Newton–Schulz iterations. Default 5 (Jordan). */
  readonly iterations?: number
  /** Which matrices. Default: every matrix but the embedding and the output layer. */
  readonly hidden?: (name: string, parameter: Spec) => boolean
  /** For the rest. */
  readonly rest?: AdamWSettings | Optimiser
}

/**
 * Muon on hidden matrices (state `momentum`), another optimiser, AdamW unless given, on the rest.
 *
 * @throws TrainError for settings that cannot be.
 */
export function muon({ rest, hidden = isHidden, ...settings }: MuonSettings = {}): Optimiser {
  const others = rest !== undefined && 'update' in rest ? rest : adamW(rest)
  const matrix = orthogonal(settings)
  return perParameter((name, parameter) => (hidden(name, parameter) ? matrix : others), 'muon')
}

/** A matrix inside the network: not the token embedding and not the output layer. */
const isHidden = (name: string, { shape }: Spec): boolean =>
  shape.length === 2 && !isEmbedding(name) && !isOutputLayer(name)

function orthogonal({
  momentum = 0.95,
  nesterov = true,
  weightDecay = 0.1,
  scaling = 'rms',
  iterations = 5,
}: Omit<MuonSettings, 'rest' | 'hidden'>): Optimiser {
  checkSettings('muon', 'beta', { momentum })
  checkSettings('muon', 'decay', { weightDecay })
  checkSettings('muon', 'iterations', { iterations })
  if (scaling !== 'rms' && scaling !== 'shape')
    throw new TrainError(`muon: got scaling ${String(scaling)}, expected rms or shape`, { got: scaling })
  return {
    name: 'muon',
    state: parameter => ({ momentum: like(parameter) }),
    update({ parameter: p, gradient, state: { momentum: m }, lr, scale }) {
      const g = mul(gradient, scale)
      const next = add(mul(m!, momentum), mul(g, 1 - momentum))
      const direction = nesterov ? add(mul(g, 1 - momentum), mul(next, momentum)) : next
      const [rows, columns] = p.shape as [number, number]
      const size = scaling === 'rms' ? 0.2 * Math.sqrt(Math.max(rows, columns)) : Math.sqrt(Math.max(1, rows / columns))
      const kept = mul(p, sub(1, mul(lr, weightDecay)))
      write(p, sub(kept, mul(newtonSchulz(direction, iterations), mul(lr, size))), scale)
      write(m!, next, scale)
    },
  }
}

/** The quintic's coefficients: steep at zero rather than convergent (Jordan). */
const [a, b, c] = [3.4445, -4.775, 2.0315]

/** Pushes the singular values of a matrix [A, B] towards 1: its nearest half-orthogonal matrix, roughly. */
export function newtonSchulz(x: Tensor, iterations = 5): Tensor {
  const [rows, columns] = x.shape as [number, number]
  const tall = rows > columns
  let y = tall ? transpose(x, [1, 0]) : x
  y = div(y, maximum(reshape(globalNorm([y]), [1, 1]), 1e-7))
  for (let i = 0; i < iterations; i++) {
    const gram = matmul(y, y, { transposeB: true })
    const polynomial = add(mul(gram, b), mul(matmul(gram, gram), c))
    y = add(mul(y, a), matmul(polynomial, y))
  }
  return tall ? transpose(y, [1, 0]) : y
}
