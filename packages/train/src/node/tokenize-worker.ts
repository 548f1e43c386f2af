/** The worker of `tokenize()`: gets the tokenizer once, then batches of documents. */
import { parentPort, workerData } from 'node:worker_threads'
import { fromCompact } from '@cria/tokenizer'
import type { Document } from './documents.js'
import { type EncodeSettings, encodeDocuments } from './encode.js'

const { tokenizer: bytes, settings } = workerData as { tokenizer: Uint8Array; settings: EncodeSettings }
const tokenizer = fromCompact(bytes)
parentPort!.on('message', ({ id, documents }: { id: number; documents: readonly Document[] }) => {
  try {
    const encoded = encodeDocuments(tokenizer, documents, settings)
    const { ids, lengths, counted } = encoded
    parentPort!.postMessage({ id, encoded }, [
      ids.buffer,
      lengths.buffer,
      ...(counted ? [counted.buffer] : []),
    ] as ArrayBuffer[])
  } catch (error) {
    parentPort!.postMessage({ id, error: (error as Error).message })
  }
})
