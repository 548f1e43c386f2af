/**
 * Time of one chain application (load, all stages, pick) on 128,256 logits, median of rounds in microseconds.
 * Run with `npx tsx --conditions=cria-source packages/sampling/bench/chain.ts`; `--json` prints the figures alone.
 */
import { categorical, chain, greedy, minP, penalties, Random, temperature, topK, topP, typicalP } from '@cria/sampling'

const vocab = 128_256
const random = new Random(1)
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
/** Like a language model's: a bell of unlikely tokens and a few that stand out. */
const rows: Float32Array[] = Array.from({ length: 8 }, () => {
  const logits = Float32Array.from({ length: vocab }, () => normal() * 2.2)
  for (let i = 0; i < 30; i++) logits[Math.floor(random.next() * vocab)] = 8 + normal() * 3
  return logits
})

const seed = 7
const chains = {
  greedy: chain(greedy()),
  'penalties · topK(40) · topP(0.95) · minP(0.05) · temperature(0.8) · categorical': chain(
    penalties({ repeat: 1.1 }),
    topK(40),
    topP(0.95),
    minP(0.05),
    temperature(0.8),
    categorical({ seed }),
  ),
  'minP(0.05) · temperature(0.8) · categorical': chain(minP(0.05), temperature(0.8), categorical({ seed })),
  'temperature(0.8) · topP(0.95) · categorical, no top-k': chain(temperature(0.8), topP(0.95), categorical({ seed })),
  'categorical over everything': chain(categorical({ seed })),
  'typicalP(0.95) · categorical, no top-k': chain(typicalP(0.95), categorical({ seed })),
}

const results = Object.entries(chains).map(([name, pick]) => {
  for (let i = 0; i < 200; i++) pick.accept(pick.sample(rows[i % rows.length]!))
  const times: number[] = []
  for (let round = 0; round < 200; round++) {
    const start = performance.now()
    const token = pick.sample(rows[round % rows.length]!)
    times.push((performance.now() - start) * 1000)
    pick.accept(token)
  }
  times.sort((a, b) => a - b)
  return { name, microseconds: Math.round(times[100]!), p90: Math.round(times[180]!) }
})

if (process.argv.includes('--json')) console.log(JSON.stringify(results))
else for (const r of results) console.log(`${String(r.microseconds).padStart(6)} µs (p90 ${r.p90})  ${r.name}`)
