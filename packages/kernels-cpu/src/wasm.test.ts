/** WebAssembly against the contract, with and without relaxed SIMD. Built by `build:wasm`, which set-up runs. */
import { describeBackend } from '@cria/conformance'
import { wasm } from './wasm.js'

describeBackend('wasm simd128', () => wasm({ isa: 'simd128', threads: 2 }))

// Node 20 has relaxed SIMD behind a flag.
const relaxed = await wasm({ isa: 'relaxed', threads: 1 }).catch(() => undefined)
relaxed?.dispose()
if (relaxed !== undefined) describeBackend('wasm relaxed', () => wasm({ isa: 'relaxed', threads: 2 }))
