/**
 * The tokens still in the running, as parallel arrays. A chain loads the logits once and its stages narrow and reshape
 * them in place; nothing is allocated per token. Just after loading, entry i is token i ("dense"); truncation compacts.
 *
 * Speed on large vocabularies comes from block maxima: they are taken in the pass that also finds NaN, and let top-k
 * look only into the few blocks that can hold a winner.
 *
 * One class in one long file: every cut works on the same private arrays in place, and a cut of its own module would have
 * to be handed all of them.
 */
import { LogitsError } from './errors.js'
import { BINS, Bins, bin } from './lib/bins.js'
import { exp } from './lib/numeric.js'
import { orderDescending } from './lib/sort.js'
import { TopHeap } from './lib/top-heap.js'

const BLOCK = 64
/** So many entries are sorted without being narrowed down first. */
const FEW = 1024

export class Candidates {
  /** Number of entries in the running; they are 0 … size-1 of each array. */
  size = 0
  /** Token ids. */
  ids: Uint32Array = new Uint32Array(0)
  /** Logits, as the stages so far left them. -Infinity: ruled out. */
  logits: Float32Array = new Float32Array(0)
  /** Probabilities; only as fresh as the last call of `softmax()`. */
  probs: Float32Array = new Float32Array(0)
  /** Entries are in descending order of logit. */
  sorted = false
  /** Entry i is token i, and no token has been removed. */
  dense = false
  /** Index of the entry that a picking stage chose, -1 when none has. */
  selected = -1

  #blockMax: Float32Array = new Float32Array(0)
  #blocksFresh = false
  /** ids[0 … #touchedIds) may differ from the identity. */
  #touchedIds = 0
  #scratchIds: Uint32Array = new Uint32Array(0)
  #scratchLogits: Float32Array = new Float32Array(0)
  readonly #heap: TopHeap = new TopHeap()
  readonly #bins: Bins = new Bins()

  /** Number of tokens in the loaded vocabulary. */
  get vocabSize(): number {
    return this.logits.length
  }

  /** The token that was picked, or undefined. */
  get token(): number | undefined {
    return this.selected < 0 ? undefined : this.ids[this.selected]
  }

  /** Takes a copy of the logits (f32, one per token of the vocabulary). NaN and +Infinity are refused. */
  load(logits: Float32Array): void {
    const n = logits.length
    if (n === 0)
      throw new LogitsError('sample', 'no logits', 'one number per token of the vocabulary', 'Pass a Float32Array.')
    if (n !== this.logits.length) this.#resize(n)
    for (let i = 0; i < this.#touchedIds; i++) this.ids[i] = i
    this.#touchedIds = 0
    this.logits.set(logits)
    this.size = n
    this.sorted = false
    this.dense = true
    this.selected = -1
    this.#blocksFresh = false
    this.#refreshBlocks('sample')
  }

  #resize(n: number): void {
    this.ids = new Uint32Array(n)
    for (let i = 0; i < n; i++) this.ids[i] = i
    this.#touchedIds = 0
    this.logits = new Float32Array(n)
    this.probs = new Float32Array(n)
    this.#scratchIds = new Uint32Array(n)
    this.#scratchLogits = new Float32Array(n)
    this.#blockMax = new Float32Array(Math.ceil(n / BLOCK))
  }

  #refreshBlocks(op: string): void {
    if (this.#blocksFresh) return
    const { logits, size } = this
    for (let block = 0, start = 0; start < size; block++, start += BLOCK) {
      this.#blockMax[block] = this.#maxOf(logits, start, Math.min(start + BLOCK, size), op)
    }
    this.#blocksFresh = true
  }

