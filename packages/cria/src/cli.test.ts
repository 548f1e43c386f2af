/** The command line as a user types it: each test is a process. */
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpu, cpuStats } from '@cria/kernels-cpu'
import { afterAll, describe, expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../../..')
const shared = process.env.CRIA_SHARED ?? join(root, '..', 'shared')
const stories = join(shared, 'models', 'stories260K.gguf')
const fixture = join(root, 'tools', 'golden', 'fixtures', 'every-type.gguf')
const cpuThreads = cpuStats(await cpu())!.threads
const scratch = mkdtempSync(join(tmpdir(), 'cria-cli-'))
afterAll(() => rmSync(scratch, { recursive: true }))

const command = process.env.TEST_BUILT
  ? [join(here, '../bin/cria.js')]
  : ['--conditions=cria-source', '--import', import.meta.resolve('tsx'), join(here, '../test/main.ts')]

interface Result {
  readonly out: string
  readonly err: string
  readonly code: number | null
}

function cria(args: readonly string[], input = ''): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...command, ...args], { cwd: scratch })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    child.on('error', reject).on('close', code => resolve({ out, err, code }))
    child.stdin.end(input)
  })
}

describe('on a small file of every weight type', () => {
  test('logits prints sorted log-probabilities that add up to one', async () => {
    const { out, code } = await cria(['logits', fixture, '--tokens', '1,2,3', '--all', '--json', '--threads', '1'])
    const { tokens, logprobs } = JSON.parse(out) as { tokens: number[]; logprobs: [number, number][] }
    expect(code).toBe(0)
    expect(tokens).toEqual([1, 2, 3])
    expect(logprobs.reduce((a, [, p]) => a + Math.exp(p), 0)).toBeCloseTo(1, 4)
    expect(logprobs.every(([, p], i) => i === 0 || p <= logprobs[i - 1]![1])).toBe(true)
  })

  test('run gives the same text for the same seed on any thread count, and JSON when asked', async () => {
    const args = (threads: string, ...more: string[]) => [
      'run',
      fixture,
      '--prompt',
      'a',
      '--max-tokens',
      '8',
      '--seed',
      '7',
      '--threads',
      threads,
      ...more,
    ]
    const one = await cria(args('1', '--json'))
    const two = await cria(args('2', '--json'))
    const parsed = JSON.parse(one.out) as { tokens: number[]; text: string; reason: string }
    expect(parsed.tokens).toEqual((JSON.parse(two.out) as { tokens: number[] }).tokens)
    const echo = await cria(args('1', '--no-echo'))
    expect(echo.out).toBe(`${parsed.text}\n`)
    expect(echo.err).toMatch(/tokens\/s/)
  })

  test('convert writes a file that inspect reads and that runs', async () => {
    const target = join(scratch, 'f32.gguf')
    expect(await cria(['convert', fixture, target, '--type', 'F32'])).toMatchObject({ code: 0 })
    const { out } = await cria(['inspect', target, '--json'])
    const { tensors, config } = JSON.parse(out) as { tensors: { dtype: string }[]; config: { layers: number } }
    expect(new Set(tensors.map(t => t.dtype))).toEqual(new Set(['f32']))
    expect(config.layers).toBeGreaterThan(0)
    const [before, after] = await Promise.all(
      [fixture, target].map(file => cria(['logits', file, '--tokens', '5', '--json', '--top', '1'])),
    )
    const likeliest = (r: Result): [number, number] =>
      (JSON.parse(r.out) as { logprobs: [number, number][] }).logprobs[0]!
    expect(likeliest(before!)[0]).toBe(likeliest(after!)[0])
  })

  test('perplexity scores windows of a file or of standard input, and compares with another model', async () => {
    const text = 'abcabc '.repeat(40)
    const path = join(scratch, 'text.txt')
    writeFileSync(path, text)
    const { out } = await cria(['perplexity', fixture, path, '--context', '16', '--json'])
    const result = JSON.parse(out) as Record<'tokens' | 'scored' | 'nll' | 'perplexity' | 'bitsPerByte', number>
    expect(Object.keys(result)).toEqual(['tokens', 'scored', 'nll', 'perplexity', 'bitsPerByte'])
    expect(result.scored).toBe(result.tokens - Math.ceil(result.tokens / 16))
    expect(result.perplexity).toBeCloseTo(Math.exp(result.nll), 6)
    expect(result.bitsPerByte).toBeCloseTo((result.nll * result.scored) / Math.LN2 / 280, 6)
    expect(await cria(['perplexity', fixture, '-', '--context', '16', '--json'], text)).toMatchObject({ out })
    const against = await cria(['perplexity', fixture, path, '--against', fixture])
    expect(against.out).toMatch(/KL divergence +0\.00000/)
    expect(against.out).toMatch(/same top token +100\.00/)
  })

  test('ids need no tokenizer that can be read, and inspect says what is wrong with it', async () => {
    const file = join(scratch, 'no-bos.gguf')
    const bytes = readFileSync(fixture)
    const key = 'tokenizer.ggml.bos_token_id'
    bytes.writeUInt32LE(9999, bytes.indexOf(key) + key.length + 4)
    writeFileSync(file, bytes)
    const ids = ['--tokens', '1,2,3', '--threads', '1']
    const { out, err, code } = await cria(['logits', file, ...ids])
    expect(err).toContain('bos_token_id')
    expect(code).toBe(0)
    expect(out.match(/^-\d/gm)).toHaveLength(10)
    expect((await cria(['logits', file, ...ids, '--json'])).err).toBe('')
    expect(await cria(['logits', file, '--prompt', 'a'])).toMatchObject({ code: 1, out: '' })
    const inspected = await cria(['inspect', file])
    expect(inspected.code).toBe(0)
    expect(inspected.out).toMatch(/tokenizer problem: .*bos_token_id.*9999/)
    expect(inspected.out).toContain('memory: ')
  })

  test('a tokenizer of another size than the model is told', async () => {
    const folder = join(scratch, 'other-tokenizer')
    writeFileSync(join(scratch, 'few.txt'), 'aa ab aa')
    await cria(['tokenizer', 'train', 'few.txt', '--vocab', '259', '--out', folder])
    // without tokens of its own, the file takes the tokenizer beside it
    const bytes = readFileSync(fixture)
    const key = 'tokenizer.ggml.tokens'
    bytes.write('tokenizer.ggml.absent', bytes.indexOf(key))
    const file = join(folder, 'model.gguf')
    writeFileSync(file, bytes)
    const said = /the tokenizer has 259 tokens and the model 264: ids from 259 on have no text/
    expect((await cria(['inspect', file])).out).toMatch(said)
    const { err, code } = await cria(['logits', file, '--tokens', '1', '--all'])
    expect(err).toMatch(said)
    expect(code).toBe(0)
  })

  test('logits says, as run does, when there are more tokens than the model was made for', async () => {
    const ids = Array.from({ length: 513 }, (_, i) => 3 + (i % 200))
    const { err, code } = await cria(['logits', fixture, '--tokens', ids.join()])
    expect(err).toContain('513 tokens are more than the 512 this model was made for')
    expect(code).toBe(0)
    expect((await cria(['logits', fixture, '--tokens', ids.slice(1).join()])).err).toBe('')
  })

  test('perplexity of a damaged model is an error', async () => {
    const file = join(scratch, 'damaged.gguf')
    expect((await cria(['convert', fixture, file, '--type', 'F32'])).code).toBe(0)
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0xff, bytes.length - 4096))
    const { out, err, code } = await cria(['perplexity', file, '-', '--context', '8'], 'abcabc abc abcabc')
    expect(err).toContain('Check that the weights are whole')
    expect(out).toBe('')
    expect(code).toBe(1)
  })

  test('perplexity takes UTF-8 alone, and says where windows are longer than the model holds', async () => {
    const path = join(scratch, 'latin1.txt')
    writeFileSync(path, Buffer.concat([Buffer.from('abc \ufffd é'), Buffer.from([0x62, 0xe9, 0x62])]))
    const latin1 = await cria(['perplexity', fixture, path])
    expect(latin1).toMatchObject({ code: 1, out: '' })
    expect(latin1.err).toContain('got byte 0xe9 at 11 of')
    writeFileSync(path, Buffer.from([0x61, 0xef, 0xbf]))
    expect((await cria(['perplexity', fixture, path])).err).toContain('cut short at 3 of')
    const long = ['perplexity', fixture, '-', '--json', '--context']
    expect((await cria([...long, '100000'], 'abcabc')).err).toContain('--context: got 100000')
    expect((await cria([...long, '8'], 'abcabc')).err).toBe('')
  })

  test('eval runs bundled tasks and files, and keeps answers', async () => {
    const task = join(scratch, 'letters.jsonl')
    writeFileSync(task, '{"query":"a","choices":["b","c"],"gold":0}\n{"query":"b","choices":["c","d"],"gold":1}\n')
    const args = ['eval', fixture, task, 'sanity', '--limit', '2', '--cache', join(scratch, 'answers.jsonl')]
    const { out, code } = await cria([...args, '--json'])
    const parsed = JSON.parse(out) as { results: Record<string, Record<string, number>>; 'n-samples': object }
    expect(code).toBe(0)
    expect(parsed['n-samples']).toEqual({ letters: 2, sanity: 2 })
    const table = await cria(args)
    const accuracy = (parsed.results.letters!['acc,none']! * 100).toFixed(1)
    expect(table.out).toContain(`| letters | 0     | 2 | acc      | ↑ | ${accuracy.padEnd(5)} |`)
    const zero = join(scratch, 'zero.yaml')
    writeFileSync(zero, 'doc_to_text: q\ndoc_to_target: a\nnum_fewshot: 0\ndocs: [{q: a, a: b}]\n')
    const shots = await cria(['eval', fixture, zero, '--num-fewshot', '5', '--json'])
    expect(shots.err).toContain('--num-fewshot: got 5, not for zero')
    expect(JSON.parse(shots.out)).toMatchObject({ 'n-shot': { zero: 0 } })
    expect((await cria(['eval', fixture, zero, '--num-fewshot', '0', '--json'])).err).not.toContain('num-fewshot')
  })

  test('bench prints what it measured', async () => {
    const { out } = await cria(['bench', fixture, '-p', '16', '-n', '4', '-t', '1', '-r', '2', '--json'])
    const rows = JSON.parse(out) as {
      test: string
      threads: number
      tokensPerSecond: { median: number; min: number; max: number }
    }[]
    expect(rows.map(r => r.test)).toEqual(['pp16', 'tg4'])
    for (const { tokensPerSecond: t } of rows) expect(t.min <= t.median && t.median <= t.max && t.min > 0).toBe(true)
  })

  test.each([
    ['cpu', cpuThreads],
    ['reference', 1],
  ])('bench on %s without -t reports the threads it used: %i', async (backend, threads) => {
    const args = ['bench', fixture, '-p', '0', '-n', '1', '-r', '1', '--backend', backend]
    expect(JSON.parse((await cria([...args, '--json'])).out)).toMatchObject([{ test: 'tg1', threads, backend }])
    expect((await cria(args)).out).toContain(`threads ${threads} `)
  })
})

