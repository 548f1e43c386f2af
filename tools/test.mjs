// `npm test`: set up, get what the tests need from the system (Chromium, for the browser and for WebGPU in software),
// then every test. `npm test -- packages/llama` runs a part. CRIA_TEST_REPORT=file also writes vitest's JSON report.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { onPath, root, setup } from './setup.mjs'

const say = line => process.stderr.write(`${line}\n`)

/** Chromium serves the browser tests, and its software renderer is the GPU of the WebGPU tests. Returns its path. */
function chromium() {
  const found = () => process.env.CHROME_PATH || onPath('chromium', 'chromium-browser', 'google-chrome')
  const lost = 'the tests in Chromium, and those of WebGPU unless this machine has a GPU, are skipped'
  if (found()) return found()
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    say(`test: Chromium is not installed, so ${lost}; for them: apt-get install chromium libvulkan1`)
    return undefined
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

await setup({ built: Boolean(process.env.TEST_BUILT) })
const env = { ...process.env }
const browser = chromium()
if (browser) env.CHROME_PATH ??= browser
const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json'
if (existsSync(swiftshader)) env.VK_ICD_FILENAMES ??= swiftshader

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
