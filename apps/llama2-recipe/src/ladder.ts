/**
 * `pnpm recipe:ladder`: loss against compute. Trains every size for every amount of tokens that is not in the results yet,
 * and draws those, with the line fitted to the best loss at each compute.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpu } from '@cria/kernels-cpu'
import { estimate } from '@cria/llama'
import { machine } from '../../../tools/bench/machine.mjs'
import { drawLadder } from './ladder-chart.js'
import { pretrain } from './pretrain.js'
import { file, folder, Mistake, no, program, whole } from './program.js'
import type { Rung } from './scaling.js'
import { context, type SizeName, sizes } from './sizes.js'

/** What two cores read in two hours. The last was the storyteller's own pretraining before decision 009. */
const ladder = ['1m:2e6', '1m:6e6', '1m:12e6', '3m:2e6', '3m:6e6', '3m:12e6', '5m:6e6', '5m:42e6']

const usage = `pnpm recipe:ladder [options]: loss against compute

  --run S:N      train size S on N tokens; any number of times (${ladder.join(', ')})
  --out DIR      where the runs go (runs/ladder)
  --results F    what is done already, and what is added to (bench/results/ladder.json)
  --figure DIR   where ladder.svg goes (apps/llama2-recipe)
  --threads N    of the CPU (all)`

const options = {
  run: { type: 'string', multiple: true, default: ladder },
  out: { type: 'string', default: 'runs/ladder' },
  threads: { type: 'string' },
  results: { type: 'string', default: 'bench/results/ladder.json' },
  figure: { type: 'string', default: 'apps/llama2-recipe' },
} as const

await program(usage, options, async ({ values, positionals }) => {
  no(positionals)
  const threads = values.threads === undefined ? {} : { threads: whole('threads', values.threads, 1) }
  const runs = values.run.map(wanted => {
    const [size, amount] = wanted.split(':') as [SizeName, string]
    const tokens = Number(amount)
    if (!Object.hasOwn(sizes, size) || !(tokens > 0 && Number.isFinite(tokens)))
      throw new Mistake(`got --run ${wanted}, expected SIZE:TOKENS with one of ${Object.keys(sizes).join(', ')}`)
    return { wanted, size, amount, tokens }
  })
  const path = await file('results', values.results)
  await folder('figure', values.figure)
  await folder('out', values.out)
  const done: Rung[] = existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : []
  using device = await cpu(threads)
  for (const { wanted, size, amount, tokens } of runs) {
    if (done.some(r => r.run === wanted)) continue
    const out = join(values.out, `${size}-${amount}`)
    const { gguf: _, ...result } = await pretrain(device, {
      size,
      out,
      tokens,
      seed: 1,
      batch: 16,
      every: 250,
      say: line => console.log(line),
    })
    const perToken = estimate(sizes[size].config, { context }).trainFlopsPerToken
    const { date, machine: hardware, system, cria } = await machine(fileURLToPath(new URL('../../..', import.meta.url)))
    const { cpu: name, cores } = hardware
    const measured = { cpu: name, cores, node: system.node, date, commit: cria.commit, device: device.description }
    done.push({ run: wanted, ...result, flops: perToken * result.tokens, measured })
    await writeFile(path, `${JSON.stringify(done, null, 2)}\n`)
  }
  await drawLadder(done, values.figure)
})