describe('the model in the box', () => {
  test('start tells the beginning and the end of a story with no file, no network and no name given', async () => {
    const { out, err, code } = await cria(['start', '--seed', '5'])
    expect(out).toMatch(/^Once upon a time .+\n/)
    expect(err).toMatch(/storyteller\.gguf .*· stop/s)
    expect(code).toBe(0)
  })

  test('run tells without a prompt what start tells; another model needs one', async () => {
    const told = await cria(['run', 'storyteller', '--seed', '5'])
    expect(told).toMatchObject({ code: 0, out: (await cria(['start', '--seed', '5'])).out })
    const { out, err, code } = await cria(['run', 'no-model.gguf'])
    expect({ out, code }).toEqual({ out: '', code: 2 })
    expect(err).toMatch(/--prompt: got none, expected the text to continue.*storyteller/)
    expect((await cria(['run', '--help'])).out).toMatch(/--prompt <text>\s+[^-]*storyteller/)
  })

  test('run knows it by name unless a model of that name lies here', async () => {
    const args = ['--prompt', 'A fox', '--max-tokens', '8', '--json']
    const box = (await cria(['run', 'storyteller', '--seed', '1', ...args])).out
    expect(JSON.parse(box)).toMatchObject({ reason: 'length' })
    const here = join(scratch, 'storyteller')
    for (const make of [() => mkdirSync(here), () => writeFileSync(here, 'notes')]) {
      make()
      try {
        const { out, err } = await cria(['run', 'storyteller', '--seed', '1', ...args])
        expect(JSON.parse(out).tokens).toEqual(JSON.parse(box).tokens)
        expect(err).toContain('storyteller here is no model')
        expect(err).toContain('./storyteller means what is here')
        expect(await cria(['run', './storyteller', ...args])).toMatchObject({ code: 1, out: '' })
      } finally {
        rmSync(here, { recursive: true })
      }
    }
    mkdirSync(here)
    copyFileSync(fixture, join(here, 'model.gguf'))
    try {
      expect((await cria(['inspect', 'storyteller'])).out).toMatch(/^storyteller: gguf/)
    } finally {
      rmSync(here, { recursive: true })
    }
  })

  test('chat tells what it is told to and answers about it; render shows how', async () => {
    const order = 'Tell a story about a fox named Heidi.'
    const { out, err, code } = await cria(['chat', 'storyteller', '--seed', '1'], `Why?\n${order}\nWho was Heidi?\n`)
    expect(code).toBe(0)
    expect(err).toContain('a question before a story')
    expect(out).toMatch(/Heidi(.|\n)*\n+[A-Z][a-z ]+\.\n+$/)
    expect(out).not.toContain('Question')
    const messages = JSON.stringify([{ role: 'user', content: order }])
    const rendered = await cria(['render', 'storyteller'], messages)
    expect(rendered.out).toBe(`<s>Instruction: ${order}\nStory:\n\n`)
  })

  test('a folder that is no model hides none in the model folder', async () => {
    mkdirSync(join(scratch, 'models/small'), { recursive: true })
    mkdirSync(join(scratch, 'small'))
    copyFileSync(fixture, join(scratch, 'models/small/model.gguf'))
    expect((await cria(['inspect', 'small'])).out).toMatch(/^models.small: gguf/)
  })
})

