/** What a run says about itself: typed events, one JSON object each, for sinks that print, plot or keep them. */

interface Base {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly step: number
}

export interface StartEvent extends Base {
  readonly type: 'start'
  /** Steps of the whole run. */
  readonly steps: number
  /** Trained numbers. */
  readonly parameters: number
  readonly device: string
  /** Peak FLOP/s that `share` is of. */
  readonly peak?: number
  /** Whatever identifies the run: configuration, seed, data. */
  readonly notes?: unknown
}

export interface StepEvent extends Base {
  readonly type: 'step'
  readonly loss: number
  /** Global gradient norm before the clip. */
  readonly norm: number
  readonly lr: number
  /** Tokens that counted in this step. */
  readonly tokens: number
  /** Over the last twenty steps, everything between them included. */
  readonly tokensPerSecond: number
  /** Achieved FLOP/s as a share of the peak. */
  readonly share?: number
  /** Live bytes of the device: weights, optimiser, plans. */
  readonly memory: number
  /** Seconds to the end at this pace. */
  readonly remaining: number
}

/** A step that changed nothing, and why. */
export interface SkipEvent extends Base {
  readonly type: 'skip'
  readonly reason: string
}

export interface EvaluationEvent extends Base {
  readonly type: 'evaluation'
  readonly name: string
  readonly loss: number
}

export interface SampleEvent extends Base {
  readonly type: 'sample'
  readonly prompt: string
  readonly text: string
}

export interface CheckpointEvent extends Base {
  readonly type: 'checkpoint'
  readonly path: string
}

export interface EndEvent extends Base {
  readonly type: 'end'
  /** `done`, or what stopped the run. */
  readonly reason: string
}

export type TrainEvent = StartEvent | StepEvent | SkipEvent | EvaluationEvent | SampleEvent | CheckpointEvent | EndEvent

/** Takes events: a file, a terminal, a page. */
export interface Sink {
  write(event: TrainEvent): void
  close?(): void | Promise<void>
}
