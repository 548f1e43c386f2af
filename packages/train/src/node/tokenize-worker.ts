/** The worker of `tokenize()`: gets the tokenizer once, then batches of documents. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { fromCompact } from '@cria/tokenizer'
import type { Form } from './documents.js'
import { type EncodeSettings, encodeDocuments } from './encode.js'

/** Answers batches of documents until the thread is ended. */
function serve(
  port: MessagePort,
  { tokenizer: bytes, settings }: { tokenizer: Uint8Array; settings: EncodeSettings },
): void {
  const tokenizer = fromCompact(bytes)
  port.on('message', ({ id, documents }: { id: number; documents: readonly Form[] }) => {
    try {
      const encoded = encodeDocuments(tokenizer, documents, settings)
      const { ids, lengths, counted } = encoded
      port.postMessage({ id, encoded }, [
        ids.buffer,
        lengths.buffer,
        ...(counted ? [counted.buffer] : []),
      ] as ArrayBuffer[])
    } catch (error) {
      port.postMessage({ id, error: (error as Error).message })
    }
  })
}

// Imported by hand, outside a worker, it does nothing.
if (parentPort && workerData) serve(parentPort, workerData)
