/** A repository on the Hugging Face hub: what it holds, and its files as byte ranges. Safe in browsers. */
import { corrupt, WeightsError } from '../errors.js'
import { isLaterPart, splitNames } from '../gguf/split.js'
import { httpSource } from '../http.js'
import { parseJson } from '../json.js'
import type { Folder } from '../open.js'
import { retried, waitOf } from '../retry.js'

export interface HubOptions {
  /** Default `https://huggingface.co`; the command line takes it from HF_ENDPOINT. */
  readonly endpoint?: string
  /** Access token for gated and private repositories; the command line takes it from HF_TOKEN. */
  readonly token?: string
  readonly signal?: AbortSignal
  /** Attempts for one request or file, a file going on where the last broke off; default 5. */
  readonly attempts?: number
  readonly fetch?: typeof fetch
}

export interface HubFile {
  readonly path: string
  readonly bytes: number
  /** SHA-256 of the content for large files, `undefined` for those kept in git itself. */
  readonly sha256: string | undefined
  /** Git's blob id: SHA-1 of a header and the content. */
  readonly gitSha1: string | undefined
}

export interface HubRepo {
  readonly id: string
  /** The commit that the revision stood for; files are fetched by it, so that they all belong together. */
  readonly commit: string
  readonly files: readonly HubFile[]
}

/** `hf:owner/repo[@revision][:file]` in its parts. */
export interface HubSpec {
  readonly id: string
  readonly revision: string
  readonly file: string | undefined
}

const segment = '[A-Za-z0-9][A-Za-z0-9._-]*'
const specPattern = new RegExp(`^hf:(${segment}/${segment})(?:@([A-Za-z0-9][A-Za-z0-9._/-]*))?(?::(.+))?$`)

/**
 * Parses `hf:owner/repo[@revision][:file]`.
 *
 * @example parseHubSpec('hf:bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_0') // { id, revision: 'main', file: 'Q4_0' }
 */
export function parseHubSpec(spec: string): HubSpec {
  const parts = specPattern.exec(spec)
  if (!parts || spec.includes('..')) {
    throw new WeightsError(
      'argument',
      `hub: got "${spec}", expected hf:owner/repo, with an optional @revision and :file`,
      { got: spec },
    )
  }
  return { id: parts[1]!, revision: parts[2] ?? 'main', file: parts[3] }
}

export const defaultEndpoint = 'https://huggingface.co'

export const authorization = (options: HubOptions): Record<string, string> =>
  options.token ? { Authorization: `Bearer ${options.token}` } : {}

export const fileUrl = (repo: { id: string; commit: string }, file: string, options: HubOptions): string =>
  `${options.endpoint ?? defaultEndpoint}/${repo.id}/resolve/${repo.commit}/${file.split('/').map(encodeURIComponent).join('/')}`

/** A request to the hub whose failure says what to do about it. */
export async function request(url: string, headers: Record<string, string>, options: HubOptions): Promise<Response> {
  let response: Response
  try {
    response = await (options.fetch ?? fetch)(url, {
      headers: { ...authorization(options), ...headers },
      ...(options.signal ? { signal: options.signal } : {}),
    })
  } catch (cause) {
    if (options.signal?.aborted) throw new WeightsError('aborted', 'hub: aborted', { cause })
    const reason = (cause as { cause?: { code?: string } }).cause?.code ?? String(cause)
    throw new WeightsError(
      'network',
      `hub: ${url}: ${reason}. Check the connection, HF_ENDPOINT, or use a model on disk`,
      { cause },
    )
  }
  // 416 answers whoever asks for what comes after the last byte: the caller's matter.
  if (response.ok || (response.status === 416 && 'Range' in headers)) return response
  await response.body?.cancel()
  throw new WeightsError(
    response.status === 404 ? 'missing' : 'network',
    `hub: ${url}: got status ${response.status}. ${fixes[response.status] ?? 'Try again later'}`,
    { got: response.status, ...waitOf(response) },
  )
}

/** The whole body; one that breaks off is a `network` error like any other. */
async function received(url: string, { signal }: HubOptions, response: Response): Promise<ArrayBuffer> {
  try {
    return await response.arrayBuffer()
  } catch (cause) {
    if (signal?.aborted) throw new WeightsError('aborted', 'hub: aborted', { cause })
    throw new WeightsError('network', `hub: ${url}: the answer broke off: ${String(cause)}`, { cause })
  }
}

const gated = 'The repository is gated or private: accept its terms on the site and set HF_TOKEN'
const fixes: Readonly<Record<number, string>> = {
  401: gated,
  403: gated,
  404: 'Check the names of repository, revision and file',
  429: 'The hub limits requests: wait some minutes, or set HF_TOKEN',
}

