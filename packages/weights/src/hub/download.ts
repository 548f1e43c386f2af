/**
 * Downloads from the hub into a cache on disk, laid out as huggingface_hub does: `blobs/` by hash, `snapshots/COMMIT/`
 * with links to them, `refs/` from revision to commit. Node only.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { WeightsError } from '../errors.js'
import { isPassing, retried } from '../retry.js'
import {
  chooseFiles,
  fileUrl,
  type HubFile,
  type HubOptions,
  type HubRepo,
  listRepo,
  parseHubSpec,
  request,
} from './repo.js'

export interface DownloadProgress {
  readonly file: string
  /** Bytes of this file on disk, and in all; the same while the server does not say how many there are. */
  readonly loaded: number
  readonly total: number
  /** Which file of how many, from 1. */
  readonly index: number
  readonly count: number
}

export interface DownloadOptions extends HubOptions {
  /** Default: CRIA_CACHE, else `~/.cache/cria`. */
  readonly cache?: string
  /** Use only what the cache holds. Default: whether HF_HUB_OFFLINE is 1. */
  readonly offline?: boolean
  readonly onProgress?: (progress: DownloadProgress) => void
}

/** Options with what the environment says filled in. */
function withEnvironment(
  options: DownloadOptions,
): DownloadOptions & { readonly cache: string; readonly offline: boolean } {
  const { CRIA_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE } = process.env
  const endpoint = options.endpoint ?? HF_ENDPOINT?.replace(/\/+$/, '')
  const token = options.token ?? HF_TOKEN
  return {
    ...options,
    cache: options.cache ?? CRIA_CACHE ?? join(homedir(), '.cache', 'cria'),
    offline: options.offline ?? HF_HUB_OFFLINE === '1',
    ...(endpoint ? { endpoint } : {}),
    ...(token ? { token } : {}),
  }
}

/**
 * Fetches a model of the hub, unless the cache has it, and returns its path: a folder, or a file for GGUF.
 *
 * Interrupted downloads go on where they stopped; every file is checked against the hash the hub announces. Without a
 * connection a model that is in the cache is used as it is.
 *
 * @param spec `hf:owner/repo[@revision][:file]`
 * @throws WeightsError `network`, `missing`, `checksum`, `aborted`, `argument`
 * @example
 * const path = await downloadModel('hf:HuggingFaceTB/SmolLM2-135M-Instruct', { onProgress: p => console.log(p) })
 * const model = await openModelAt(path)
 */
export async function downloadModel(spec: string, options: DownloadOptions = {}): Promise<string> {
  const { id, revision, file } = parseHubSpec(spec)
  const all = withEnvironment(options)
  const root = join(all.cache, `models--${id.replace('/', '--')}`)
  const reference = join(root, 'refs', revision.replaceAll('/', '--'))
  const cached = await cachedPath(root, reference, id, file)
  if (all.offline) {
    if (cached !== undefined) return cached
    throw new WeightsError(
      'missing',
      `hub: ${spec} is not in the cache ${all.cache}, and downloads are off. Unset HF_HUB_OFFLINE`,
    )
  }
  let repo: HubRepo
  try {
    // Who has the model should not wait for a hub that cannot be reached.
    repo = await listRepo({ id, revision }, cached === undefined ? all : { ...all, attempts: 1 })
  } catch (error) {
    if (cached === undefined || !isPassing(error)) throw error
    return cached
  }
  const { main, files } = chooseFiles(repo, file)
  const snapshot = join(root, 'snapshots', repo.commit)
  for (const [i, entry] of files.entries()) {
    const place = { index: i + 1, count: files.length }
    await fetchFile(repo, entry, root, snapshot, all, (loaded, total) =>
      all.onProgress?.({ file: entry.path, loaded, total, ...place }),
    )
  }
  await mkdir(dirname(reference), { recursive: true })
  await writeFile(reference, repo.commit)
  // Written last: a snapshot with this file is whole, for this choice of files.
  await writeFile(join(snapshot, completeMark(main)), JSON.stringify({ main, files: files.map(f => f.path) }))
  return pathOf(snapshot, main)
}

const completeMark = (main: string): string => `.complete-${main.replaceAll('/', '--')}.json`

/** GGUF is one file; a checkpoint is the folder it lies in. */
const pathOf = (snapshot: string, main: string): string =>
  /\.gguf$/i.test(main) ? join(snapshot, main) : dirname(join(snapshot, main))

/** The path of a whole earlier download that answers the same question. */
async function cachedPath(
  root: string,
  reference: string,
  id: string,
  wanted: string | undefined,
): Promise<string | undefined> {
  try {
    const commit = (await readFile(reference, 'utf8')).trim()
    const snapshot = join(root, 'snapshots', commit)
    const files: HubFile[] = []
    for (const mark of (await readdir(snapshot)).filter(name => name.startsWith('.complete-'))) {
      const complete = JSON.parse(await readFile(join(snapshot, mark), 'utf8')) as { files: string[] }
      for (const path of complete.files)
        files.push({ path, bytes: (await stat(join(snapshot, path))).size, sha256: undefined, gitSha1: undefined })
    }
    return files.length === 0 ? undefined : pathOf(snapshot, chooseFiles({ id, commit, files }, wanted).main)
  } catch (error) {
    if (error instanceof WeightsError && error.code === 'argument') throw error
    return undefined
  }
}

type Report = (loaded: number, total: number) => void

