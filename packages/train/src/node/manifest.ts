/** `checkpoint.json`: what a checkpoint is, checked before anything in it is believed. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Position } from '../data/rows.js'
import { CheckpointError } from '../errors.js'
import type { StepState } from '../step.js'
import { type FileRecord, isFileRecord, recordOf } from './files.js'
import { isCount, isObject, isPlainName } from './shape.js'

/** `checkpoint.json`. */
export interface CheckpointManifest {
  readonly format: 'cria-checkpoint'
  /** 1 had no `sha256`. */
  readonly version: 1 | 2
  readonly step: number
  readonly state: StepState
  readonly data: Position
  readonly score: number | null
  readonly notes: Position
  readonly run: Position
  /** Node, system and device that wrote it: other ones resume, but not bit for bit. */
  readonly versions: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, FileRecord>>
  /** Of the manifest without this entry, as JSON without spaces. */
  readonly sha256?: string
}

export const manifestName = 'checkpoint.json'
export const weightsName = 'model.safetensors'
export const optimiserName = 'optimizer.safetensors'
export const averagesName = 'ema.safetensors'
/** In a checkpoint's folder these are ours. */
export const ownNames: readonly string[] = [weightsName, optimiserName, averagesName, manifestName]

export const folderOf = (step: number): string => `step-${String(step).padStart(8, '0')}`

/** The text of a manifest, with the hash over the rest of it. */
export function manifestText(manifest: Omit<CheckpointManifest, 'format' | 'version' | 'sha256'>): string {
  const whole = { format: 'cria-checkpoint', version: 2, ...manifest }
  return `${JSON.stringify({ ...whole, sha256: hashOf(whole) }, null, 2)}\n`
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/**
 * Reads a checkpoint's manifest and every file it names.
 *
 * @throws CheckpointError naming the file that is missing, cut short or changed.
 */
export async function verifyCheckpoint(path: string): Promise<CheckpointManifest> {
  const manifest = await readManifest(path)
  for (const [name, want] of Object.entries(manifest.files)) {
    let got: FileRecord
    try {
      got = await recordOf(join(path, name))
    } catch (cause) {
      throw damagedFile(path, name, `cannot be read (${(cause as Error).message})`)
    }
    if (got.bytes !== want.bytes) throw damagedFile(path, name, `got ${got.bytes} bytes, expected ${want.bytes}`)
    if (got.sha256 !== want.sha256) throw damagedFile(path, name, 'got other bytes than its hash says')
  }
  return manifest
}

export const damagedFile = (path: string, name: string, what: string): CheckpointError =>
  new CheckpointError(`${basename(path)}/${name}: ${what}. The checkpoint is damaged: use an older one`, { got: name })

export async function readManifest(path: string): Promise<CheckpointManifest> {
  let manifest: unknown
  try {
    manifest = JSON.parse(await readFile(join(path, manifestName), 'utf8'))
  } catch (cause) {
    throw damagedFile(path, manifestName, `cannot be read (${(cause as Error).message})`)
  }
  const wrong = whatIsWrong(manifest)
  if (wrong !== undefined) throw damagedFile(path, manifestName, wrong)
  return manifest as CheckpointManifest
}

/** What of a value is not as a manifest has it. */
function whatIsWrong(value: unknown): string | undefined {
  if (!isObject(value) || value.format !== 'cria-checkpoint' || (value.version !== 1 && value.version !== 2))
    return 'got something else, expected a manifest of version 1 or 2'
  const { sha256, ...rest } = value
  // Those of version 1 have no hash. They are loaded all the same, as a long run may have begun with them.
  if ((value.version === 2 || sha256 !== undefined) && sha256 !== hashOf(rest))
    return 'got other entries than its hash says'
  const { step, state, score, files } = value
  if (!isCount(step)) return `got step ${JSON.stringify(step)}, expected a whole number`
  if (!isObject(state) || state.step !== step)
    return `got state ${JSON.stringify(state)}, expected that of step ${step}`
  const { guard, updates = step } = state
  if (!isCount(updates)) return `got state.updates ${JSON.stringify(updates)}, expected a whole number`
  if (!isObject(guard) || !Number.isFinite(guard.mean) || !isCount(guard.seen) || !isCount(guard.skipped))
    return `got state.guard ${JSON.stringify(guard)}, expected { mean, seen, skipped }`
  if (score !== null && !Number.isFinite(score)) return `got score ${JSON.stringify(score)}, expected a number or null`
  if (!isObject(files) || !(weightsName in files))
    return `got files ${JSON.stringify(files)}, expected ${weightsName} among them`
  for (const [name, record] of Object.entries(files))
    if (!isPlainName(name) || !isFileRecord(record))
      return `got ${JSON.stringify(record)} for ${name}, expected the length and hash of a file in the folder`
  return undefined
}
