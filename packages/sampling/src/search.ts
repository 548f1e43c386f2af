/** @cria/sampling/search: searches and speculative decoding over any model that can go on and fork. */
export { type BeamOptions, type BeamResult, beamSearch } from './search/beam.js'
export { type BestOfOptions, bestOf, type Scored } from './search/best-of.js'
export { type ContrastiveModel, type ContrastiveOptions, contrastiveSearch } from './search/contrastive.js'
export { type Draft, type DraftSource, draftModel, promptLookup } from './search/draft.js'
export { type Generated, type GenerateOptions, generate } from './search/generate.js'
export { type ModelState, modelOf } from './search/model.js'
export { type RepetitionOptions, repetitionDetection } from './search/repetition.js'
export { type Speculated, type SpeculateOptions, speculate } from './search/speculate.js'
