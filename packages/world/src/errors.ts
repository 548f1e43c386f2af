/** An argument that the world cannot work with. The message has one form: `op: got …, expected …. fix`. */
export class WorldError extends Error {
  override readonly name = 'WorldError'
  readonly code = 'argument'

  constructor(
    readonly op: string,
    readonly got: unknown,
    readonly expected: string,
    fix: string,
  ) {
    super(`${op}: got ${typeof got === 'string' ? JSON.stringify(got) : String(got)}, expected ${expected}. ${fix}`)
    Object.defineProperty(this, Symbol.for('cria.error'), { value: true })
  }
}

/** @throws WorldError for what is no whole number ≥ 0 */
export function checkWhole(op: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new WorldError(op, value, `a whole number ≥ 0 as ${name}`, 'Each seed and each index has one story.')
}
