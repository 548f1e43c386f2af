/** The native addon against the contract, on every instruction set that this machine runs. */
import { describeBackend } from '@cria/conformance'
import { native } from './index.js'

for (const isa of ['avx512', 'avx2', 'neon', 'generic'] as const) {
  const device = await native({ isa, threads: 2 }).catch(() => undefined)
  device?.dispose()
  if (device !== undefined) describeBackend(`native ${isa}`, () => native({ isa, threads: 2 }))
}