/** Lists a repository at a revision. */
export async function listRepo(spec: Pick<HubSpec, 'id' | 'revision'>, options: HubOptions = {}): Promise<HubRepo> {
  const url = `${options.endpoint ?? defaultEndpoint}/api/models/${spec.id}/revision/${encodeURIComponent(spec.revision)}?blobs=true`
  const bytes = await retried(options, async () => {
    const response = await request(url, {}, options)
    return new Uint8Array(await received(url, options, response))
  })
  const json = parseJson(url, bytes) as { sha?: unknown; siblings?: unknown } | null
  if (typeof json?.sha !== 'string' || !/^[0-9a-f]{6,64}$/.test(json.sha) || !Array.isArray(json.siblings)) {
    throw corrupt(url, 'got an answer without commit and files')
  }
  const files = json.siblings.map((raw): HubFile => {
    const sibling = (raw ?? {}) as {
      rfilename?: unknown
      size?: unknown
      blobId?: unknown
      lfs?: { sha256?: unknown; size?: unknown } | null
    }
    const path = sibling.rfilename
    if (
      typeof path !== 'string' ||
      !/^[^/\\\0][^\\\0]*$/.test(path) ||
      path.split('/').some(part => part === '' || part === '.' || part === '..')
    ) {
      throw corrupt(url, `got the file name ${JSON.stringify(path)}`)
    }
    const hex = (value: unknown, length: number): string | undefined =>
      typeof value === 'string' && value.length === length && /^[0-9a-f]+$/.test(value) ? value : undefined
    return {
      path,
      bytes: Number(sibling.lfs?.size ?? sibling.size ?? -1),
      sha256: hex(sibling.lfs?.sha256, 64),
      gitSha1: hex(sibling.blobId, 40),
    }
  })
  return { id: spec.id, commit: json.sha, files }
}

/**
 * A repository as a folder whose files are read by ranges: inspects a model, or loads it, without a download.
 *
 * @example
 * const folder = await hubFolder('hf:HuggingFaceTB/SmolLM2-135M-Instruct')
 * const model = await openModel(folder)
 */
export async function hubFolder(spec: string, options: HubOptions = {}): Promise<Folder> {
  const parsed = parseHubSpec(spec)
  const repo = await listRepo(parsed, options)
  return {
    name: spec,
    files: repo.files.map(file => file.path),
    open: file =>
      httpSource(fileUrl(repo, file, options), {
        headers: authorization(options),
        ...(options.signal ? { signal: options.signal } : {}),
        ...(options.fetch ? { fetch: options.fetch } : {}),
      }),
  }
}

const companions =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|params)\.json$|^tokenizer\.model$|^chat_template\.jinja$/

/**
 * The files of a repository that make one model: weights (safetensors before PyTorch before GGUF), configuration and
 * tokenizer.
 *
 * @param wanted a file's name, or a part of it that only one has (`Q4_0`)
 */
export function chooseFiles(repo: HubRepo, wanted: string | undefined): { main: string; files: HubFile[] } {
  const names = repo.files.map(file => file.path)
  const main = wanted === undefined ? mainFile(repo.id, names) : namedFile(repo.id, names, wanted)
  const folder = main.includes('/') ? main.slice(0, main.lastIndexOf('/') + 1) : ''
  const parts = splitNames(main)
  const belongs = (path: string): boolean => {
    if (path === main) return true
    if (!path.startsWith(folder) || path.slice(folder.length).includes('/')) return false
    const name = path.slice(folder.length)
    if (parts?.includes(path)) return true
    if (/\.gguf$/i.test(main)) return false
    if (companions.test(name)) return true
    const base = main.slice(folder.length)
    if (base === 'model.safetensors.index.json') return /^model-\d+-of-\d+\.safetensors$/.test(name)
    if (base === 'pytorch_model.bin.index.json') return /^pytorch_model-\d+-of-\d+\.bin$/.test(name)
    return /^consolidated\.\d\d\.pth$/.test(base) && /^consolidated\.\d\d\.pth$/.test(name)
  }
  return { main, files: repo.files.filter(file => belongs(file.path)) }
}

function mainFile(id: string, names: readonly string[]): string {
  for (const name of [
    'model.safetensors.index.json',
    'model.safetensors',
    'pytorch_model.bin.index.json',
    'pytorch_model.bin',
    'consolidated.00.pth',
  ]) {
    if (names.includes(name)) return name
  }
  const gguf = names.filter(name => /\.gguf$/i.test(name) && !isLaterPart(name))
  if (gguf.length === 1) return gguf[0]!
  throw new WeightsError(
    gguf.length ? 'argument' : 'missing',
    gguf.length
      ? `hub: ${id} holds ${gguf.length} GGUF files. Name one: hf:${id}:FILE, FILE being one of ${gguf.slice(0, 12).join(', ')}`
      : `hub: ${id} holds no weights in safetensors, PyTorch or GGUF format`,
    { got: gguf },
  )
}

function namedFile(id: string, names: readonly string[], wanted: string): string {
  if (names.includes(wanted)) return wanted
  const part = wanted.toLowerCase()
  const weights = names.filter(name => /\.(gguf|safetensors|bin|pth)$/i.test(name) && !isLaterPart(name))
  // `Q4_K` must not mean `Q4_K_M`: whole words first.
  const word = new RegExp(`(^|[^a-z0-9_])${part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}([^a-z0-9_]|$)`)
  const exact = weights.filter(name => word.test(name.toLowerCase()))
  const found = exact.length > 0 ? exact : weights.filter(name => name.toLowerCase().includes(part))
  if (found.length === 1) return found[0]!
  throw new WeightsError(
    found.length ? 'argument' : 'missing',
    `hub: got file "${wanted}", which ${found.length ? `${found.length} files of ${id} match: ${found.slice(0, 12).join(', ')}` : `no file of ${id} matches: ${weights.slice(0, 12).join(', ')}`}`,
    { got: wanted },
  )
}
