/** An error of the command line itself: what came, what was expected, what to do. */
export class UsageError extends Error {
  readonly code = 'usage'

  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
    Object.defineProperty(this, Symbol.for('cria.error'), { value: true })
  }
}
