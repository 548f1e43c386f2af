/** `cria start`, behind `npm start`: a story from the model in the box, or from another. */
import { bundledModel } from '../model.js'
import { type RunOptions, run } from './run.js'

export interface StartOptions extends Omit<RunOptions, 'prompt'> {
  readonly model?: string
  readonly prompt?: string
}

/** The bundled model says itself when a story is over; another may go on until its window is full. */
export const start = ({ model = bundledModel, prompt = 'Once upon a time', ...options }: StartOptions): Promise<void> =>
  run(model, { ...(model !== bundledModel && { maxTokens: 200 }), ...options, prompt })
