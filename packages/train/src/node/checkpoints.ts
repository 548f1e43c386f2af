/**
 * Checkpoints of a run: one folder for each, `step-00000100/`, with the weights as `model.safetensors`, the optimiser as
 * `optimizer.safetensors` and a manifest that names every file with its length and hash. The folder gets its name when
 * everything in it is durable, so a run that is killed at any moment finds its last whole checkpoint and goes on bit
 * for bit.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { byteLength, type Tensor } from '@cria/tensor'
import { openSafetensors, type WeightFile, writeSafetensors } from '@cria/weights'
import { fileSource } from '@cria/weights/node'
import type { Position } from '../data/rows.js'
import { CheckpointError } from '../errors.js'
import type { StepState, TrainStep } from '../step.js'
import { type FileRecord, hashedFile, moveFolder, recordOf, removeFolder, syncFolder, writeDurably } from './files.js'

export interface CheckpointOptions {
  /** The newest so many are kept. Default 3. */
  readonly keep?: number
  /** Keep the one with the lowest score beside them. Default true. */
  readonly keepBest?: boolean
  /**
   * What the run is: configuration, seed, data. Kept in every manifest; a checkpoint of another run is refused with the
   * difference named.
   */
  readonly run?: Position
  /** Further files of each checkpoint, `{ 'config.json': … }`: what makes its folder a model that loaders open. */
  readonly files?: Readonly<Record<string, string>>
}

/** What is saved and resumed. */
export interface Run {
  readonly step:
    | TrainStep<never>
    | Pick<TrainStep, 'weights' | 'optimiserState' | 'averages' | 'state' | 'restore' | 'device'>
  /** Anything that knows its place in the data: `batches(…)`. */
  readonly data?: { position(): Position; seek(position: Position): void }
}

export interface SaveNotes {
  /** What "best" goes by, lower is better: the held-out loss. */
  readonly score?: number
  /** Kept as it is and given back by `resume`: whatever else the loop must know to go on. */
  readonly notes?: Position
}

/** `checkpoint.json`. */
export interface CheckpointManifest {
  readonly format: 'cria-checkpoint'
  readonly version: 1
  readonly step: number
  readonly state: StepState
  readonly data: Position
  readonly score: number | null
  readonly notes: Position
  readonly run: Position
  /** Node, system and device that wrote it: other ones resume, but not bit for bit. */
  readonly versions: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, FileRecord>>
}

export interface Resumed extends CheckpointManifest {
  readonly path: string
  /** Checkpoints that were newer and damaged, each with what is wrong. */
  readonly damaged: readonly string[]
}

/**
 * Opens the folder of a run, making it where there is none. Nothing in it changes before `resume` or `save`: who only
 * asks for the `best()` may look while another process trains.
 *
 * @example
 * const saves = await checkpoints('runs/tiny', { keep: 2 })
 * const resumed = await saves.resume({ step, data }) // undefined on the first start
 * await saves.save({ step, data }, { score: loss })
 */
export async function checkpoints(folder: string, options: CheckpointOptions = {}): Promise<Checkpoints> {
  const { keep = 3 } = options
  if (!Number.isInteger(keep) || keep < 1)
    throw new CheckpointError(`checkpoints: got keep ${keep}, expected a whole number ≥ 1`, { got: keep })
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw unwritable(folder, cause)
  }
  return new Checkpoints(folder, options)
}

/** Clears away what a crash left half-written: by our own names alone, as others may keep files in the folder. */
async function clearRemnants(folder: string): Promise<void> {
  try {
    const names = await readdir(folder)
    for (const name of names.filter(n => /^step-\d+\.(partial|deleting)$/.test(n))) await clearAway(folder, name, names)
  } catch (cause) {
    throw unwritable(folder, cause)
  }
}

/** What a crash left: a whole checkpoint that was about to take the place of one of the same step, or a remnant. */
async function clearAway(folder: string, name: string, names: readonly string[]): Promise<void> {
  const path = join(folder, name)
  const target = name.replace(/\.partial$/, '')
  const whole =
    target !== name &&
    !names.includes(target) &&
    (await verifyCheckpoint(path).then(
      ({ step }) => folderOf(step) === target,
      () => false,
    ))
  if (whole) await moveFolder(path, join(folder, target))
  else await rm(path, { recursive: true, force: true })
}

const unwritable = (path: string, cause: unknown): CheckpointError =>
  new CheckpointError(
    `${path}: could not be written (${(cause as Error).message}). Earlier checkpoints are as they were: make room or give another folder`,
    { got: (cause as NodeJS.ErrnoException).code },
  )