async function fetchFile(
  repo: HubRepo,
  file: HubFile,
  root: string,
  snapshot: string,
  options: DownloadOptions,
  report: Report,
): Promise<void> {
  const target = join(snapshot, file.path)
  const known = await sizeOf(target)
  if (known !== undefined && (file.bytes < 0 || known === file.bytes)) {
    report(known, known)
    return
  }
  const hash = file.sha256 ?? file.gitSha1
  const blob = join(root, 'blobs', hash ?? `${repo.commit}-${file.path.replaceAll('/', '--')}`)
  await mkdir(join(root, 'blobs'), { recursive: true })
  if ((await sizeOf(blob)) === undefined) {
    const partial = `${blob}.incomplete`
    await retried(options, async () => {
      await append(repo, file, partial, options, report)
      await verify(file, partial)
    })
    await rm(etagFile(partial), { force: true })
    await rename(partial, blob)
  }
  await mkdir(dirname(target), { recursive: true })
  await rm(target, { force: true })
  try {
    await symlink(relative(dirname(target), blob), target)
  } catch {
    await copyFile(blob, target) // file systems and accounts without symbolic links
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch {
    return undefined
  }
}

/** Beside a partial file without a known hash: the server's tag for its content. */
const etagFile = (partial: string): string => `${partial}.etag`

/**
 * How to ask for the rest. The hash tells whether the parts belong together; where the hub announces none, the server
 * must promise it by the tag of the first part, or all is fetched anew.
 */
async function restOf({ sha256, gitSha1 }: HubFile, partial: string, have: number): Promise<Record<string, string>> {
  if (have === 0) return {}
  const range = { Range: `bytes=${have}-` }
  if (sha256 ?? gitSha1) return range
  const etag = await readFile(etagFile(partial), 'utf8').catch(() => '')
  return etag === '' ? {} : { ...range, 'If-Range': etag }
}

/** Goes on with a partial download, or starts one. */
async function append(
  repo: HubRepo,
  file: HubFile,
  partial: string,
  options: DownloadOptions,
  report: Report,
): Promise<void> {
  const known = file.bytes >= 0
  let have = (await sizeOf(partial)) ?? 0
  if (known && have > file.bytes) {
    await rm(partial)
    have = 0
  }
  if (known && have === file.bytes && have > 0) return
  const url = fileUrl(repo, file.path, options)
  const rest = await restOf(file, partial, have)
  // Ranges count bytes as they are sent: no compression on the way.
  const response = await request(url, { 'Accept-Encoding': 'identity', ...rest }, options)
  if (response.status === 416) {
    await response.body?.cancel()
    // Of a file of unknown size every byte may be here already; the server then says how many there are.
    if (!known && response.headers.get('content-range') === `bytes */${have}`) return
    await rm(partial, { force: true })
    throw new WeightsError('network', `hub: ${file.path}: got no bytes after ${have}. Starting again`)
  }
  const resumed = response.status === 206
  const range = response.headers.get('content-range')
  if (resumed && !range?.startsWith(`bytes ${have}-`)) {
    await response.body?.cancel()
    throw new WeightsError('network', `hub: ${file.path}: got range "${range}", expected bytes from ${have}`)
  }
  if (!resumed) have = 0
  const announced = response.headers.get('content-length')
  const total = known ? file.bytes : announced === null ? undefined : have + Number(announced)
  if (!resumed) await noteTag(file, partial, response)
  const handle = await open(partial, resumed ? 'a' : 'w')
  try {
    report(have, total ?? have)
    for await (const chunk of response.body ?? []) {
      await handle.write(chunk as Uint8Array)
      have += (chunk as Uint8Array).length
      if (known && have > file.bytes) {
        throw new WeightsError('checksum', `hub: ${file.path}: got more than the announced ${file.bytes} bytes`, {
          got: have,
          expected: file.bytes,
        })
      }
      report(have, total ?? have)
    }
  } catch (cause) {
    if (cause instanceof WeightsError) throw cause
    if (options.signal?.aborted)
      throw new WeightsError(
        'aborted',
        `hub: ${file.path}: aborted after ${have} bytes; a later call goes on from there`,
        { cause },
      )
    throw new WeightsError('network', `hub: ${file.path}: broke off after ${have} bytes: ${String(cause)}`, { cause })
  } finally {
    await handle.close()
  }
  if (total !== undefined && have < total) {
    throw new WeightsError('network', `hub: ${file.path}: got ${have} bytes, expected ${total}`, { expected: total })
  }
}

/** Weak tags promise no equal bytes. */
async function noteTag({ sha256, gitSha1 }: HubFile, partial: string, response: Response): Promise<void> {
  const etag = response.headers.get('etag')
  if (sha256 ?? gitSha1) return
  if (etag === null || etag.startsWith('W/')) await rm(etagFile(partial), { force: true })
  else await writeFile(etagFile(partial), etag)
}

/** Compares a finished file with the announced hash; a wrong one is removed, so that the next attempt starts anew. */
async function verify({ path, bytes, sha256, gitSha1 }: HubFile, partial: string): Promise<void> {
  const expected = sha256 ?? gitSha1
  if (expected === undefined) return
  const hash: Hash = createHash(sha256 ? 'sha256' : 'sha1')
  if (!sha256) hash.update(`blob ${bytes}\0`)
  for await (const chunk of createReadStream(partial)) hash.update(chunk as Uint8Array)
  const got = hash.digest('hex')
  if (got === expected) return
  await rm(partial, { force: true })
  throw new WeightsError(
    'checksum',
    `hub: ${path}: got hash ${got}, expected ${expected}. The download is damaged: try again`,
    { got, expected },
  )
}