describe.skipIf(!existsSync(stories))('on stories260K (needs the folder `shared` beside the checkout)', () => {
  test('run tells the golden story', async () => {
    // the file says 128, llama2.c's own says 512
    const beyond = ['--max-tokens', '200', '--context', '256']
    const { out } = await cria(['run', stories, '--prompt', '', '--temperature', '0', ...beyond])
    expect(out).toBe(`${readFileSync(join(shared, 'golden', 'stories260K-greedy.txt'), 'utf8')}\n`)
  })

  test('tokenize takes text, lines, and special tokens only when told', async () => {
    const plain = JSON.parse((await cria(['tokenize', stories, '--json'], 'Once upon <s>')).out) as {
      ids: number[]
      pieces: string[]
    }
    expect(plain.ids.length).toBe(plain.pieces.length)
    expect(plain.ids).not.toContain(1)
    const special = JSON.parse((await cria(['tokenize', stories, '--json', '--specials', '--bos'], 'Once<s>')).out) as {
      ids: number[]
    }
    expect(special.ids.filter(id => id === 1)).toHaveLength(2)
    const lines = await cria(['tokenize', stories, '--jsonl'], '"Once"\n"upon\\na"\n')
    expect(
      lines.out
        .trim()
        .split('\n')
        .map(line => (JSON.parse(line) as number[]).length > 0),
    ).toEqual([true, true])
  })

  test('tokenize prints ids in a line, or how many there are', async () => {
    const { out } = await cria(['tokenize', stories], 'Once upon <s>')
    expect(out).toMatch(/^\d+( \d+)+\n$/)
    expect((await cria(['tokenize', stories, '--count'], 'Once upon <s>')).out).toBe(`${out.split(' ').length}\n`)
    expect((await cria(['tokenize', stories], '')).out).toBe('\n')
  })
})

