// The page of compare-wllama.mjs: both engines on one model, one after the other, and what they took. Runs in a browser.
import { wasm } from '@cria/kernels-cpu/wasm'
import { loadLlama, Session } from '@cria/llama'
import { bytesSource, openModel, sourceFolder } from '@cria/weights'

/** How it is told: the query of the page. How it answers: JSON posted to /result, a line at a time to /progress. */
const query = new URLSearchParams(location.search)
const number = name => Number(query.get(name))
const post = (path, value) => fetch(path, { method: 'POST', body: JSON.stringify(value) })

/** Tokens that walk through the vocabulary: which ones are fed does not change the work. */
const tokens = (count, vocabulary, seed) =>
  Array.from({ length: count }, (_, i) => ((i + seed) * 7919 + 300) % vocabulary)

async function openOurs(bytes, threads, capacity) {
  const device = await wasm({ threads })
  const model = await loadLlama(
    device,
    await openModel(sourceFolder({ 'model.gguf': bytesSource(bytes, 'model.gguf') })),
  )
  const session = new Session(model, { capacity })
  const timed = async (count, work) => {
    const begin = performance.now()
    await work()
    return (count / (performance.now() - begin)) * 1000
  }
  return {
    description: device.description,
    async measure(prompt, decode, seed) {
      const vocabulary = model.config.vocabSize
      session.truncate(0)
      const pp = await timed(prompt, () => session.evaluate(tokens(prompt, vocabulary, seed)))
      // As in wllama's figures, decoding follows the prompt.
      const tg = await timed(decode, async () => {
        for (const token of tokens(decode, vocabulary, seed + prompt)) await session.evaluate([token])
      })
      return { pp, tg }
    },
  }
}

async function openTheirs(bytes, threads, capacity) {
  // Served by compare-wllama.mjs; not a literal, for it is no module of this repository.
  const peer = '/peer/esm/index.js'
  const { Wllama } = await import(peer)
  const logger = { debug() {}, log() {}, warn() {}, error: console.error }
  const engine = new Wllama({ default: '/peer/src/wasm/wllama.wasm' }, { logger, suppressNativeLog: true })
  await engine.loadModel([new Blob([bytes])], {
    n_threads: threads,
    n_ctx: capacity,
    n_batch: 512,
    n_gpu_layers: 0,
    n_parallel: 1,
  })
  const version = Wllama.getLibllamaVersion?.() ?? 'unknown'
  return {
    description: `wllama on llama.cpp ${version}, ${threads} threads`,
    async measure(prompt, decode, seed) {
      // Its prompts are text: words of one token each, other ones in every round, so that no cache knows them.
      const words = [' the', ' and', ' with', ' from', ' about', ' people', ' water', ' other']
      const text = Array.from({ length: prompt }, (_, i) => words[(i * i + seed) % words.length]).join('')
      const options = { max_tokens: decode, ignore_eos: true, temperature: 0, cache_prompt: false }
      const { timings } = await engine.createCompletion({ prompt: text, ...options })
      if (Math.abs(timings.prompt_n - prompt) > 2 || Math.abs(timings.predicted_n - decode) > 1)
        throw new Error(
          `wllama measured ${timings.prompt_n} + ${timings.predicted_n} tokens, expected ${prompt} + ${decode}`,
        )
      return { pp: timings.prompt_per_second, tg: timings.predicted_per_second }
    },
  }
}

async function main() {
  if (!crossOriginIsolated) throw new Error('the page is not cross-origin isolated')
  const [threads, prompt, decode, rounds] = ['threads', 'prompt', 'decode', 'rounds'].map(number)
  const bytes = new Uint8Array(await (await fetch('/model.gguf')).arrayBuffer())
  const sides = { ours: openOurs, theirs: openTheirs }
  const only = query.get('only')
  const engines = {}
  for (const [name, open] of Object.entries(sides)) {
    if (only && only !== name) continue
    engines[name] = await open(bytes, threads, prompt + decode + 8)
    // The first run compiles and warms, and is not counted.
    await engines[name].measure(Math.min(prompt, 64), 2, 7)
  }
  const samples = []
  for (let round = 0; round < rounds; round++) {
    const order = Object.keys(engines)
    if (round % 2) order.reverse()
    for (const engine of order) {
      const { pp, tg } = await engines[engine].measure(prompt, decode, round * 1000 + 1)
      samples.push({ round, engine, test: `pp${prompt}`, threads, depth: 0, tokensPerSecond: pp })
      samples.push({ round, engine, test: `tg${decode}`, threads, depth: prompt, tokensPerSecond: tg })
    }
    await post('/progress', `${threads} threads, round ${round + 1} of ${rounds}`)
  }
  const descriptions = Object.fromEntries(Object.entries(engines).map(([name, e]) => [name, e.description]))
  await post('/result', { samples, descriptions, agent: navigator.userAgent })
}

main().catch(error => post('/result', { error: String(error?.stack ?? error) }))