const manifestName = 'checkpoint.json'
const folderOf = (step: number): string => `step-${String(step).padStart(8, '0')}`

export class Checkpoints {
  /** Names of checkpoints that this run wrote, or found when it resumed. */
  private readonly known = new Set<string>()

  constructor(
    readonly folder: string,
    private readonly options: CheckpointOptions,
  ) {}

  /** Paths of the checkpoints, newest first; not yet verified. */
  async list(): Promise<string[]> {
    const names = (await readdir(this.folder)).filter(name => /^step-\d+$/.test(name))
    return names
      .sort()
      .reverse()
      .map(name => join(this.folder, name))
  }

  /**
   * Writes a checkpoint and then removes those that need not be kept. Returns its path.
   *
   * @throws CheckpointError where it cannot be written, and in a folder with checkpoints that another run wrote.
   */
  async save(run: Run, notes: SaveNotes = {}): Promise<string> {
    const name = folderOf(run.step.state.step)
    await clearRemnants(this.folder)
    const stranger = (await this.list()).find(path => !this.known.has(basename(path)))
    if (stranger !== undefined)
      throw new CheckpointError(
        `${stranger}: got a checkpoint that this run neither wrote nor resumed from, expected none. One folder is for one run: call resume() first, or use another folder`,
        { got: stranger },
      )
    const path = join(this.folder, name)
    const partial = `${path}.partial`
    try {
      await this.write(partial, run, notes)
      this.known.add(name)
      await moveFolder(partial, path)
    } catch (cause) {
      await rm(partial, { recursive: true, force: true }).catch(() => {})
      throw unwritable(path, cause)
    }
    await this.prune(name)
    return path
  }

  private async write(partial: string, { step, data }: Run, { score, notes = null }: SaveNotes): Promise<void> {
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial)
    const files: Record<string, FileRecord> = {}
    files['model.safetensors'] = await writeTensors(join(partial, 'model.safetensors'), step.weights)
    if (Object.keys(step.optimiserState).length > 0)
      files['optimizer.safetensors'] = await writeTensors(join(partial, 'optimizer.safetensors'), step.optimiserState)
    if (Object.keys(step.averages).length > 0)
      files['ema.safetensors'] = await writeTensors(join(partial, 'ema.safetensors'), step.averages)
    for (const [name, text] of Object.entries(this.options.files ?? {}))
      files[name] = await writeDurably(join(partial, name), text)
    const manifest: CheckpointManifest = {
      format: 'cria-checkpoint',
      version: 1,
      step: step.state.step,
      state: step.state,
      data: data?.position() ?? null,
      score: score ?? null,
      notes,
      run: this.options.run ?? null,
      versions: {
        node: process.version,
        system: `${process.platform}-${process.arch}`,
        device: step.device.description,
      },
      files,
    }
    // Last: a folder with a manifest has everything that the manifest names.
    await writeDurably(join(partial, manifestName), `${JSON.stringify(manifest, null, 2)}\n`)
    await syncFolder(partial)
  }

  /**
   * Fills the step and the data's position from the newest whole checkpoint. Damaged ones are passed over and named in
   * `damaged`. Returns undefined where there is none to resume from.
   *
   * @throws CheckpointError when checkpoints exist and none is whole, or when one is of another model.
   */
  async resume(run: Run): Promise<Resumed | undefined> {
    await clearRemnants(this.folder)
    const damaged: string[] = []
    for (const path of await this.list()) {
      let manifest: CheckpointManifest
      try {
        manifest = await verifyCheckpoint(path)
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error
        damaged.push(error.message)
        continue
      }
      checkRun(path, manifest.run, this.options.run)
      await fill(path, manifest, run)
      for (const known of await this.list()) this.known.add(basename(known))
      return { ...manifest, path, damaged }
    }
    if (damaged.length > 0)
      throw new CheckpointError(
        `${this.folder}: got ${damaged.length} checkpoints and none is whole, expected one. Start again in another folder. ${damaged.join(' ')}`,
        { got: damaged },
      )
    return undefined
  }

  /** The checkpoint with the lowest score; undefined where none has one. */
  async best(): Promise<string | undefined> {
    let best: { path: string; score: number } | undefined
    for (const path of await this.list()) {
      const score = await readManifest(path).then(
        m => m.score,
        () => null,
      )
      if (score !== null && (best === undefined || score < best.score)) best = { path, score }
    }
    return best?.path
  }

  /** Keeps what was just saved, those before it, and the best; later ones were passed over when the run resumed. */
  private async prune(saved: string): Promise<void> {
    const { keep = 3, keepBest = true } = this.options
    const list = await this.list()
    const later = list.filter(path => basename(path) > saved)
    for (const path of later) await removeFolder(path)
    const best = keepBest ? await this.best() : undefined
    for (const path of list.slice(later.length + keep)) if (path !== best) await removeFolder(path)
  }
}

