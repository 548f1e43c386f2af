/** Saving and restoring a session: tokens, keys and values, with a fingerprint so that no other model takes them. */
import { byteLength, CriaError, isTensor, parameters, spec } from '@cria/tensor'
import { cacheRowBytes, KVCache } from './cache.js'
import type { CacheDType, LlamaConfig } from './config.js'
import type { Llama } from './llama.js'
import { Session, type SessionOptions } from './session.js'

/** A saved session that cannot be restored here, or a model that nothing can be saved under. */
export class StateError extends CriaError {
  constructor(message: string, got?: unknown, expected?: unknown, op = 'restore') {
    super('state', message, { op, got, expected })
  }
}

const magic = 'cria-session-4\n'

interface Header {
  readonly fingerprint: string
  readonly dtype: CacheDType
  readonly capacity: number
  readonly tokens: readonly number[]
  /** SHA-256 of all of the above and the rows of the cache: damage would give wrong answers, not errors. */
  readonly digest: string
}

/**
 * Identifies a model: SHA-256 over its configuration and the names, shapes, dtypes and all bytes of its tensors. Weights
 * that training has moved give another one, so it is computed anew each time, from weights read back in pieces: 0.9 s
 * for 620 MB of Q4_0 on one CPU core.
 *
 * @throws StateError for a model with a `forward` put in from outside: what an adapter makes of it does not follow from
 * its own weights, and nothing tells that from `recomputeBlocks`, whose does.
 */
export async function fingerprint(model: Llama): Promise<string> {
  const path = adaptedModule(model)
  if (path !== undefined)
    throw new StateError(
      `fingerprint: got a model with another forward() at ${path} than its own (an adapter is attached, or blocks are recomputed for training), expected one that computes from its weights alone. Merge the adapter, take it or recomputeBlocks away, or evaluate without a cache`,
      path,
      undefined,
      'fingerprint',
    )
  const digests = [sha256(utf8(JSON.stringify(model.config)))]
  let previous: Promise<string> | undefined
  for (const [name, t] of Object.entries(parameters(model))) {
    digests.push(sha256(utf8(`${name}:${t.dtype}:${t.shape}`)))
    const { buf } = t.storage('fingerprint')
    const all = byteLength(t)
    // Block formats are read by whole rows.
    const row = byteLength(spec(t.dtype, t.shape.slice(-1)))
    const piece = Math.max(1, Math.floor(pieceBytes / row)) * row
    for (let at = 0; at < all; at += piece) {
      const bytes = await model.device.backend.read(buf, at, Math.min(piece, all - at))
      // One piece is hashed while the next is read; more would fill the memory.
      await previous
      previous = sha256(bytes)
      digests.push(previous)
    }
  }
  return sha256(utf8((await Promise.all(digests)).join()))
}

