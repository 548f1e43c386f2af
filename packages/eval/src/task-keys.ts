/** The keys of a task file: each is read, knowingly passed over, or refused with the nearest known name. */
import { EvaluationError } from './errors.js'

export type Fields = Readonly<Record<string, unknown>>

/** `!function`: Python, which is not run. */
export class PythonFunction {
  constructor(readonly name: string) {}
}

/** One mapping of a task file; values are checked as they are taken, and null is as good as absent. */
export class Given {
  constructor(
    readonly task: string,
    readonly fields: Fields,
    /** Of the mapping itself: `fewshot_config`. Empty for the whole file. */
    readonly path: string = '',
  ) {}

  has(key: string): boolean {
    return (this.fields[key] ?? undefined) !== undefined
  }

  any(key: string): unknown {
    const value = this.fields[key] ?? undefined
    if (value instanceof PythonFunction)
      throw this.fail(key, `!function ${value.name}`, 'a template. Write the task in TypeScript instead')
    return value
  }

  text(key: string): string | undefined {
    return this.typed(key, value => typeof value === 'string', 'a string')
  }

  flag(key: string): boolean | undefined {
    return this.typed(key, value => typeof value === 'boolean', 'true or false')
  }

  count(key: string, least: number): number | undefined {
    const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= least
    return this.typed(key, whole, `a whole number ≥ ${least}`)
  }

  number(key: string, least: number, most: number = Number.POSITIVE_INFINITY): number | undefined {
    const between = (value: unknown): boolean => typeof value === 'number' && value >= least && value <= most
    return this.typed(key, between, most < Number.POSITIVE_INFINITY ? `${least} … ${most}` : `a number ≥ ${least}`)
  }

  list(key: string, of: string): readonly unknown[] | undefined {
    return this.typed(key, Array.isArray, of)
  }

  mapping(key: string): Given | undefined {
    const fields = this.typed<Fields>(key, isFields, 'a mapping')
    return fields && new Given(this.task, fields, this.named(key))
  }

  oneOf<T extends string>(key: string, all: readonly T[]): T | undefined {
    return this.typed(key, value => all.includes(value as T), all.join(', '))
  }

  /** Refuses every key that is not one of these. */
  only(...known: readonly string[]): this {
    for (const key of Object.keys(this.fields)) {
      if (known.includes(key)) continue
      const near = nearest(key, known)
      throw this.failAt(this.path, key, near === undefined ? `only ${known.join(', ')}` : `the key ${near}`)
    }
    return this
  }

  fail(key: string, got: unknown, expected: string): EvaluationError {
    return this.failAt(this.named(key), got, expected)
  }

  private named(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  private failAt(path: string, got: unknown, expected: string): EvaluationError {
    const where = path === '' ? '' : `${path}: `
    return new EvaluationError(`task ${this.task}: ${where}got ${JSON.stringify(got)}, expected ${expected}`, {
      op: 'task',
      got,
      expected,
    })
  }

  private typed<T>(key: string, fits: (value: unknown) => boolean, expected: string): T | undefined {
    const value = this.any(key)
    if (value === undefined || fits(value)) return value as T | undefined
    throw this.fail(key, value, expected)
  }
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PythonFunction)

/** The known name that differs in the fewest letters, if that looks like a slip of the pen. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const [best] = known.map(name => ({ name, far: distance(key, name) })).sort((a, b) => a.far - b.far)
  return best !== undefined && best.far <= Math.max(2, key.length / 4) ? best.name : undefined
}

/** Levenshtein's: insertions, deletions and replacements. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)))
    row = next
  }
  return row.at(-1)!
}
