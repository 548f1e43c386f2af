/** Typed access to fields of untrusted JSON and metadata, with errors that name the field. */
import { WeightsError } from '../errors.js'

export class Fields {
  constructor(
    readonly file: string,
    private readonly values: Readonly<Record<string, unknown>>,
  ) {}

  raw(key: string): unknown {
    return Object.hasOwn(this.values, key) ? (this.values[key] ?? undefined) : undefined
  }

  has(key: string): boolean {
    return this.raw(key) !== undefined
  }

  /** Whether the file says anything about it, null included. */
  states(key: string): boolean {
    return Object.hasOwn(this.values, key)
  }

  private fail(key: string, expected: string): never {
    const got = this.raw(key)
    const shown = got === undefined ? 'nothing' : JSON.stringify(got, bigints)?.slice(0, 80)
    throw new WeightsError(
      got === undefined ? 'missing' : 'format',
      `${this.file}: ${key}: got ${shown}, expected ${expected}`,
      {
        file: this.file,
        got,
        expected,
      },
    )
  }

  /** A whole number ≥ 1 (and at most 2^31, beyond which no model is). */
  size(key: string, fallback?: number): number {
    const value = this.raw(key) ?? fallback
    if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > 2 ** 31)
      return this.fail(key, 'a positive whole number')
    return value as number
  }

  /** A whole number ≥ 0. */
  count(key: string, fallback: number): number {
    const value = this.raw(key) ?? fallback
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : this.fail(key, 'a whole number')
  }

  /** A finite number > 0. */
  positive(key: string, fallback?: number): number {
    const value = this.raw(key) ?? fallback
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return this.fail(key, 'a number above 0')
    return value
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.raw(key) ?? fallback
    return typeof value === 'boolean' ? value : this.fail(key, 'true or false')
  }

  text(key: string, fallback?: string): string {
    const value = this.raw(key) ?? fallback
    return typeof value === 'string' ? value : this.fail(key, 'a string')
  }

  numbers(key: string): number[] {
    const value = this.raw(key)
    return Array.isArray(value) && value.every(n => typeof n === 'number' && Number.isFinite(n))
      ? value
      : this.fail(key, 'a list of numbers')
  }

  /** A token id, a list of them, or nothing. */
  tokens(key: string): number[] {
    const value = this.raw(key)
    if (value === undefined) return []
    const ids = Array.isArray(value) ? value : [value]
    return ids.every(id => Number.isSafeInteger(id) && id >= -1)
      ? ids.filter(id => id >= 0)
      : this.fail(key, 'a token id or a list of them')
  }

  object(key: string): Fields | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    if (typeof value !== 'object' || Array.isArray(value)) return this.fail(key, 'an object')
    return new Fields(`${this.file}: ${key}`, value as Record<string, unknown>)
  }

  keys(): string[] {
    return Object.keys(this.values)
  }

  /** Refuses fields that would change the maths unless they hold a harmless value. */
  refuse(
    rules: Readonly<Record<string, readonly unknown[]>>,
    why = 'which changes the model in a way that is not supported',
  ): void {
    for (const [key, harmless] of Object.entries(rules)) {
      const value = this.raw(key)
      if (value === undefined || harmless.some(h => h === value)) continue
      throw new WeightsError(
        'unsupported',
        `${this.file}: ${key}: got ${JSON.stringify(value, bigints)?.slice(0, 80)}, ${why}`,
        { file: this.file, got: value },
      )
    }
  }
}

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
