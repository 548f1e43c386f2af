/**
 * Checkpoints of a run: one folder for each, `step-00000100/`, with the weights as `model.safetensors`, the optimiser as
 * `optimizer.safetensors` and a manifest that names every file with its length and hash. The folder gets its name when
 * everything in it is durable, so a run that is killed at any moment finds its last whole checkpoint and goes on bit
 * for bit.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Position } from '../data/rows.js'
import { CheckpointError } from '../errors.js'
import type { TrainStep } from '../step.js'
import { openTensors, partsOf, writeTensors } from './checkpoint-tensors.js'
import { type FileRecord, moveFolder, removeFolder, syncFolder, writeDurably } from './files.js'
import {
  type CheckpointManifest,
  damagedFile,
  folderOf,
  manifestName,
  manifestText,
  ownNames,
  readManifest,
  verifyCheckpoint,
} from './manifest.js'
import { isPlainName } from './shape.js'

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
    | (Pick<TrainStep, 'weights' | 'optimiserState' | 'averages' | 'state' | 'restore' | 'device'> & {
        readonly busy?: string | undefined
        readonly changes?: number
      })
  /** Anything that knows its place in the data: `batches(…)`. */
  readonly data?: { position(): Position; seek(position: Position): void }
}

export interface SaveNotes {
  /** What "best" goes by, lower is better: the held-out loss. */
  readonly score?: number
  /** Kept as it is and given back by `resume`: whatever else the loop must know to go on. */
  readonly notes?: Position
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
  const { keep = 3, files = {} } = options
  if (!Number.isInteger(keep) || keep < 1)
    throw new CheckpointError(`checkpoints: got keep ${keep}, expected a whole number ≥ 1`, { got: keep })
  for (const name of Object.keys(files))
    if (!isPlainName(name) || ownNames.includes(name.toLowerCase()))
      throw new CheckpointError(
        `checkpoints: got files['${name}'], expected the name of a file in the checkpoint's folder that is none of ${ownNames.join(', ')}`,
        { got: name },
      )
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

export class Checkpoints {
  /** Names of checkpoints that this run wrote, or found when it resumed. */
  private readonly known = new Set<string>()
  private saving = false

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
   * Writes a checkpoint and then removes those that need not be kept. Returns its path. The run must stand still until
   * then: a copy of all its tensors to save beside it would need as much memory again.
   *
   * @throws CheckpointError where it cannot be written, in a folder with checkpoints that another run wrote, inside
   * `withAverages`, and when the run went on meanwhile.
   */
  async save(run: Run, notes: SaveNotes = {}): Promise<string> {
    const during = this.saving ? 'another save()' : run.step.busy
    if (during !== undefined)
      throw new CheckpointError(
        `${this.folder}: got save() during ${during}, expected one thing at a time. Await each, and save outside withAverages(): a checkpoint has trained weights and averages`,
        { got: during },
      )
    this.saving = true
    try {
      return await this.write(run, notes)
    } finally {
      this.saving = false
    }
  }

  private async write(run: Run, notes: SaveNotes): Promise<string> {
    // Where the run is now: if it goes on while files are written, it has to show.
    const place = { state: run.step.state, data: run.data?.position() ?? null, changes: run.step.changes }
    const name = folderOf(place.state.step)
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
      await this.fill(partial, run, place, notes)
      this.known.add(name)
      await moveFolder(partial, path)
    } catch (cause) {
      await rm(partial, { recursive: true, force: true }).catch(() => {})
      throw cause instanceof CheckpointError ? cause : unwritable(path, cause)
    }
    await this.prune(name)
    return path
  }

  private async fill(
    partial: string,
    { step }: Run,
    { state, data, changes }: Pick<CheckpointManifest, 'state' | 'data'> & { readonly changes: number | undefined },
    { score, notes = null }: SaveNotes,
  ): Promise<void> {
    await mkdir(partial)
    const files: Record<string, FileRecord> = {}
    for (const [name, tensors] of partsOf(step)) files[name] = await writeTensors(join(partial, name), tensors)
    if (step.busy !== undefined || step.changes !== changes || step.state.step !== state.step)
      throw new CheckpointError(
        `${basename(partial, '.partial')}: got a run that went on while it was saved, expected one that waits. Await save() before the next step`,
        { got: step.state.step, expected: state.step },
      )
    for (const [name, text] of Object.entries(this.options.files ?? {}))
      files[name] = await writeDurably(join(partial, name), text)
    const text = manifestText({
      step: state.step,
      state,
      data,
      score: score ?? null,
      notes,
      run: this.options.run ?? null,
      versions: {
        node: process.version,
        system: `${process.platform}-${process.arch}`,
        device: step.device.description,
      },
      files,
    })
    // Last: a folder with a manifest has everything that the manifest names.
    await writeDurably(join(partial, manifestName), text)
    await syncFolder(partial)
  }

  /**
   * Fills the step and the data's position from the newest whole checkpoint. Damaged ones are passed over and named in
   * `damaged`. Returns undefined where there is none to resume from.
   *
   * @throws CheckpointError when checkpoints exist and none is whole, or when one is of another model, and what
   * `data.seek` throws for a position of other data; the run is then as it was.
   */
  async resume(run: Run): Promise<Resumed | undefined> {
    await clearRemnants(this.folder)
    const damaged: string[] = []
    for (const path of await this.list()) {
      let manifest: CheckpointManifest
      try {
        manifest = await verifyCheckpoint(path)
        if (folderOf(manifest.step) !== basename(path))
          throw damagedFile(path, manifestName, `got step ${manifest.step}, expected that of the folder's name`)
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error
        damaged.push(error.message)
        continue
      }
      checkRun(path, manifest.run, this.options.run)
      await load(path, manifest, run)
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

async function load(path: string, manifest: CheckpointManifest, { step, data }: Run): Promise<void> {
  const tensors = await openTensors(path, manifest, partsOf(step))
  try {
    data?.seek(manifest.data)
    await tensors.load()
  } finally {
    await tensors.close()
  }
  step.restore(manifest.state)
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
