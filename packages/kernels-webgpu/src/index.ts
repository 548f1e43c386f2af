export type { Counters } from './gpu.js'
export { countersOf, type WebGpuOptions, webgpu } from './webgpu.js'