/** Path of the first module whose own `forward` is not that of its class: adapters and `recomputeBlocks` put theirs there. */
function adaptedModule(root: object): string | undefined {
  const seen = new Set<object>()
  const find = (value: unknown, path: string): string | undefined => {
    if (typeof value !== 'object' || value === null || isTensor(value) || seen.has(value)) return undefined
    seen.add(value)
    const { forward } = Object.getPrototypeOf(value) ?? {}
    if (typeof forward === 'function' && (value as { forward: unknown }).forward !== forward) return path || 'its top'
    for (const [field, part] of Object.entries(value)) {
      // As `parameters` goes: what begins with an underscore is no part of the module; nor is the device.
      if (field.startsWith('_') || field === 'device') continue
      const found = find(part, path === '' ? field : `${path}.${field}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return find(root, '')
}

/** So many that the matrices of a 7B are one piece: a backend may unpack a whole matrix to read any of its rows. */
const pieceBytes = 64 << 20

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as BufferSource)
  return Array.from(new Uint8Array(digest), b => b.toString(16).padStart(2, '0')).join('')
}

async function digestOf(
  { fingerprint, dtype, capacity, tokens }: Omit<Header, 'digest'>,
  rows: Uint8Array,
): Promise<string> {
  return sha256(utf8(JSON.stringify([fingerprint, dtype, capacity, tokens, await sha256(rows)])))
}

/** The whole state of a session as bytes: a header line of JSON, then the rows of the cache. */
export function saveSession(session: Session): Promise<Uint8Array> {
  return session.alone('saveSession', () => save(session))
}

async function save({ cache, model, tokens }: Session): Promise<Uint8Array> {
  const body = join(await cache.rows())
  const about = { fingerprint: await fingerprint(model), dtype: cache.dtype, capacity: cache.capacity, tokens }
  const header: Header = { ...about, digest: await digestOf(about, body) }
  return join([utf8(`${magic}${JSON.stringify(header)}\n`), body])
}

/**
 * A session as it was saved; the next logits equal those it would have given.
 *
 * @throws StateError for bytes that are no session, were cut short, or come from another model.
 */
export async function restoreSession(
  model: Llama,
  bytes: Uint8Array,
  options: Omit<SessionOptions, 'dtype'> = {},
): Promise<Session> {
  const { header, body } = parse(bytes)
  const own = await fingerprint(model)
  if (header.fingerprint !== own)
    throw new StateError(
      'restore: got a session of another model, expected one saved from this one. Load the model it was saved with',
      header.fingerprint,
      own,
    )
  const capacity = options.capacity ?? header.capacity
  const { tokens } = header
  await checkSizes(model.config, header, body, capacity, options.capacity !== undefined)
  const cache = new KVCache(model.device, model.config, { capacity, dtype: header.dtype })
  const size = tokens.length * cache.rowBytes
  cache.fill(
    Array.from({ length: model.config.numHiddenLayers * 2 }, (_, i) => body.subarray(i * size, (i + 1) * size)),
    tokens.length,
  )
  const session = new Session(model, { ...options, capacity }, cache)
  session.adopt(tokens)
  return session
}

/** Everything that could be wrong, before any of it is allocated. */
async function checkSizes(
  config: LlamaConfig,
  header: Header,
  body: Uint8Array,
  capacity: number,
  asked: boolean,
): Promise<void> {
  const { tokens, dtype } = header
  if (tokens.length > capacity)
    throw new StateError(
      `restore: got ${tokens.length} tokens, expected at most the capacity of ${capacity}. Raise it`,
      tokens.length,
      capacity,
    )
  if (!asked && capacity > config.maxPositionEmbeddings)
    throw new StateError(
      `restore: got a capacity of ${capacity}, expected at most the model's ${config.maxPositionEmbeddings}. Give the capacity if so much is meant`,
      capacity,
      config.maxPositionEmbeddings,
    )
  const stranger = tokens.find(t => t >= config.vocabSize)
  if (stranger !== undefined)
    throw new StateError(`restore: got token ${stranger}, expected less than ${config.vocabSize}`, stranger)
  const expected = tokens.length * cacheRowBytes(config, dtype) * config.numHiddenLayers * 2
  if (body.byteLength !== expected)
    throw new StateError(
      `restore: got ${body.byteLength} bytes of cache, expected ${expected}. The file is cut short or damaged`,
      body.byteLength,
      expected,
    )
  const own = await digestOf(header, body)
  if (own !== header.digest)
    throw new StateError(
      'restore: got tokens and a cache with another hash, expected that of the header. The file is damaged',
      own,
      header.digest,
    )
}

function parse(bytes: Uint8Array): { header: Header; body: Uint8Array } {
  const start = new TextDecoder().decode(bytes.subarray(0, magic.length))
  const end = start === magic ? bytes.indexOf(10, magic.length) : -1
  if (end < 0) {
    const got = start.startsWith('cria-session-') ? 'a session of another version of cria' : 'bytes that are no session'
    throw new StateError(`restore: got ${got}, expected what saveSession() of this version gave`)
  }
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(magic.length, end)))
  } catch (cause) {
    throw Object.assign(new StateError('restore: got a damaged header, expected what saveSession() gave'), { cause })
  }
  return { header: checked(header), body: bytes.subarray(end + 1) }
}

function checked(value: unknown): Header {
  const h = value as Partial<Header> | null
  const whole = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0
  if (
    typeof h?.fingerprint === 'string' &&
    typeof h.digest === 'string' &&
    ['f32', 'f16', 'bf16', 'q8_0'].includes(h.dtype ?? '') &&
    whole(h.capacity) &&
    h.capacity > 0 &&
    Array.isArray(h.tokens) &&
    h.tokens.every(whole)
  )
    return h as Header
  throw new StateError('restore: got a damaged header, expected what saveSession() gave')
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((a, p) => a + p.byteLength, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.byteLength
  }
  return out
}