  #maxOf(logits: Float32Array, start: number, end: number, op: string): number {
    let max = Number.NEGATIVE_INFINITY
    for (let i = start; i < end; i++) {
      const v = logits[i]!
      if (!(v <= max)) {
        if (Number.isNaN(v) || v === Number.POSITIVE_INFINITY) {
          const fix = Number.isNaN(v)
            ? 'Look for an overflow where the logits come from.'
            : 'Force a token by ruling out the others.'
          throw new LogitsError(op, `logit ${v} for token ${this.ids[i]}`, 'finite numbers or -Infinity', fix)
        }
        max = v
      }
    }
    return max
  }

  /**
   * Call after writing to `logits`: the order and the block maxima are stale. `op` names the writer in the error
   * should it have left NaN or +Infinity.
   */
  changed(op: string): void {
    this.sorted = false
    this.#blocksFresh = false
    if (this.dense) this.#refreshBlocks(op)
    else this.#maxOf(this.logits, 0, this.size, op)
  }

  /** Changes the logit of one entry, cheaper than `changed` when few entries change. */
  setLogit(index: number, value: number): void {
    this.logits[index] = value
    this.sorted = false
    if (this.dense && this.#blocksFresh) {
      const start = index - (index % BLOCK)
      this.#blockMax[start / BLOCK] = this.#maxOf(this.logits, start, Math.min(start + BLOCK, this.size), 'sample')
    }
  }

  /**
   * Divides every logit by a positive number; order and maxima are kept. Where that would leave the range of f32, the
   * largest is first moved to 0, which changes no probability.
   */
  scale(divisor: number): void {
    const { logits, size } = this
    const max = this.max()
    if (max !== Number.NEGATIVE_INFINITY && !Number.isFinite(Math.fround(max / divisor))) {
      for (let i = 0; i < size; i++) logits[i] = (logits[i]! - max) / divisor
      this.#blocksFresh = false
      return
    }
    for (let i = 0; i < size; i++) logits[i] = logits[i]! / divisor
    if (this.dense && this.#blocksFresh) {
      for (let b = 0; b * BLOCK < size; b++) this.#blockMax[b] = this.#blockMax[b]! / divisor
    }
  }

  /** The largest logit; -Infinity when every token is ruled out. */
  max(): number {
    if (this.sorted) return this.size ? this.logits[0]! : Number.NEGATIVE_INFINITY
    if (!this.dense) return this.#maxOf(this.logits, 0, this.size, 'sample')
    this.#refreshBlocks('sample')
    let max = Number.NEGATIVE_INFINITY
    for (let b = 0; b * BLOCK < this.size; b++) if (this.#blockMax[b]! > max) max = this.#blockMax[b]!
    return max
  }

  /** Index of the entry with the largest logit, the lowest token id among equals; -1 when every token is ruled out. */
  argmax(): number {
    const max = this.max()
    if (max === Number.NEGATIVE_INFINITY) return -1
    if (this.sorted) return 0
    const { logits, size, ids } = this
    if (this.dense) {
      let block = 0
      while (this.#blockMax[block]! !== max) block++
      let i = block * BLOCK
      while (logits[i]! !== max) i++
      return i
    }
    let best = -1
    for (let i = 0; i < size; i++) if (logits[i]! === max && (best < 0 || ids[i]! < ids[best]!)) best = i
    return best
  }

  /** Index of the entry of a token, -1 when it is out. */
  indexOf(token: number): number {
    if (this.dense) return token >= 0 && token < this.size ? token : -1
    for (let i = 0; i < this.size; i++) if (this.ids[i] === token) return i
    return -1
  }

  /** Fills `probs` from the logits (they sum to 1) and returns the largest logit. All zero when every token is out. */
  softmax(): number {
    const { logits, probs, size } = this
    const max = this.max()
    if (max === Number.NEGATIVE_INFINITY) {
      probs.fill(0, 0, size)
      return max
    }
    let sum = 0
    for (let i = 0; i < size; i++) {
      const p = exp(logits[i]! - max)
      probs[i] = p
      sum += p
    }
    const scale = 1 / sum
    for (let i = 0; i < size; i++) probs[i] = probs[i]! * scale
    return max
  }

  /** Keeps the first `n` entries. */
  truncate(n: number): void {
    if (n >= this.size) return
    this.#compacted(n)
  }

  /** Sorts all entries, `probs` along with them; equal logits in order of token id. */
  sort(): void {
    if (this.sorted) return
    this.#permute(orderDescending(this.logits, this.size), this.size, true)
    this.sorted = true
  }

  /** Keeps the `k` entries with the largest logits, sorted; those at -Infinity go too. No effect when k ≥ size. */
  keepTop(k: number): void {
    if (k >= this.size) return
    if (this.sorted) this.truncate(k)
    else if (k <= 256) this.#keepFew(k)
    else this.#keepMany(k)
    let n = this.size
    while (n > 0 && this.logits[n - 1] === Number.NEGATIVE_INFINITY) n--
    this.truncate(n)
  }

  /** A heap of the k best, its root the worst of them. In dense state only blocks that can hold a winner are read. */
  #keepFew(k: number): void {
    const { logits, ids, size } = this
    const heap = this.#heap.start(this.#scratchLogits, this.#scratchIds, k)
    if (this.dense) {
      this.#refreshBlocks('sample')
      const blocks = Math.ceil(size / BLOCK)
      const blockMax = this.#blockMax
      let floor = Number.NEGATIVE_INFINITY
      if (blocks >= k) {
        for (let b = 0; b < blocks; b++) heap.offer(blockMax[b]!, b)
        floor = heap.floor
        heap.start(this.#scratchLogits, this.#scratchIds, k)
      }
      for (let b = 0; b < blocks; b++) {
        if (blockMax[b]! < floor) continue
        const end = Math.min((b + 1) * BLOCK, size)
        for (let i = b * BLOCK; i < end; i++) if (logits[i]! >= floor) heap.offer(logits[i]!, i)
      }
    } else {
      for (let i = 0; i < size; i++) heap.offer(logits[i]!, ids[i]!)
    }
    const n = heap.drain()
    logits.set(this.#scratchLogits.subarray(0, n))
    ids.set(this.#scratchIds.subarray(0, n))
    this.#compacted(n)
    this.sorted = true
  }

  #keepMany(k: number): void {
    const { logits, size } = this
    const max = this.max()
    const { counts } = this.#bins.start()
    for (let i = 0; i < size; i++) counts[bin(max - logits[i]!)]!++
    let last = 0
    for (let total = counts[0]!; total < k && last < BINS - 1; total += counts[++last]!);
    let n = 0
    const { ids } = this
    for (let i = 0; i < size; i++) {
      if (bin(max - logits[i]!) > last) continue
      const l = logits[i]!
      ids[n] = ids[i]!
      logits[n++] = l
    }
    this.#compacted(n)
    this.sort()
    this.truncate(k)
  }

  /**
   * Keeps the smallest set of likeliest entries whose probabilities reach `mass`, at least `minKeep` of them.
   * `probs` become those of the distribution before truncation.
   */
  keepMass(mass: number, minKeep: number): void {
    const max = this.max()
    if (max === Number.NEGATIVE_INFINITY) return
    if (this.sorted || this.size <= FEW) this.softmax()
    else this.#narrowToMass(mass, minKeep, max)
    this.sort()
    const { probs, size } = this
    const target = Math.fround(mass)
    let sum = 0
    let n = 0
    while (n < size) {
      sum += probs[n++]!
      if (n >= minKeep && Math.fround(sum) >= target) break
    }
    this.truncate(n)
  }

  /** The same as `softmax`, but for entries that certainly lie behind the mass: they go, whole bins of logits at once. */
  #narrowToMass(mass: number, minKeep: number, max: number): void {
    const { logits, probs, size } = this
    const bins = this.#bins.start()
    const { masses, counts } = bins
    let sum = 0
    for (let i = 0; i < size; i++) {
      const below = max - logits[i]!
      const p = exp(-below)
      probs[i] = p
      sum += p
      const b = bin(below)
      masses[b]! += p
      counts[b]!++
    }
    this.#keepNear(max, bins.reach(mass * sum, sum, minKeep), 1 / sum)
  }

  /**
   * Locally typical entries: those whose logit is nearest the mean logit (which is to say, their surprise nearest the
   * entropy) until their probabilities exceed `mass`, at least `minKeep` of them; nearest first, and among equally near
   * ones the likeliest. `probs` become those of the distribution before truncation.
   */
  keepTypical(mass: number, minKeep: number): void {
    const max = this.max()
    if (max === Number.NEGATIVE_INFINITY) return
    const { logits, probs, size } = this
    let sum = 0
    let weighted = 0
    for (let i = 0; i < size; i++) {
      const below = max - logits[i]!
      const p = exp(-below)
      probs[i] = p
      sum += p
      if (p > 0) weighted += p * below
    }
    const center = max - weighted / sum
    let reach = Number.POSITIVE_INFINITY
    if (size > FEW) {
      const bins = this.#bins.start()
      const { masses, counts } = bins
      for (let i = 0; i < size; i++) {
        const b = bin(Math.abs(center - logits[i]!))
        masses[b]! += probs[i]!
        counts[b]!++
      }
      reach = bins.reach(mass * sum, sum, minKeep)
    }
    this.#keepNear(center, reach, 1 / sum)
    this.sort()
    const nearness = this.#scratchLogits
    for (let i = 0; i < this.size; i++) nearness[i] = -Math.abs(center - this.logits[i]!)
    const order = orderDescending(nearness, this.size)
    let held = 0
    let n = 0
    while (n < this.size) {
      held += this.probs[order[n++]!]!
      if (held > mass && n >= minKeep) break
    }
    this.select(order, n)
  }

  /** Keeps entries whose logit is less than `reach` from `center`, in their order; multiplies their `probs`. */
  #keepNear(center: number, reach: number, scale: number): void {
    const { logits, probs, ids, size, sorted } = this
    let n = 0
    for (let i = 0; i < size; i++) {
      const logit = logits[i]!
      if (!(Math.abs(center - logit) < reach)) continue
      ids[n] = ids[i]!
      probs[n] = probs[i]! * scale
      logits[n++] = logit
    }
    this.#compacted(n)
    this.sorted = sorted
  }

  /** Keeps entries with a logit of at least `floor`, in their order. */
  keepAtLeast(floor: number): void {
    if (this.sorted) {
      let n = this.size
      while (n > 0 && this.logits[n - 1]! < floor) n--
      this.truncate(n)
      return
    }
    const { logits, ids, size } = this
    let n = 0
    if (this.dense) {
      this.#refreshBlocks('sample')
      for (let b = 0; b * BLOCK < size; b++) {
        if (this.#blockMax[b]! < floor) continue
        const end = Math.min((b + 1) * BLOCK, size)
        for (let i = b * BLOCK; i < end; i++) {
          if (logits[i]! < floor) continue
          ids[n] = i
          logits[n++] = logits[i]!
        }
      }
    } else {
      for (let i = 0; i < size; i++) {
        if (logits[i]! < floor) continue
        ids[n] = ids[i]!
        logits[n++] = logits[i]!
      }
    }
    this.#compacted(n)
  }

  /** How many entries have a logit of at least `floor`. */
  countAtLeast(floor: number): number {
    const { logits, size } = this
    let n = 0
    for (let i = 0; i < size; i++) if (logits[i]! >= floor) n++
    return n
  }

  /** Keeps the entries at `order[0 … n)`, in that order, with their probabilities. */
  select(order: Uint32Array, n: number): void {
    this.#permute(order, n, false)
    this.sorted = false
  }

  /** Keeps the entries of these tokens, in their order. */
  keepTokens(tokens: ReadonlySet<number>): void {
    const { logits, ids, size, sorted } = this
    let n = 0
    for (let i = 0; i < size; i++) {
      if (!tokens.has(ids[i]!)) continue
      ids[n] = ids[i]!
      logits[n++] = logits[i]!
    }
    this.#compacted(n)
    this.sorted = sorted
  }

  /**
   * Keeps the tokens of a bit set (bit i of word i >>> 5); `list`, if given, must hold the same tokens, ascending.
   * A short list is gathered; otherwise the tokens that are out get -Infinity, which costs only what is out.
   */
  keepBits(bits: Uint32Array, list?: Uint32Array): void {
    const { logits, ids, size } = this
    if (!this.dense) {
      let n = 0
      for (let i = 0; i < size; i++) {
        const id = ids[i]!
        if (!(((bits[id >>> 5] ?? 0) >>> (id & 31)) & 1)) continue
        ids[n] = id
        logits[n++] = logits[i]!
      }
      const { sorted } = this
      this.#compacted(n)
      this.sorted = sorted
    } else if (list) {
      let n = list.length
      while (n > 0 && list[n - 1]! >= size) n--
      for (let i = 0; i < n; i++) logits[i] = logits[list[i]!]!
      ids.set(n === list.length ? list : list.subarray(0, n))
      this.#compacted(n)
    } else {
      this.#refreshBlocks('grammar')
      const blockMax = this.#blockMax
      for (let block = 0, start = 0; start < size; block++, start += BLOCK) {
        let stale = false
        for (let word = start >>> 5; word <= (start >>> 5) + 1; word++) {
          for (let out = ~(bits[word] ?? 0); out; out &= out - 1) {
            const id = word * 32 + 31 - Math.clz32(out & -out)
            if (id >= size) break
            if (logits[id]! >= blockMax[block]!) stale = true
            logits[id] = Number.NEGATIVE_INFINITY
          }
        }
        if (stale) blockMax[block] = this.#maxOf(logits, start, Math.min(start + BLOCK, size), 'grammar')
      }
    }
  }

  /** Sets the logits of tokens to -Infinity. */
  ruleOut(tokens: Iterable<number>): void {
    for (const token of tokens) {
      const i = this.indexOf(token)
      if (i >= 0) this.setLogit(i, Number.NEGATIVE_INFINITY)
    }
  }

  /** Drops the first `n` entries. */
  dropFirst(n: number): void {
    const { size } = this
    this.ids.copyWithin(0, n, size)
    this.logits.copyWithin(0, n, size)
    this.probs.copyWithin(0, n, size)
    this.#compacted(size - n)
  }

  #permute(order: Uint32Array, n: number, all: boolean): void {
    const { ids, logits, probs } = this
    const touched = all ? n : this.size
    const spareLogits = this.#scratchLogits
    const spareIds = this.#scratchIds
    for (let i = 0; i < n; i++) spareLogits[i] = logits[order[i]!]!
    logits.set(spareLogits.subarray(0, n))
    for (let i = 0; i < n; i++) spareLogits[i] = probs[order[i]!]!
    probs.set(spareLogits.subarray(0, n))
    for (let i = 0; i < n; i++) spareIds[i] = ids[order[i]!]!
    ids.set(spareIds.subarray(0, n))
    this.#touchedIds = Math.max(this.#touchedIds, touched)
    this.#compacted(n)
  }

  #compacted(n: number): void {
    this.#touchedIds = Math.max(this.#touchedIds, n)
    this.size = n
    this.dense = false
    this.#blocksFresh = false
  }
}