describe('tokenizer files', () => {
  test('tokenizer train writes a folder that tokenize and render read', async () => {
    const text = join(scratch, 'text.txt')
    writeFileSync(text, 'low lower lowest, new newer newest\n'.repeat(50))
    const out = join(scratch, 'trained')
    const trained = await cria(['tokenizer', 'train', text, text, '--vocab', '270', '--out', out, '--json'])
    expect(JSON.parse(trained.out)).toMatchObject({ vocab: 270, bytes: 3500 })
    const { ids, pieces } = JSON.parse((await cria(['tokenize', out, '--json'], 'lower new')).out) as {
      ids: number[]
      pieces: string[]
    }
    expect(pieces.join('')).toBe('lowerĠnew')
    expect(ids.length).toBeLessThan(5)

    const template = join(scratch, 'chat.jinja')
    writeFileSync(
      template,
      '{% for m in messages %}<|begin_of_text|>{{ m.role }}: {{ m.content }}{% endfor %}{% if add_generation_prompt %}!{% endif %}',
    )
    const messages = JSON.stringify([{ role: 'user', content: 'new <|begin_of_text|>' }])
    const render = async (...more: string[]): Promise<{ text: string; ids: number[] }> =>
      JSON.parse((await cria(['render', out, '--json', '--template', template, ...more], messages)).out) as {
        text: string
        ids: number[]
      }
    const rendered = await render()
    expect(rendered.text).toBe('<|begin_of_text|>user: new <|begin_of_text|>!')
    expect(rendered.ids.filter(id => id === 0)).toHaveLength(1)
    expect((await render('--no-generation-prompt')).text).toBe('<|begin_of_text|>user: new <|begin_of_text|>')
  })
})

