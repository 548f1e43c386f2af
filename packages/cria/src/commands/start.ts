/** `cria start`, behind `npm start`: a story from the default model. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { modelFolders } from '../model.js'
import { note } from '../output.js'
import { type RunOptions, run } from './run.js'

export interface StartOptions extends Omit<RunOptions, 'prompt'> {
  readonly model?: string
  readonly prompt?: string
}

const hubModel = 'hf:HuggingFaceTB/SmolLM2-135M-Instruct'

export async function start({ model, prompt = 'Once upon a time', ...options }: StartOptions): Promise<void> {
  const name = model ?? findLocal()
  if (name !== undefined) return run(name, { maxTokens: 200, ...options, prompt })
  note(`no model in ${modelFolders().join(', ') || 'CRIA_MODELS or ./models'}: downloading ${hubModel}`)
  try {
    await run(hubModel, { maxTokens: 200, ...options, prompt })
  } catch (error) {
    if (error instanceof Error && 'code' in error && /network|offline|missing/.test(String(error.code))) {
      throw new UsageError(
        `start: got no model in the local folder and no way to ${hubModel} (${error.message}). Put a .gguf file into ./models, or run npm start -- --model PATH`,
      )
    }
    throw error
  }
}

/** The first GGUF (or a llama2.c model with its tokenizer) in the local model folders. */
function findLocal(): string | undefined {
  for (const folder of modelFolders()) {
    const files = readdirSync(folder).sort()
    const found = files.find(f => f.endsWith('.gguf')) ?? files.find(f => existsSync(join(folder, f, 'config.json')))
    if (found !== undefined) return join(folder, found)
  }
  return undefined
}
