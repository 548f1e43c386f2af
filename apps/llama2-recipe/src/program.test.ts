import { spawnSync } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { Mistake, program, whole } from './program.js'

afterEach(() => {
  process.exitCode = undefined
  vi.restoreAllMocks()
})

/** The last line that a program of these options printed, and its exit code. */
async function runs(main: () => Promise<void>, ...argv: string[]): Promise<[string, number]> {
  const [log, error] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')]
  for (const spy of [log, error]) spy.mockImplementation(() => undefined)
  const options = { rounds: { type: 'string', default: '2' } } as const
  await program(
    'how to use it',
    options,
    async ({ values }) => {
      whole('rounds', values.rounds, 0)
      await main()
    },
    argv,
  )
  return [String([...log.mock.calls, ...error.mock.calls].at(-1)?.[0]), Number(process.exitCode ?? 0)]
}
const nothing = async (): Promise<void> => undefined
const fails =
  (error: Error): (() => Promise<void>) =>
  () =>
    Promise.reject(error)

test('a mistake is a line that says what was expected, and code 2', async () => {
  expect(await runs(nothing, '--help')).toEqual(['how to use it', 0])
  expect(await runs(nothing, '--rounds', '-1')).toEqual(['got --rounds -1, expected a whole number ≥ 0', 2])
  expect(await runs(nothing, '--rounds', '')).toEqual(['got --rounds , expected a whole number ≥ 0', 2])
  const [unknown, code] = await runs(nothing, '--round', '1')
  expect([code, unknown]).toEqual([2, expect.stringMatching(/^Unknown option '--round'/)])
  expect(await runs(fails(new Mistake('no')))).toEqual(['no', 2])
})

test('what else fails has code 1, and its stack only where the program itself is at fault', async () => {
  expect(await runs(fails(new Error('disk full')))).toEqual(['disk full', 1])
  const [text, code] = await runs(fails(new TypeError('undefined is no function')))
  expect([code, text]).toEqual([1, expect.stringContaining('TypeError: undefined')])
})

test('every program checks its options before the work', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recipe-'))
  const taken = join(folder, 'file')
  await writeFile(taken, '')
  const line = (name: string, ...argv: string[]): [string, number | null] => {
    const path = fileURLToPath(new URL(name, import.meta.url))
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--conditions=cria-source', '--import', 'tsx', path, ...argv],
      { encoding: 'utf8' },
    )
    return [stdout + stderr, status]
  }
  expect(line('main.ts', '--out', taken)).toEqual([
    `got --out ${taken}, which is a file or lies in one, expected a folder that can be written\n`,
    2,
  ])
  expect(line('main.ts', '--out', folder, '--model', join(folder, '5m/round-1/model.gguf'))).toEqual([
    `got --model ${folder}/5m/round-1/model.gguf in ${folder}/5m, which the rounds write anew. Name another --out\n`,
    2,
  ])
  expect(line('ladder.ts', '--run', '7m:1e6')).toEqual([
    'got --run 7m:1e6, expected SIZE:TOKENS with one of 1m, 3m, 5m, 10m, 30m\n',
    2,
  ])
  expect(line('evaluate.ts', '--size', '7m')).toEqual(['got --size 7m, expected one of 1m, 3m, 5m, 10m, 30m\n', 2])
  expect(line('evaluate.ts', '--stories', '0')).toEqual(['got --stories 0, expected a whole number ≥ 1\n', 2])
  expect(line('evaluate.ts', '--json', folder)[1]).toBe(2)
})
