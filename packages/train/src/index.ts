/** `@cria/train`: verbs for training; the app owns the loop. Safe in browsers; files are in `@cria/train/node`. */
export { type Batches, type BatchesOptions, batches, type TokenBatchSpecs } from './data/batches.js'
export { llamaMixture, type MixturePart, mixture } from './data/mixture.js'
export { type PackOptions, packed, padded } from './data/pack.js'
export { ignored, type Position, type Row, type Rows } from './data/rows.js'
export {
  type DocumentTokens,
  type Example,
  examples,
  joinTokens,
  type TokenDType,
  type TokenSourceOptions,
  type Tokens,
  tokenArray,
  tokenSource,
} from './data/tokens.js'
export { type WindowOptions, windows } from './data/windows.js'
export { type DistillationOptions, distillation, type Predictions } from './distillation.js'
export { CheckpointError, DataError, TrainError } from './errors.js'
export { Evaluator, type EvaluatorOptions, evaluator } from './evaluate.js'
export type { GuardOptions, GuardState } from './guard.js'
export { type InitOptions, type InitScheme, initialise } from './init.js'
export { LoraAdapter, LoraLayer, type LoraOptions, type LoraSettings, lora } from './lora/adapter.js'
export type { Adaptable } from './lora/find.js'
export { peftConfig, readPeft, writePeft } from './lora/peft.js'
export type {
  CheckpointEvent,
  EndEvent,
  EvaluationEvent,
  SampleEvent,
  Sink,
  SkipEvent,
  StartEvent,
  StepEvent,
  TrainEvent,
} from './metrics/events.js'
export { Meter, type MeterOptions, meter, peakFlops } from './metrics/meter.js'
export { type AdamWSettings, adamW } from './optim/adamw.js'
export { type LionSettings, lion } from './optim/lion.js'
export { type MuonSettings, muon, newtonSchulz } from './optim/muon.js'
export { type Decays, matrices, type Optimiser, perParameter, type Update } from './optim/optimiser.js'
export { type SgdSettings, sgd } from './optim/sgd.js'
export { type MemoryPlan, type PlanMemoryOptions, planMemory, type StepBuilder, type StepChoice } from './planner.js'
export { type Forward, recomputeBlocks } from './recompute.js'
export {
  type ConstantSchedule,
  constant,
  cosine,
  type DecayingSchedule,
  linear,
  type Schedule,
  type WsdSchedule,
  wsd,
} from './schedules.js'
export {
  type Batch,
  type BatchSpecs,
  type BatchTensors,
  type StepResult,
  type StepState,
  TrainStep,
  type TrainStepOptions,
  trainStep,
} from './step.js'
