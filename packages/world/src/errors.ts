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