describe('mistakes', () => {
  test.each([
    [['run', 'nowhere.gguf', '--prompt', 'x'], 1, 'expected a file, a folder'],
    [['run', fixture], 2, '--prompt'],
    [['logits', fixture], 2, 'expected one'],
    [['logits', fixture, '--tokens', '1', '--threads', '0'], 2, 'whole number from 1 to 1024'],
    [['logits', fixture, '--tokens', '1', '--threads', '2', '--backend', 'reference'], 2, 'Leave it out'],
    [['bench', fixture, '-t', '1,2', '--backend', 'webgpu'], 2, 'expected it with auto, cpu or wasm'],
    [['logits', fixture, '--tokens', '1,x'], 2, "argument '1,x' is invalid"],
    [['logits', fixture, '--tokens', '1', '--top', '-2'], 2, 'whole number ≥ 1'],
    [['bench', fixture, '-p', '0', '-n', '0'], 2, 'something to measure'],
    [['run', fixture, '--prompt', 'x', '--top-p', '2'], 2, '--top-p: got 2'],
    [['run', fixture, '--prompt', 'x', '--temperature', '-1'], 2, '--temperature: got -1'],
    [['run', fixture, '--prompt', 'x', '--temperature', '-1', '--preset', 'vllm'], 2, '--temperature: got -1'],
    [['run', fixture, '--prompt', 'x', '--repeat-penalty', '0'], 2, '--repeat-penalty: got 0'],
    [['logits', fixture, '--tokens', '1', '--prompt', 'x'], 2, 'expected one'],
    [['logits', fixture, '--tokens', '1', '--threads', '1e9'], 2, 'whole number from 1 to 1024'],
    [['synth', '--shape', 'foo', '--type', 'F32', '--out', 'x.gguf'], 2, 'expected one of'],
    [['eval', fixture, 'sanity', '--limit', '0'], 2, '--limit'],
    [['eval', fixture, 'sanity', '--samples'], 2, '--samples: got no --json'],
    [['eval', fixture, 'sanity', 'sanity', '--json'], 1, 'two tasks named sanity'],
    [['eval', fixture, 'sanity', '--cache', tmpdir()], 1, 'cache: got'],
    [['convert', fixture, 'out.gguf', '--type', 'Q9'], 2, 'expected one of'],
    [['render', fixture, '--json'], 1, 'expected a JSON array of messages'],
    [['tokenizer', 'train', 'nowhere.txt', '--vocab', '300', '--out', 'x'], 1, 'expected a file of text'],
    [['tokenizer', 'train', 'nowhere.txt', '--out', 'x'], 2, '--vocab'],
    [['perplexity', fixture, 'nowhere.txt'], 1, 'expected a text file'],
    [['eval', fixture, 'arc_easi'], 1, 'expected one of sanity'],
    [['eval', fixture, 'arc_easy'], 1, 'Dataset.to_json'],
    [['nonsense'], 2, 'nonsense'],
  ])('%j ends with code %i and says why', async (args, code, text) => {
    const { err, code: got } = await cria(args)
    expect(err).toContain(text)
    expect(got).toBe(code)
    expect(err).not.toMatch(/\n\s+at /)
  })
})