/** Refuses to go on with another seed or configuration than the checkpoint's. */
function checkRun(path: string, saved: Position, given: Position | undefined): void {
  if (given === undefined) return
  const different = firstDifference(saved, JSON.parse(JSON.stringify(given)) as Position, 'run')
  if (different)
    throw new CheckpointError(
      `${basename(path)}: got ${different}. It is of another run: use its settings, or another folder`,
      { got: given, expected: saved },
    )
}

function firstDifference(saved: Position, given: Position, path: string): string | undefined {
  const isObject = (v: Position | undefined): v is Record<string, Position> => typeof v === 'object' && v !== null
  if (!isObject(saved) || !isObject(given))
    return saved === given ? undefined : `${path} ${JSON.stringify(given)}, expected ${JSON.stringify(saved)}`
  for (const key of new Set([...Object.keys(saved), ...Object.keys(given)])) {
    const found = firstDifference(saved[key] ?? null, given[key] ?? null, `${path}.${key}`)
    if (found) return found
  }
  return undefined
}

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

const damagedFile = (path: string, name: string, what: string): CheckpointError =>
  new CheckpointError(`${basename(path)}/${name}: ${what}. The checkpoint is damaged: use an older one`, { got: name })

async function readManifest(path: string): Promise<CheckpointManifest> {
  let manifest: Partial<CheckpointManifest> | null
  try {
    manifest = JSON.parse(await readFile(join(path, manifestName), 'utf8')) as Partial<CheckpointManifest> | null
  } catch (cause) {
    throw damagedFile(path, manifestName, `cannot be read (${(cause as Error).message})`)
  }
  if (manifest?.format !== 'cria-checkpoint' || manifest.version !== 1 || typeof manifest.files !== 'object')
    throw damagedFile(path, manifestName, 'got something else, expected a manifest of version 1')
  return manifest as CheckpointManifest
}

async function writeTensors(path: string, tensors: Readonly<Record<string, Tensor>>): Promise<FileRecord> {
  const sink = await hashedFile(path)
  try {
    await writeSafetensors(sink, {
      tensors: Object.entries(tensors).map(([name, t]) => ({
        name,
        shape: t.shape,
        dtype: t.dtype,
        data: () => t.bytes(),
      })),
    })
    await sink.close()
  } catch (error) {
    await sink.abort?.()
    throw error
  }
  return sink.record()
}

async function fill(path: string, manifest: CheckpointManifest, { step, data }: Run): Promise<void> {
  const parts = {
    'model.safetensors': step.weights,
    'optimizer.safetensors': step.optimiserState,
    'ema.safetensors': step.averages,
  }
  for (const [name, into] of Object.entries(parts)) {
    if (name in manifest.files) await readTensors(path, name, into)
    else if (Object.keys(into).length > 0)
      throw new CheckpointError(
        `${basename(path)}: got no ${name}, expected it. It was saved without ${name.startsWith('ema') ? 'ema' : 'this optimiser'}: use the configuration it was saved with`,
        { got: Object.keys(manifest.files) },
      )
  }
  step.restore(manifest.state)
  data?.seek(manifest.data)
}

/** Writes the tensors of a file into those of the run; the two must have the same names, shapes and dtypes. */
async function readTensors(path: string, name: string, into: Readonly<Record<string, Tensor>>): Promise<void> {
  let file: WeightFile
  try {
    file = await openSafetensors(await fileSource(join(path, name)))
  } catch (cause) {
    throw damagedFile(path, name, `cannot be opened (${(cause as Error).message})`)
  }
  const mismatch = (what: string): CheckpointError =>
    new CheckpointError(
      `${basename(path)}/${name}: ${what}. The checkpoint is of another model or optimiser: use the configuration it was saved with`,
    )
  try {
    for (const key of file.tensors.keys()) if (!(key in into)) throw mismatch(`got ${key}, expected no such tensor`)
    for (const [key, t] of Object.entries(into)) {
      const info = file.tensors.get(key)
      if (info?.dtype !== t.dtype || info.bytes !== byteLength(t) || String(info.shape) !== String(t.shape))
        throw mismatch(
          `got ${info ? `[${info.shape}] ${info.dtype}` : 'no tensor'} for ${key}, expected [${t.shape}] ${t.dtype}`,
        )
      t.device.backend.write(t.storage('resume').buf, await file.read(key))
    }
  } finally {
    await file.close()
  }
}
