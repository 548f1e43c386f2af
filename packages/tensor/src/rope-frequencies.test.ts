import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type RopeScaling, ropeFrequencies } from './rope-frequencies.js'

/** Tables written by transformers: tools/golden/rope_golden.py. */
interface Golden {
  cases: {
    name: string
    config: Record<string, unknown>
    tables: { length: number; attentionScaling: number; invFreq: number[] }[]
  }[]
}
const golden = JSON.parse(readFileSync(new URL('../../../tools/golden/rope.json', import.meta.url), 'utf8')) as Golden

test.each(golden.cases)('frequencies equal transformers: $name', ({ config, tables }) => {
  const fields = { ...(config.rope_scaling as object), ...(config.rope_parameters as object) } as Record<string, never>
  const context = config.max_position_embeddings as number
  const original =
    fields.original_max_position_embeddings ?? (config.original_max_position_embeddings as number) ?? context
  const type = fields.rope_type ?? fields.type ?? 'default'
  const scaling = {
    type,
    factor: fields.factor ?? context / original,
    originalContext: original,
    attentionFactor: fields.attention_factor,
    betaFast: fields.beta_fast,
    betaSlow: fields.beta_slow,
    mscale: fields.mscale,
    mscaleAllDim: fields.mscale_all_dim,
    truncate: fields.truncate,
    lowFreqFactor: fields.low_freq_factor,
    highFreqFactor: fields.high_freq_factor,
    shortFactor: fields.short_factor,
    longFactor: fields.long_factor,
  } as unknown as RopeScaling
  const width = (config.head_dim as number) ?? (config.hidden_size as number) / (config.num_attention_heads as number)
  const theta = fields.rope_theta ?? (config.rope_theta as number) ?? 10_000
  for (const { length, attentionScaling, invFreq } of tables) {
    const table = ropeFrequencies({ width, theta, scaling, length })
    expect(table.attentionFactor).toBeCloseTo(attentionScaling, 6)
    table.frequencies.forEach((f, i) => expect(Math.abs(f / invFreq[i]! - 1)).toBeLessThan(2e-6))
  }
})

// ggml's rope_yarn_ramp divides by max(0.001, high - low), so that only the first dimension of the ramp is kept.
test.each([
  ['ending before it begins', 10, 4, [false, true]],
  ['beginning beyond the head', 2, 65536, [false, false]],
])('a yarn ramp %s is a step to llama.cpp', (_, theta, originalContext, interpolated) => {
  const yarn = { type: 'yarn', factor: 4, originalContext } as const
  const { frequencies } = ropeFrequencies({ width: 16, theta, scaling: { ...yarn, crossedRamp: 'step' } })
  const plain = ropeFrequencies({ width: 16, theta }).frequencies
  const rest = interpolated.at(-1)!
  frequencies.forEach((f, i) => expect(f).toBeCloseTo(plain[i]! / ((interpolated[i] ?? rest) ? 4 : 1), 6))
})
