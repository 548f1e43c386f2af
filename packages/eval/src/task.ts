/**
 * A task: questions, how they are put, and what is counted. Plain data and small functions, in the terms of
 * lm-evaluation-harness (`doc_to_text` is `docToText`), so that a task of its can be carried over line by line.
 */
import type { FilterPipeline } from './filters.js'
import type { GenerationOptions } from './language-model.js'
import type { MetricName } from './metrics.js'

export type Doc = Readonly<Record<string, unknown>>

export type OutputType = 'multiple_choice' | 'loglikelihood' | 'loglikelihood_rolling' | 'generate_until'

/** A right answer: an index of the choices, one of them, or several of either. */
export type Target = number | string | readonly (number | string)[]

/** Options of `exact_match`. */
export interface ExactMatchOptions {
  readonly ignoreCase?: boolean
  readonly ignorePunctuation?: boolean
  readonly ignoreNumbers?: boolean
  /** Removed from answer and target alike, in order. Python's syntax. */
  readonly regexesToIgnore?: readonly string[]
}

export interface Task {
  readonly name: string
  readonly outputType: OutputType
  /** Which splits of the data serve for what; the test split is evaluated, or else the validation split. */
  readonly splits: {
    readonly training?: string
    readonly validation?: string
    readonly test?: string
    readonly fewshot?: string
  }
  /** Documents that come with the task, by split. Absent: the runner's data source is asked. */
  readonly data?: Readonly<Record<string, readonly Doc[]>>
  readonly processDocs?: (docs: readonly Doc[]) => readonly Doc[]
  /** The question. A number is the index of the right one among several contexts (WinoGrande). */
  readonly docToText: (doc: Doc) => string | number
  readonly docToTarget: (doc: Doc) => Target
  readonly docToChoice?: (doc: Doc) => readonly string[]
  /** Before everything else. */
  readonly description?: string | ((doc: Doc) => string)
  /** Between question and answer. Default one space. */
  readonly targetDelimiter?: string
  /** Between examples. Default an empty line. */
  readonly fewshotDelimiter?: string
  /** Examples shown first. Default 0. */
  readonly numFewshot?: number
  /** How examples are chosen: at random, or the first. Default `default`. */
  readonly fewshotSampler?: 'default' | 'first_n'
  /** Examples come from the documents of the same group (MMLU's subjects). */
  readonly fewshotGroup?: (doc: Doc) => string
  /** Examples written for the task, instead of a split. */
  readonly fewshotSamples?: readonly Doc[]
  readonly metrics: readonly MetricName[]
  readonly exactMatch?: ExactMatchOptions
  /** For `generate_until`. Default: until the few-shot delimiter. */
  readonly generation?: GenerationOptions
  /** Default: the first answer as it is. */
  readonly filters?: readonly FilterPipeline[]
  /** Answers drawn for each document. Default 1. */
  readonly repeats?: number
  /** Words and bytes that rolling metrics divide by, where they are not those of the target (wikitext). */
  readonly rollingText?: (doc: Doc) => string
  /** What stands for no question at all: `acc_answer` divides by the likelihood after it. LLaMA's `Answer:`. */
  readonly unconditionalContext?: string
}

/** The split that is evaluated. */
export const evaluatedSplit = ({ splits }: Task): string | undefined => splits.test ?? splits.validation

/** The split that examples come from. */
export const fewshotSplit = ({ splits }: Task): string | undefined =>
  splits.fewshot ?? splits.training ?? splits.validation ?? splits.test
