/** An error of the command: what came, what was expected, what to do. */
abstract class CommandError extends Error {
  constructor(message: string) {
    super(message)
    this.name = new.target.name
    Object.defineProperty(this, Symbol.for('cria.error'), { value: true })
  }
}

/** A command line that is wrong whatever lies in the files it names: exit code 2. */
export class UsageError extends CommandError {
  readonly code = 'usage'
}

/** Files or input that are not what the command needs: exit code 1. */
export class InputError extends CommandError {
  readonly code = 'input'
}
