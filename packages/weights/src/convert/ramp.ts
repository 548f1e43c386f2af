/** YaRN's ramp, where transformers and llama.cpp compute different frequencies from the same fields. */
import { ropeFrequencies } from '@cria/tensor'
import type { ModelConfig } from '../config/types.js'
import { WeightsError } from '../errors.js'

/** @throws WeightsError `unsupported` for a ramp that ends before it begins and that the target reads another way */
export function refuseCrossedRamp({ headDim, ropeTheta, ropeScaling }: ModelConfig, target: 'falling' | 'step'): void {
  if (ropeScaling?.type !== 'yarn' || ropeScaling.crossedRamp === target) return
  const table = (crossedRamp: typeof target): Float32Array =>
    ropeFrequencies({ width: headDim, theta: ropeTheta, scaling: { ...ropeScaling, crossedRamp } }).frequencies
  const theirs = table(target)
  if (table(ropeScaling.crossedRamp).every((f, i) => f === theirs[i])) return
  const [program, same] = target === 'step' ? ['llama.cpp', 'safetensors'] : ['transformers', 'GGUF']
  throw new WeightsError(
    'unsupported',
    `convert: got a YaRN ramp that ends before it begins, expected one that ${program} reads the same way. Write ${same} instead`,
  )
}
