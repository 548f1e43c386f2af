/** `cria start`, behind `npm start`: a story from the model in the box, or from another. */
import { bundledModel, opening } from '../resolve.js'
import { type RunOptions, run } from './run.js'

export interface StartOptions extends RunOptions {
  readonly model?: string
}

/** The bundled model says itself when a story is over; another may go on until its window is full. */
export const start = ({ model = bundledModel, prompt = opening, ...options }: StartOptions): Promise<void> =>
  run(model, { ...(model !== bundledModel && { maxTokens: 200 }), ...options, prompt })
