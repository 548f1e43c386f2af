/** Checkpoints: kill -9 at any moment, damage of every kind, what is kept, and other models. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { f32, mul, sum, type Tensor } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adamW, batches, lion, padded, TrainError, tokenArray } from '../index.js'
import { trainStep } from '../step.js'
import { checkpoints } from './checkpoints.js'
import { type CheckpointManifest, verifyCheckpoint } from './manifest.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cria-checkpoints-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs test/kill-run.ts, killing it this many milliseconds after it is ready. */
function run(to: string, steps: number, killAfter?: number): Promise<{ killed: boolean; from: number }> {
  const script = fileURLToPath(new URL('../../test/kill-run.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=cria-source', '--import', 'tsx', script, to, String(steps)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (text: Buffer) => {
    if (out === '' && killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter)
    out += text.toString()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (signal !== 'SIGKILL' && code !== 0) reject(new Error(`kill-run ended with ${code}: ${out}`))
      else resolve({ killed: signal === 'SIGKILL', from: Number(out.split(' ')[1]) })
    })
  })
}

const kills = Number(process.env.CRIA_KILLS ?? 2)

test(`killed ${kills} times at random moments, every checkpoint is whole and the end is that of one run`, async () => {
  const steps = 60 + 40 * kills
  const [whole, torn] = [join(folder, 'whole'), join(folder, 'torn')]
  await run(whole, steps)
  let killed = 0
  let furthest = 0
  for (let i = 0; i < kills; i++) {
    const outcome = await run(torn, steps, 20 + Math.random() * 400)
    if (outcome.killed) killed++
    expect(outcome.from).toBeGreaterThanOrEqual(furthest)
    furthest = outcome.from
    for (const name of await readdir(torn)) if (/^step-\d+$/.test(name)) await verifyCheckpoint(join(torn, name))
  }
  expect(killed).toBeGreaterThan(0)
  await run(torn, steps)
  const last = `step-${String(steps).padStart(8, '0')}`
  const files = async (path: string) => (await verifyCheckpoint(join(path, last))).files
  expect(await files(torn)).toEqual(await files(whole))
}, 600_000)

