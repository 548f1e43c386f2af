/** The whole suite in Node, on whatever adapter there is; the software one of Debian's chromium where there is no GPU. */
import { describeBackend } from '@cria/conformance'
import { describe } from 'vitest'
import { webgpu } from './index.js'
import { gpuMissing, useSoftwareAdapter } from './testing.js'

useSoftwareAdapter()

const codebooks = ['iq2_xxs', 'iq2_xs', 'iq2_s', 'iq3_xxs', 'iq3_s', 'iq1_s', 'iq1_m']

describe.skipIf(gpuMissing())('in Node (needs an adapter, which CI has)', () => {
  describeBackend('webgpu', () => webgpu(), {
    skip: ['dequantize', 'linear', 'embedding'].flatMap(op =>
      codebooks.map(title => ({ op, title, reason: 'the codebook formats have no WGSL decoder yet' })),
    ),
    noFallback: [
      {},
      { weights: 'q8_0', cache: 'f16' },
      { weights: 'q4_0', cache: 'q8_0' },
      { weights: 'f16', cache: 'bf16' },
    ],
  })
})
