// Races Cria's WebAssembly against wllama (llama.cpp compiled to WebAssembly) on the same file in headless Chromium.
//
//   node tools/bench/compare-wllama.mjs MODEL.gguf --peer FOLDER [options]
//
//   --peer FOLDER   the npm package @wllama/wllama, installed outside this repository
//   -p N            prompt length (512)       -n N   tokens to decode after it (64)     -r N   rounds (5)
//   -t N            thread counts, comma-separated (1,2)
//   --only SIDE     ours or theirs alone      --out FILE   bench/results/wasm.json; samples are added to those it holds
//   --chromium F    the browser (default: CHROME_PATH, else chromium on the PATH)
//
// The page is served with COOP and COEP, so both engines have threads. Each thread count is one browser, in which both
// load the model once and then take turns; who goes first alternates. Exit code 1 if a side fails, 2 for wrong arguments.
import { spawn } from 'node:child_process'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { loadavg, tmpdir } from 'node:os'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { machine } from './machine.mjs'
import { summarise, table } from './summary.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')

function stop(message, code) {
  process.stderr.write(`compare-wllama: ${message}\n`)
  process.exit(code)
}

function options() {
  const one = (short, value) => ({ type: 'string', short, default: value })
  let parsed
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        peer: { type: 'string' },
        prompt: one('p', '512'),
        decode: one('n', '64'),
        threads: one('t', '1,2'),
        rounds: one('r', '5'),
        only: { type: 'string' },
        chromium: { type: 'string', default: process.env.CHROME_PATH ?? 'chromium' },
        out: { type: 'string', default: join(root, 'bench/results/wasm.json') },
      },
    })
  } catch (error) {
    stop(error.message, 2)
  }
  const { values, positionals } = parsed
  const whole = (name, text) => {
    const n = Number(text)
    return Number.isInteger(n) && n > 0 ? n : stop(`--${name}: got ${text}, expected a whole number from 1`, 2)
  }
  if (positionals.length !== 1 || !existsSync(positionals[0]))
    stop('got no model, expected the path of one GGUF file', 2)
  if (values.only === undefined || values.only === 'theirs') {
    if (!values.peer || !existsSync(join(values.peer, 'esm/index.js')))
      stop(`--peer: got ${values.peer}, expected the folder of the npm package @wllama/wllama`, 2)
  }
  return {
    ...values,
    model: positionals[0],
    threads: values.threads.split(',').map(t => whole('threads', t)),
    prompt: whole('prompt', values.prompt),
    decode: whole('decode', values.decode),
    rounds: whole('rounds', values.rounds),
  }
}

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

/** The page with our packages from source, found as the CLI finds them. */
async function bundle() {
  const page = {
    contents: readFileSync(join(here, 'wllama-page.mjs'), 'utf8'),
    resolveDir: join(root, 'packages/cria'),
  }
  const made = await build({
    stdin: page,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['cria-source'],
  })
  return made.outputFiles[0].text
}

/** Serves the page, the peer's files and the model; `onPost` gets what the page has to say. */
async function serve(o, onPost) {
  const script = await bundle()
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://x').pathname
    const headers = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
    const send = (type, body) => response.writeHead(200, { ...headers, 'content-type': type }).end(body)
    if (request.method === 'POST') {
      let body = ''
      request.on('data', chunk => (body += chunk))
      request.on('end', () => {
        send('text/plain', '')
        onPost(path, JSON.parse(body))
      })
      return
    }
    if (path === '/') return send('text/html', '<!doctype html><script type="module" src="/src/page.js"></script>')
    if (path === '/src/page.js') return send('text/javascript', script)
    // The bundle's `../build/…` of kernels-cpu; the peer by its own paths; nothing outside either.
    const file =
      path === '/model.gguf'
        ? resolve(o.model)
        : path.startsWith('/build/')
          ? join(root, 'packages/kernels-cpu/build', basename(path))
          : path.startsWith('/peer/')
            ? join(resolve(o.peer), path.slice(6))
            : undefined
    if (file === undefined || !existsSync(file)) return response.writeHead(404, headers).end()
    response.writeHead(200, {
      ...headers,
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-length': statSync(file).size,
    })
    createReadStream(file).pipe(response)
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  return server
}

/** One browser, from start to its result. */
async function race(o, threads) {
  let answer
  const answered = new Promise((resolve, reject) => (answer = { resolve, reject }))
  const server = await serve(o, (path, value) => {
    if (path === '/progress') process.stderr.write(`${value}\n`)
    else if (value.error) answer.reject(new Error(value.error))
    else answer.resolve(value)
  })
  const profile = mkdtempSync(join(tmpdir(), 'cria-wllama-'))
  const query = new URLSearchParams({
    threads,
    prompt: o.prompt,
    decode: o.decode,
    rounds: o.rounds,
    only: o.only ?? '',
  })
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`]
  const url = `http://127.0.0.1:${server.address().port}/?${query}`
  const browser = spawn(o.chromium, [...flags, url], { stdio: 'ignore' })
  browser.on('error', answer.reject)
  browser.on('exit', code => answer.reject(new Error(`${o.chromium} ended with ${code}`)))
  try {
    return await answered
  } finally {
    browser.removeAllListeners('exit')
    const gone = new Promise(done => browser.on('exit', done))
    browser.kill()
    await gone
    server.closeAllConnections()
    server.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

const o = options()
const model = basename(o.model)
const samples = []
const load = []
let last
for (const threads of o.threads) {
  load.push(Number(loadavg()[0].toFixed(2)))
  last = await race(o, threads).catch(error => stop(error.message, 1))
  samples.push(...last.samples.map(s => ({ ...s, model })))
}
const rows = summarise(samples)
if (o.only) {
  for (const s of samples)
    process.stdout.write(`${s.engine} ${s.test} ${s.threads} threads: ${s.tokensPerSecond.toFixed(1)} tokens/s\n`)
} else {
  const { threads, prompt, decode, rounds } = o
  // Thread counts may be measured in several calls: each replaces its own rows.
  const old = existsSync(o.out) ? JSON.parse(readFileSync(o.out, 'utf8')) : { rows: [], samples: [] }
  const kept = list => list.filter(r => !(r.model === model && threads.includes(r.threads)))
  const peer = JSON.parse(readFileSync(join(o.peer, 'package.json'), 'utf8'))
  const document = {
    ...(await machine(root)),
    browser: last.agent,
    engines: { ...last.descriptions, wllama: peer.version },
    models: [{ name: model, bytes: statSync(o.model).size }],
    flags: { prompt, decode, rounds },
    load,
    rows: [...kept(old.rows), ...rows],
    samples: [...kept(old.samples), ...samples],
  }
  mkdirSync(dirname(resolve(o.out)), { recursive: true })
  writeFileSync(o.out, `${JSON.stringify(document, null, 1)}\n`)
  process.stdout.write(`${table(rows, 'wllama')}\n`)
}
