/**
 * Python's `random.Random`, bit for bit: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), seeded and drawn
 * from as CPython does. Few-shot examples and bootstrap errors of lm-eval follow from it.
 */
const size = 624
const half = 397

export class PythonRandom {
  private readonly state = new Uint32Array(size)
  private at = size

  /** `random.Random(seed)` for a whole number that JavaScript holds exactly. As in Python, its sign does not count. */
  constructor(seed: number) {
    const s = this.state
    const [low, high] = [Math.abs(seed) % 2 ** 32, Math.floor(Math.abs(seed) / 2 ** 32)]
    const key = high > 0 ? [low, high] : [low]
    s[0] = 19650218
    for (let i = 1; i < size; i++) s[i] = Math.imul(1812433253, s[i - 1]! ^ (s[i - 1]! >>> 30)) + i
    let i = 1
    // init_by_array(key)
    for (let k = 0; k < size; k++) {
      const j = k % key.length
      s[i] = (s[i]! ^ Math.imul(s[i - 1]! ^ (s[i - 1]! >>> 30), 1664525)) + key[j]! + j
      if (++i >= size) {
        s[0] = s[size - 1]!
        i = 1
      }
    }
    for (let k = 0; k < size - 1; k++) {
      s[i] = (s[i]! ^ Math.imul(s[i - 1]! ^ (s[i - 1]! >>> 30), 1566083941)) - i
      if (++i >= size) {
        s[0] = s[size - 1]!
        i = 1
      }
    }
    s[0] = 0x80000000
  }

  private uint32(): number {
    if (this.at === size) this.twist()
    let y = this.state[this.at++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  private twist(): void {
    const s = this.state
    for (let i = 0; i < size; i++) {
      const y = (s[i]! & 0x80000000) | (s[(i + 1) % size]! & 0x7fffffff)
      s[i] = s[(i + half) % size]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.at = 0
  }

  /** [0, 1) with 53 bits. */
  random(): number {
    const a = this.uint32() >>> 5
    const b = this.uint32() >>> 6
    return (a * 67108864 + b) / 9007199254740992
  }

  /** A whole number below `n`. */
  below(n: number): number {
    const bits = 32 - Math.clz32(n)
    let r = this.uint32() >>> (32 - bits)
    while (r >= n) r = this.uint32() >>> (32 - bits)
    return r
  }

  /** `sample(population, k)`: k of them, none twice. */
  sample<T>(population: readonly T[], k: number): T[] {
    const n = population.length
    const setSize = 21 + (k > 5 ? 4 ** Math.ceil(Math.log(k * 3) / Math.log(4)) : 0)
    if (n <= setSize) {
      const pool = [...population]
      return Array.from({ length: k }, (_, i) => {
        const j = this.below(n - i)
        const chosen = pool[j]!
        pool[j] = pool[n - i - 1]!
        return chosen
      })
    }
    const selected = new Set<number>()
    while (selected.size < k) selected.add(this.below(n))
    return Array.from(selected, j => population[j]!)
  }

  /** `choices(population, k=k)`: k of them, with replacement. */
  choices<T>(population: readonly T[], k: number): T[] {
    return Array.from({ length: k }, () => population[Math.floor(this.random() * population.length)]!)
  }
}
