/** What a model says of itself through any folder, and how broken sources end; the same in Node and in a page. */
import { blobFolder, type Folder, hubFolder, openModel, WeightsError } from '../src/index.js'

/** The endpoint of a hub with `owner/repo`, and its files. */
export interface Hub {
  readonly endpoint: string
  readonly files: readonly string[]
}

export async function everywhere({ endpoint, files }: Hub): Promise<Record<string, unknown>> {
  const hub = await hubFolder('hf:owner/repo', { endpoint })
  const whole: File[] = []
  for (const file of files) {
    const source = await hub.open(file)
    whole.push(new File([(await source.read(0, source.size)) as BlobPart], file))
  }
  const cut = whole.map(f => new File([f.slice(0, Math.floor(f.size * 0.9))], f.name))
  return {
    byRanges: await digest(hub),
    byBlobs: await digest(blobFolder(whole)),
    gguf: await digest(blobFolder(whole), 'model.gguf'),
    cut: await codeOf(digest(blobFolder(cut), 'model.gguf')),
    cutSafetensors: await codeOf(digest(blobFolder(cut), 'model.safetensors')),
    empty: await codeOf(digest(blobFolder([new File([], 'model.gguf')]))),
    none: await codeOf(hubFolder('hf:owner/none', { endpoint })),
    missing: await codeOf(hub.open('nowhere.gguf')),
  }
}

/** SHA-256 over the bytes of all tensors. */
async function digest(folder: Folder, file?: string): Promise<string> {
  const { weights, config } = await openModel(folder, file)
  const hashes: string[] = [JSON.stringify(config)]
  for (const name of [...weights.tensors.keys()].sort())
    hashes.push(name, await sha256((await weights.read(name)) as Uint8Array<ArrayBuffer>))
  return sha256(new TextEncoder().encode(hashes.join('\n')))
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', bytes)
  return Array.from(new Uint8Array(hash), b => b.toString(16).padStart(2, '0')).join('')
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    return `opened: ${String(await work)}`
  } catch (error) {
    return error instanceof WeightsError ? error.code : `untyped: ${String(error)}`
  }
}
