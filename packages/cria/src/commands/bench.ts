/** `cria bench`: prompt (pp) and generation (tg) speed, as llama-bench measures them: interleaved rounds, medians. */
import { type Llama, Session } from '@cria/llama'
import { type BackendName, threadsOf } from '../backend.js'
import { UsageError } from '../errors.js'
import { load } from '../model.js'
import { note, print, printJson } from '../output.js'

export interface BenchOptions {
  readonly p: readonly number[]
  readonly n: readonly number[]
  readonly t?: readonly number[]
  readonly d: readonly number[]
  readonly r: number
  readonly backend?: BackendName
  readonly json?: boolean
}

interface Case {
  readonly test: string
  readonly depth: number
  run(session: Session): Promise<number>
}

export async function bench(name: string, options: BenchOptions): Promise<void> {
  const cases = casesOf(options)
  if (cases.length === 0) throw new UsageError('bench: got neither -p nor -n above 0, expected something to measure')
  const results: object[] = []
  for (const asked of options.t ?? [undefined]) {
    const loaded = await load(name, {
      ...(options.backend && { backend: options.backend }),
      ...(asked !== undefined && { threads: asked }),
    })
    const threads = await threadsOf(loaded.device)
    if (!options.json) note(`${name} · ${loaded.device.description}`)
    const speeds = await measure(loaded.model, cases, options.r)
    for (const { test, depth, rounds } of speeds) {
      const sorted = rounds.toSorted((a, b) => a - b)
      const median = (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
      const tokensPerSecond = { median, min: sorted[0]!, max: sorted.at(-1)! }
      results.push({ test, threads, depth, backend: loaded.device.name, tokensPerSecond })
      if (!options.json)
        await print(
          `${test.padEnd(8)} depth ${String(depth).padEnd(5)} threads ${threads ?? '–'}  ${tokensPerSecond.median.toFixed(2).padStart(10)} tokens/s  (${tokensPerSecond.min.toFixed(2)} … ${tokensPerSecond.max.toFixed(2)})\n`,
        )
    }
    await loaded.dispose()
  }
  if (options.json) await printJson(results)
}

function casesOf({ p, n, d }: BenchOptions): Case[] {
  return d.flatMap(depth => [
    ...p
      .filter(count => count > 0)
      .map(count => ({
        test: `pp${count}`,
        depth,
        run: (s: Session) => timed(count, () => s.evaluate(tokens(s, count))),
      })),
    ...n
      .filter(count => count > 0)
      .map(count => ({
        test: `tg${count}`,
        depth,
        run: (s: Session) =>
          timed(count, async () => {
            for (let i = 0; i < count; i++) await s.evaluate(tokens(s, 1))
          }),
      })),
  ])
}

async function measure(
  model: Llama,
  cases: readonly Case[],
  rounds: number,
): Promise<{ test: string; depth: number; rounds: number[] }[]> {
  const capacity = Math.max(...cases.map(c => c.depth + Number(c.test.slice(2))))
  const session = new Session(model, { capacity })
  const out = cases.map(({ test, depth }) => ({ test, depth, rounds: [] as number[] }))
  try {
    // The first round warms plans, caches and threads, and is not counted.
    for (let round = -1; round < rounds; round++) {
      for (const [i, c] of cases.entries()) {
        session.truncate(0)
        if (c.depth > 0) await session.evaluate(tokens(session, c.depth))
        const speed = await c.run(session)
        if (round >= 0) out[i]!.rounds.push(speed)
      }
    }
  } finally {
    session.dispose()
  }
  return out
}

/** Which tokens are fed does not change the work; these walk through the vocabulary. */
const tokens = ({ model, length }: Session, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((length + i) * 7919 + 1) % model.config.vocabSize)

async function timed(count: number, work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (count / (performance.now() - begin)) * 1000
}
