export { type Comparison, compareModels, type Estimate } from './compare.js'
export { EvaluationError } from './errors.js'
export { applyFilters, type Filter, type FilterPipeline } from './filters.js'
export {
  type AnyRequest,
  type AskOptions,
  type GenerateRequest,
  type GenerationOptions,
  type LanguageModel,
  LlamaLanguageModel,
  type LlamaLanguageModelOptions,
  type Loglikelihood,
  type LoglikelihoodRequest,
  type TextTokenizer,
} from './language-model.js'
export { type MetricName, metrics } from './metrics.js'
export type { ScoreRequest } from './pack.js'
export { measurePerplexity, type Perplexity, type PerplexityOptions } from './perplexity.js'
export { published, publishedModels } from './published.js'
export {
  type DataSource,
  type EvaluateOptions,
  evaluate,
  type RequestCache,
  type Sample,
  type Score,
  type TaskResult,
} from './runner.js'
export { Scorer, type ScorerOptions, type TokenScores } from './scorer.js'
export { resultsTable } from './table.js'
export type { Doc, ExactMatchOptions, OutputType, Target, Task } from './task.js'
export { parseJsonLines, questionsTask, readTask, type TaskFile, taskFields } from './task-file.js'
export { bundledTask, taskNames } from './tasks/index.js'
