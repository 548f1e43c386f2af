/** Temperature, fixed or by entropy. */
import type { Candidates } from './candidates.js'
import { number } from './lib/check.js'
import { moments } from './lib/entropy.js'
import { log, pow } from './lib/numeric.js'
import type { Sampler } from './sampler.js'

/**
 * Divides the logits by `value`. 0 keeps only the likeliest token, as llama.cpp and vLLM do.
 * Defaults elsewhere: llama.cpp 0.8, vLLM and HF 1.
 *
 * @example
 * chain(temperature(0.8), categorical({ seed: 1 }))
 */
export function temperature(value: number): Sampler {
  number('temperature', 'value', value, 0, Number.MAX_VALUE)
  return { name: 'temperature', apply: candidates => scale(candidates, value) }
}

export interface DynamicTemperatureOptions {
  /** Half the width of the range around the temperature; 0 switches the dynamics off. llama.cpp `dynatemp_range` 0. */
  range: number
  /** How entropy maps to temperature. llama.cpp `dynatemp_exponent` 1. */
  exponent?: number
}

/** Temperature between `value - range` and `value + range`, by the entropy of the distribution (llama.cpp). */
export function dynamicTemperature(value: number, { range, exponent = 1 }: DynamicTemperatureOptions): Sampler {
  number('temperature', 'value', value, 0, Number.MAX_VALUE)
  number('dynamicTemperature', 'range', range, 0, Number.MAX_VALUE)
  number('dynamicTemperature', 'exponent', exponent, 0, Number.MAX_VALUE)
  return {
    name: 'dynamic-temperature',
    apply(candidates) {
      if (range === 0) return scale(candidates, value)
      if (candidates.size <= 1) return
      const low = Math.max(0, value - range)
      const normalised = moments(candidates).entropy / log(candidates.size)
      scale(candidates, low + (value + range - low) * pow(normalised, exponent))
    },
  }
}

function scale(candidates: Candidates, value: number): void {
  if (value === 0) candidates.keepTop(1)
  else if (value !== 1) candidates.scale(value)
}