describe('a folder of checkpoints', () => {
  const device = reference()
  afterAll(() => device.dispose())
  const setUp = (optimiser = adamW(), ema?: number) => {
    const module = { w: device.tensor([1, 2, 3, 4], [2, 2]) }
    const step = trainStep(module, {
      batch: { g: f32([2, 2]) },
      loss: ({ g }) => sum(mul(module.w as Tensor, g)),
      optimiser,
      ...(ema !== undefined && { ema }),
    })
    const go = (n: number) => step.run({ inputs: { g: [n, -n, 1, 2] }, count: 1 }, { lr: 0.1 })
    return { step, go }
  }

  test('keeps the last ones and the best', async () => {
    const saves = await checkpoints(join(folder, 'kept'), { keep: 2, files: { 'config.json': '{}' } })
    const { step, go } = setUp()
    for (const score of [5, 1, 4, 3, 2]) {
      await go(score)
      await saves.save({ step }, { score, notes: { seed: 7 } })
    }
    const steps = (await saves.list()).map(path => Number(path.slice(-2)))
    expect(steps).toEqual([5, 4, 2])
    expect(await saves.best()).toMatch(/step-00000002$/)
    expect(await readFile(join(folder, 'kept/step-00000005/config.json'), 'utf8')).toBe('{}')
    const again = setUp().step
    const resumed = await saves.resume({ step: again })
    expect(resumed).toMatchObject({ step: 5, notes: { seed: 7 }, score: 2, damaged: [] })
    expect(again.step).toBe(5)
    expect(await again.weights.w!.data()).toEqual(await step.weights.w!.data())
  })

  const damage: Record<string, (path: string) => Promise<void>> = {
    'a file cut short': path => truncate(join(path, 'model.safetensors'), 40),
    'a flipped bit': async path => {
      const bytes = await readFile(join(path, 'optimizer.safetensors'))
      bytes[bytes.length - 1]! ^= 1
      await writeFile(join(path, 'optimizer.safetensors'), bytes)
    },
    'a missing file': path => rm(join(path, 'optimizer.safetensors')),
    'a missing manifest': path => rm(join(path, 'checkpoint.json')),
    'a manifest cut short': path => truncate(join(path, 'checkpoint.json'), 30),
    'another file in its place': path => copyFile(join(path, 'checkpoint.json'), join(path, 'model.safetensors')),
  }
  test.each(Object.entries(damage))('passes over %s and says so', async (name, hurt) => {
    const path = join(folder, name.replaceAll(' ', '-'))
    const saves = await checkpoints(path)
    const { step, go } = setUp()
    for (let i = 0; i < 2; i++) {
      await go(i)
      await saves.save({ step })
    }
    await hurt(join(path, 'step-00000002'))
    const resumed = await saves.resume({ step: setUp().step })
    expect(resumed?.step).toBe(1)
    expect(resumed?.damaged).toHaveLength(1)
    expect(resumed?.damaged[0]).toMatch(/^step-00000002\/\S+: .*The checkpoint is damaged/)
    await hurt(join(path, 'step-00000001'))
    await expect(saves.resume({ step: setUp().step })).rejects.toThrow(/got 2 checkpoints and none is whole/)
  })

  type Edit = (manifest: CheckpointManifest) => Readonly<Record<string, unknown>>
  /** Changes entries of the manifest of step 2, and gives what was then resumed. */
  const edited = async (name: string, edit: Edit) => {
    const path = join(folder, `edited-${name.replaceAll(/\W/g, '-')}`)
    const saves = await checkpoints(path)
    const { step, go } = setUp()
    const data = { position: () => step.step, seek: (at: unknown) => void (data.at = at), at: undefined as unknown }
    for (let i = 0; i < 2; i++) {
      await go(i)
      await saves.save({ step, data })
    }
    const file = join(path, 'step-00000002/checkpoint.json')
    const manifest = JSON.parse(await readFile(file, 'utf8')) as CheckpointManifest
    await writeFile(file, JSON.stringify({ ...manifest, ...edit(manifest) }))
    const resumed = await saves.resume({ step: setUp().step, data })
    return { step: resumed!.step, at: data.at, damaged: resumed!.damaged.join() }
  }

  const record = { bytes: 1, sha256: 'x' }
  const old = { version: 1, sha256: undefined }
  const edits: Record<string, [edit: Edit, wrong: RegExp]> = {
    'another place in the data': [() => ({ data: 12345 }), /got other entries than its hash says/],
    'another step': [m => ({ step: 3, state: { ...m.state, step: 3 } }), /got other entries than its hash says/],
    'no hash': [() => ({ sha256: undefined }), /got other entries than its hash says/],
    'another step and no hash': [
      m => ({ ...old, step: 3, state: { ...m.state, step: 3 } }),
      /got step 3, expected that of the folder's name/,
    ],
    'no list of files': [() => ({ ...old, files: null }), /got files null/],
    'no files': [() => ({ ...old, files: {} }), /got files \{\}, expected model\.safetensors/],
    'a file elsewhere': [
      () => ({ ...old, files: { 'model.safetensors': record, '../x': record } }),
      /for \.\.\/x, expected the length/,
    ],
    'no state': [() => ({ ...old, state: undefined }), /got state undefined/],
    'no guard': [() => ({ ...old, state: { step: 2 } }), /got state\.guard undefined/],
    'a step that is text': [() => ({ ...old, step: '2' }), /got step "2"/],
  }
  test.each(Object.entries(edits))('passes over a manifest with %s', async (name, [edit, wrong]) => {
    const { step, at, damaged } = await edited(name, edit)
    expect(damaged).toMatch(/^step-00000002\/checkpoint\.json: /)
    expect(damaged).toMatch(wrong)
    expect([step, at]).toEqual([1, 1])
  })

  test('a manifest of version 1, which had no hash, is still good', async () => {
    expect(await edited('old', () => old)).toEqual({ step: 2, at: 2, damaged: '' })
  })

  test('names that are not those of further files in the folder are refused', async () => {
    for (const name of ['checkpoint.json', 'Model.safetensors', '../x', 'a/b', '..', 'a\\b', ''])
      await expect(checkpoints(join(folder, 'names'), { files: { [name]: '' } })).rejects.toThrow(
        /got files\['.*'\], expected the name of a file/,
      )
  })

  test('a run that goes on while it is saved is refused, and nothing is left of it', async () => {
    const path = join(folder, 'goes-on')
    const saves = await checkpoints(path)
    const { step, go } = setUp()
    await go(1)
    const [saved, second, stepped] = await Promise.allSettled([saves.save({ step }), saves.save({ step }), go(2)])
    expect(stepped.status).toBe('fulfilled')
    expect(String((second as PromiseRejectedResult).reason)).toMatch(/got save\(\) during another save\(\)/)
    expect(String((saved as PromiseRejectedResult).reason)).toMatch(/got a run that went on while it was saved/)
    expect(await readdir(path)).toEqual([])
    const going = go(3)
    await expect(saves.save({ step })).rejects.toThrow(/got save\(\) during a step/)
    await expect(go(4)).rejects.toThrow(/got run\(\) while a step is under way/)
    await going
    expect(await saves.save({ step })).toMatch(/step-00000003$/)
  })

  test('averages are in no checkpoint’s weights, and nothing is trained or averaged in their place', async () => {
    const path = join(folder, 'averaged')
    const saves = await checkpoints(path)
    const { step, go } = setUp(adamW(), 0.9)
    for (let i = 1; i < 3; i++) await go(i)
    const trained = (await step.weights.w!.data()).slice()
    await step.withAverages(async () => {
      expect(await step.weights.w!.data()).not.toEqual(trained)
      await expect(saves.save({ step })).rejects.toThrow(/got save\(\) during withAverages\(\), expected/)
      await expect(go(3)).rejects.toThrow(/got run\(\) while withAverages\(\) is under way/)
      await expect(step.withAverages(() => 0)).rejects.toThrow(TrainError)
    })
    expect(await step.weights.w!.data()).toEqual(trained)
    const going = go(3)
    await expect(step.withAverages(() => 0)).rejects.toThrow(/got withAverages\(\) while a step is under way/)
    await going
    // Averages that came and went while the files were written.
    const [saved] = await Promise.allSettled([saves.save({ step }), step.withAverages(() => 0)])
    expect(String((saved as PromiseRejectedResult).reason)).toMatch(/got a run that went on while it was saved/)
    expect(await readdir(path)).toEqual([])
    const after = (await step.weights.w!.data()).slice()
    await expect(step.withAverages(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    await saves.save({ step })
    const again = setUp(adamW(), 0.9).step
    await saves.resume({ step: again })
    expect(await again.weights.w!.data()).toEqual(after)
  })

  test('a checkpoint that does not fit leaves the run as it was, and no file open', async () => {
    const path = join(folder, 'does-not-fit')
    const saves = await checkpoints(path)
    const { step, go } = setUp()
    await go(1)
    await saves.save({ step })
    const other = setUp(lion())
    const before = (await other.step.weights.w!.data()).slice()
    const open = async () => (process.platform === 'linux' ? (await readdir('/proc/self/fd')).length : 0)
    const files = await open()
    await expect(saves.resume(other)).rejects.toThrow(/got w\.v, expected no such tensor/)
    expect(await other.step.weights.w!.data()).toEqual(before)
    const seek = (): void => {
      throw new Error('another place')
    }
    const fresh = setUp().step
    await expect(saves.resume({ step: fresh, data: { position: () => 0, seek } })).rejects.toThrow('another place')
    expect(await fresh.weights.w!.data()).toEqual(before)
    const tokens = tokenArray([1, 2, 3, 4, 5], [0, 5])
    const data = batches(padded(tokens, { length: 2 }), { size: 1 })
    await data.next()
    const here = data.position()
    await expect(saves.resume({ step: fresh, data })).rejects.toThrow(/got position null/)
    expect(data.position()).toEqual(here)
    expect(fresh.step).toBe(0)
    expect(await fresh.weights.w!.data()).toEqual(before)
    // A file that is what the manifest says and no safetensors.
    const file = join(path, 'step-00000001/checkpoint.json')
    const manifest = JSON.parse(await readFile(file, 'utf8')) as CheckpointManifest
    await writeFile(join(path, 'step-00000001/model.safetensors'), 'x'.repeat(20))
    const record = { bytes: 20, sha256: createHash('sha256').update('x'.repeat(20)).digest('hex') }
    const { sha256: _, ...rest } = manifest
    await writeFile(
      file,
      JSON.stringify({ ...rest, version: 1, files: { ...manifest.files, 'model.safetensors': record } }),
    )
    await expect(saves.resume({ step })).rejects.toThrow(/model\.safetensors: cannot be opened/)
    expect(await open()).toBe(files)
  })

  test('clears away what a crash left half-written', async () => {
    const path = join(folder, 'crashed')
    const saves = await checkpoints(path)
    const { step, go } = setUp()
    await go(1)
    await saves.save({ step })
    await cp(join(path, 'step-00000001'), join(path, 'step-00000002.partial'), { recursive: true })
    await mkdir(join(path, 'step-00000000.deleting'))
    await saves.resume({ step })
    expect(await readdir(path)).toEqual(['step-00000001'])
    await mkdir(join(path, 'step-00000000.partial'))
    await saves.save({ step })
    expect(await readdir(path)).toEqual(['step-00000001'])
  })

  test("other people's files stay, and opening a folder changes nothing in it", async () => {
    const path = join(folder, 'others')
    const saves = await checkpoints(path)
    const { step } = setUp()
    await saves.save({ step })
    for (const name of ['big.gguf.partial', 'step-1.txt.partial']) await writeFile(join(path, name), '')
    for (const name of ['my-thesis.partial', 'old.deleting', 'step-00000001.partial']) await mkdir(join(path, name))
    const all = await readdir(path)
    expect(await (await checkpoints(path)).best()).toBeUndefined()
    expect(await readdir(path)).toEqual(all)
    await saves.resume({ step })
    await saves.save({ step })
    expect(await readdir(path)).toEqual(all.filter(name => name !== 'step-00000001.partial'))
  })

  test('a whole checkpoint that was to replace one of its step is put in place; half of one is not', async () => {
    const path = join(folder, 'replaced')
    const saves = await checkpoints(path)
    const { step, go } = setUp()
    await go(1)
    await saves.save({ step })
    // As a crash between the two renames leaves it.
    await rename(join(path, 'step-00000001'), join(path, 'step-00000001.partial'))
    await mkdir(join(path, 'step-00000001.deleting'))
    expect((await (await checkpoints(path)).resume({ step }))?.step).toBe(1)
    await rename(join(path, 'step-00000001'), join(path, 'step-00000001.partial'))
    await truncate(join(path, 'step-00000001.partial/model.safetensors'), 40)
    expect(await (await checkpoints(path)).resume({ step })).toBeUndefined()
    expect(await readdir(path)).toEqual([])
  })

  test('what is saved after a damaged one was passed over stays, and takes its place', async () => {
    const path = join(folder, 'after-damage')
    const { step, go } = setUp()
    const saves = await checkpoints(path, { keep: 2 })
    for (const score of [3, 2]) {
      await go(1)
      await saves.save({ step }, { score })
    }
    await truncate(join(path, 'step-00000002/model.safetensors'), 40)
    const again = setUp()
    const goesOn = await checkpoints(path, { keep: 1, keepBest: false })
    expect((await goesOn.resume(again))?.step).toBe(1)
    again.step.restore({ ...again.step.state, step: 1 })
    expect(await goesOn.save(again)).toMatch(/step-00000001$/)
    expect(await readdir(path)).toEqual(['step-00000001'])
  })

  test('a folder is for one run', async () => {
    const path = join(folder, 'shared')
    const [first, second] = [setUp(), setUp()]
    for (const { go } of [first, second]) await go(1)
    const saves = await checkpoints(path, { keep: 1 })
    await saves.save(first)
    const others = await checkpoints(path, { keep: 1 })
    await second.go(1)
    await expect(others.save(second)).rejects.toThrow(/step-00000001: got a checkpoint that this run neither wrote/)
    expect((await others.resume(second))?.step).toBe(1)
    await second.go(1)
    await others.save(second)
    await first.go(1)
    await expect(saves.save(first)).rejects.toThrow(/One folder is for one run/)
  })

  test('what cannot be written leaves nothing behind and says so', async () => {
    const { step } = setUp()
    const path = join(folder, 'unwritable')
    const saves = await checkpoints(path, { files: { ['long'.repeat(100)]: '{}' } })
    await expect(saves.save({ step })).rejects.toThrow(
      /step-00000000: could not be written \(ENAMETOOLONG.*Earlier checkpoints/,
    )
    expect(await readdir(path)).toEqual([])
    await rm(path, { recursive: true })
    await expect(saves.save({ step })).rejects.toThrow(/unwritable: could not be written \(ENOENT/)
    await writeFile(join(folder, 'file'), '')
    await expect(checkpoints(join(folder, 'file', 'run'))).rejects.toThrow(/could not be written \(ENOTDIR/)
    await expect(checkpoints(path, { keep: 0 })).rejects.toThrow(/got keep 0/)
  })

  test('one without averages is not called damaged', async () => {
    const saves = await checkpoints(join(folder, 'no-averages'))
    await saves.save(setUp())
    await expect(saves.resume(setUp(adamW(), 0.9))).rejects.toThrow(/got no ema\.safetensors.*saved without ema/)
  })

  test('refuses a checkpoint of another run and names what differs', async () => {
    const path = join(folder, 'run')
    const run = { seed: 1, config: { layers: 5, heads: [8, 4] } }
    const { step } = setUp()
    await (await checkpoints(path, { run })).save({ step })
    expect(await (await checkpoints(path, { run })).resume({ step })).toMatchObject({ run })
    const other = await checkpoints(path, { run: { ...run, config: { layers: 5, heads: [8, 2] } } })
    await expect(other.resume({ step })).rejects.toThrow(/got run\.config\.heads\.1 2, expected 4\. .*another run/)
  })

  test('refuses a checkpoint of another optimiser by name', async () => {
    const saves = await checkpoints(join(folder, 'other'))
    const { step } = setUp()
    await saves.save({ step })
    await expect(saves.resume({ step: setUp(lion()).step })).rejects.toThrow(
      /optimizer\.safetensors: got w\.v, expected no such tensor. .*another model or optimiser/,
    )
  })
})
