/** What every model file looks like from outside, whatever its format. */
import type { FileDType } from './dtype.js'

export interface TensorInfo {
  readonly name: string
  /** Row-major, outermost axis first (GGUF's own order is the reverse). */
  readonly shape: readonly number[]
  readonly dtype: FileDType
  /** Length of the data. */
  readonly bytes: number
  /** Where the data starts in its file; 0 for tensors put together from several places. */
  readonly offset: number
  /** Name of the file that holds it, when the model has several. */
  readonly file?: string
}

export type WeightFormat = 'gguf' | 'safetensors' | 'pytorch' | 'meta' | 'llama2c'

/** How tensors are called: by Hugging Face, by llama.cpp, by Meta. llama2.c files are given HF names. */
export type Naming = 'hf' | 'gguf' | 'meta'

export interface WeightFile {
  readonly format: WeightFormat
  readonly naming: Naming
  /** The file's own metadata: GGUF keys, safetensors' `__metadata__`, llama2.c's header. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** The bytes of a tensor, little-endian, row-major. May be a view of a larger buffer: copy before changing. */
  read(name: string): Promise<Uint8Array>
  /** Where the bytes lie in a plain file, for native mapping; `undefined` when they do not lie in one piece. */
  location(name: string): TensorLocation | undefined
  close(): Promise<void>
}

export interface TensorLocation {
  readonly path: string
  readonly offset: number
  readonly bytes: number
}
