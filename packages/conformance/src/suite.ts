/** The suite without a test runner, for pages and other runners: cases and the checks over them. */
export { type Case, type CaseOptions, check, fill, type Input } from './case.js'
export { families } from './cases/index.js'
export { checkDefinition, checkGradients, checkPlan, checkValues, runEager, withoutLeak } from './checks.js'
export { type Coverage, coverage } from './coverage.js'
export { type PerfOptions, perf, type Timing } from './perf.js'
export { type DeviceCheck, deviceChecks } from './storage.js'
export { type TinyLlama, type TinyLlamaOptions, tinyLlama } from './tiny-llama.js'
