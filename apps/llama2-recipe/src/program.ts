/** What the programs of the recipe share: options that are checked before the work, and mistakes told in a line. */
import { access, constants, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** An option that cannot be: what came, what was expected. */
export class Mistake extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T & { help: { type: 'boolean' } }; allowPositionals: true }>
>

/**
 * Runs a program with the options of its command line: `--help` prints the usage; a mistake is printed without a stack and
 * ends it with 2, anything else that fails with 1.
 */
export async function program<const T extends Options>(
  usage: string,
  options: T,
  main: (parsed: Parsed<T>) => Promise<void>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  try {
    const parsed = parseArgs({
      args: negative(argv),
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean' as const } },
    }) as Parsed<T>
    if ((parsed.values as { help?: boolean }).help) console.log(usage)
    else await main(parsed)
  } catch (error) {
    const mistake = error instanceof Mistake || /^ERR_PARSE_ARGS/.test((error as NodeJS.ErrnoException).code ?? '')
    // These are no mistakes of the user: whoever mends them needs to know where they come from.
    const fault = !mistake && [TypeError, RangeError, ReferenceError].some(kind => error instanceof kind)
    console.error(fault ? error : (error as Error).message)
    process.exitCode = mistake ? 2 : 1
  }
}

/** `--rounds -1` as `--rounds=-1`: a number below zero is a value that can be refused in words, not another option. */
function negative(argv: readonly string[]): string[] {
  const out: string[] = []
  for (const arg of argv)
    if (/^-\.?\d/.test(arg) && /^--[^=]+$/.test(out.at(-1) ?? '')) out.push(`${out.pop()}=${arg}`)
    else out.push(arg)
  return out
}

function number(name: string, text: string, holds: (x: number) => boolean, expected: string): number {
  const x = text.trim() === '' ? Number.NaN : Number(text)
  if (!holds(x)) throw new Mistake(`got --${name} ${text}, expected ${expected}`)
  return x
}

export const whole = (name: string, text: string, least: number): number =>
  number(name, text, x => Number.isSafeInteger(x) && x >= least, `a whole number ≥ ${least}`)

export const positive = (name: string, text: string): number =>
  number(name, text, x => x > 0 && Number.isFinite(x), 'a number > 0')

export function oneOf<K extends string>(name: string, text: string, list: Readonly<Record<K, unknown>>): K {
  if (!Object.hasOwn(list, text))
    throw new Mistake(`got --${name} ${text}, expected one of ${Object.keys(list).join(', ')}`)
  return text as K
}

/** Makes the folder if it is not there. */
export async function folder(name: string, path: string): Promise<string> {
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    const why = /^(EEXIST|ENOTDIR)$/.test(error.code ?? '') ? 'which is a file or lies in one' : error.code
    throw new Mistake(`got --${name} ${path}, ${why}, expected a folder that can be written`)
  })
  await access(path, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    throw new Mistake(`got --${name} ${path}, ${error.code}, expected a folder that can be written`)
  })
  return path
}

/** A file that can be written at the end. */
export async function file(name: string, path: string): Promise<string> {
  const is = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isDirectory() === true
  if ((await is(path)) || !(await is(dirname(path))))
    throw new Mistake(`got --${name} ${path}, expected the name of a file in a folder that is there`)
  // Not only at the end, when hours are lost.
  await open(path, 'a').then(
    opened => opened.close(),
    (error: NodeJS.ErrnoException) => {
      throw new Mistake(`got --${name} ${path}, ${error.code}, expected a file that can be written`)
    },
  )
  return path
}

export function no(positionals: readonly string[]): void {
  if (positionals.length > 0) throw new Mistake(`got ${positionals[0]}, expected only options. --help names them`)
}
