/**
 * Packing: many sequences evaluated in one forward pass, each seeing itself alone. Sequences that begin alike share
 * the work of what they have in common (the choices of one question, the few-shot examples of a task): equal prefixes
 * become one run of tokens, and the keys are laid out once for each sequence by index.
 */

/** A sequence and the part of it to score: `tokens[from …]`, each given all tokens before it. */
export interface ScoreRequest {
  readonly tokens: ArrayLike<number>
  /** Index of the first scored token, at least 1. */
  readonly from: number
}

/** One forward pass: T tokens, S keys and R scored rows, padded to the sizes that plans are made for. */
export interface Pack {
  readonly tokens: Int32Array // [T]
  readonly positions: Int32Array // [T], within the sequence
  readonly rows: Int32Array // [T], each token's own index among the keys
  readonly start: Int32Array // [T], the first key it sees
  /** [S], the token that each key comes from; absent where keys and tokens are the same. */
  readonly keys: Int32Array | undefined
  readonly scored: Int32Array // [R], the token whose logits are wanted
  readonly targets: Int32Array // [R], the token that follows there; -1 in the padding
  /** For each row of R that counts: which request, and which of its scored tokens. */
  readonly owners: readonly { readonly request: number; readonly at: number }[]
}

export interface PackOptions {
  /** Tokens of a pass, unless one sequence alone is longer. */
  readonly batch: number
  /** False: one sequence a pass, where the rotation depends on its length. */
  readonly join: boolean
}

/** Keys that a pass may lay out for each of its tokens before another pass is cheaper. */
const keysPerToken = 8

/** The passes that score all requests. The order of requests does not matter; ties of prefixes are found by sorting. */
export function* packs(requests: readonly ScoreRequest[], { batch, join }: PackOptions): Generator<Pack> {
  const order = requests.map((_, i) => i).sort((a, b) => compare(requests[a]!, requests[b]!))
  let open = new Open()
  for (const i of order) {
    const request = requests[i]!
    if (!open.empty && (!join || !open.fits(request, batch))) {
      yield open.close()
      open = new Open()
    }
    open.add(request, i)
  }
  if (!open.empty) yield open.close()
}

/** The last token is a target only: nothing is asked of what follows it. */
const fed = ({ tokens }: ScoreRequest): number => tokens.length - 1

function compare(a: ScoreRequest, b: ScoreRequest): number {
  const n = Math.min(fed(a), fed(b))
  for (let i = 0; i < n; i++) if (a.tokens[i] !== b.tokens[i]) return a.tokens[i]! - b.tokens[i]!
  return fed(a) - fed(b)
}

class Open {
  private readonly tokens: number[] = []
  private readonly positions: number[] = []
  private readonly rows: number[] = []
  private readonly start: number[] = []
  private readonly keys: number[] = []
  private readonly scored: number[] = []
  private readonly targets: number[] = []
  private readonly owners: { request: number; at: number }[] = []
  /** The tokens of this pass that the last sequence added consists of. */
  private path: readonly number[] = []

  get empty(): boolean {
    return this.owners.length === 0
  }

  /** How many tokens a sequence has in common with the one before it. */
  private shared(request: ScoreRequest): number {
    const n = Math.min(this.path.length, fed(request))
    let i = 0
    while (i < n && this.tokens[this.path[i]!] === request.tokens[i]) i++
    return i
  }

  fits(request: ScoreRequest, batch: number): boolean {
    const fresh = fed(request) - this.shared(request)
    if (this.tokens.length + fresh > batch) return false
    return fresh === 0 || this.keys.length + fed(request) <= batch * keysPerToken
  }

  add(request: ScoreRequest, index: number): void {
    const common = this.shared(request)
    const path = this.path.slice(0, common)
    const first = this.keys.length
    for (let i = common; i < fed(request); i++) {
      path.push(this.tokens.length)
      this.tokens.push(request.tokens[i]!)
      this.positions.push(i)
      this.rows.push(first + i)
      this.start.push(first)
    }
    if (common < fed(request)) for (const token of path) this.keys.push(token)
    for (let i = request.from; i < request.tokens.length; i++) {
      this.scored.push(path[i - 1]!)
      this.targets.push(request.tokens[i]!)
      this.owners.push({ request: index, at: i - request.from })
    }
    this.path = path
  }

  close(): Pack {
    const size = roundUp(this.tokens.length)
    const plain = this.keys.length === this.tokens.length
    const wanted = roundUp(this.scored.length)
    return {
      tokens: padded(this.tokens, size, 0),
      positions: padded(this.positions, size, 0),
      rows: padded(this.rows, size, 0),
      start: padded(this.start, size, 0),
      keys: plain ? undefined : padded(this.keys, roundUp(this.keys.length), 0),
      scored: padded(this.scored, wanted, 0),
      targets: padded(this.targets, wanted, -1),
      owners: this.owners,
    }
  }
}

/** The next of 16, 24, 32, 48, 64, 96 …: few plans, and at most a third is padding. */
function roundUp(n: number): number {
  let size = 16
  while (size < n) size *= 2
  return size > 16 && n <= (size / 4) * 3 ? (size / 4) * 3 : size
}

function padded(values: readonly number[], size: number, fill: number): Int32Array {
  const out = new Int32Array(size).fill(fill)
  out.set(values)
  return out
}
