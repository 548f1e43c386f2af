/** `cria run` with samplers, structure, searches and log-probabilities, on the committed fixture and a real story model. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Device } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { main } from './index.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const shared = process.env.CRIA_SHARED ?? join(root, '..', 'shared')
const stories = join(shared, 'models', 'stories260K.gguf')
const fixture = join(root, 'tools', 'golden', 'fixtures', 'every-type.gguf')
const scratch = mkdtempSync(join(tmpdir(), 'cria-run-'))
afterAll(() => rmSync(scratch, { recursive: true }))

interface Json {
  text: string
  tokens: number[]
  reason: string
  seed: number
  speculation?: { drafted: number; accepted: number; passes: number }
  beams?: { text: string; tokens: number[]; score: number }[]
  bestOf?: { tokens: number[]; score: number }[]
  logprobs?: { prompt: (Position | null)[]; generated: Position[] }
}
interface Position {
  token: number
  logprob: number
  rank: number
  entropy: number
  top: { token: number; logprob: number }[]
}

/** Within this process: the command line itself is tested in cli.test.ts. */
async function run(model: string, ...args: string[]): Promise<{ out: string; err: string }> {
  let out = ''
  let err = ''
  const write = (take: (text: string) => void) => (text: unknown, done?: unknown) => {
    take(String(text))
    if (typeof done === 'function') done()
    return true
  }
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation(write(text => (out += text)))
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(write(text => (err += text)))
  try {
    await main(['node', 'cria', 'run', model, '--threads', '1', ...args])
  } finally {
    stdout.mockRestore()
    stderr.mockRestore()
    process.exitCode = 0
  }
  return { out, err }
}
const json = async (model: string, ...args: string[]): Promise<Json> => {
  const { out, err } = await run(model, '--json', ...args)
  if (out === '') throw new Error(err)
  return JSON.parse(out) as Json
}
const short = ['--prompt', 'a', '--max-tokens', '6', '--seed', '5']

describe('samplers', () => {
  test.each(['llamacpp', 'hf', 'vllm'])(
    'every one of them runs under preset %s, and a seed reproduces',
    async preset => {
      const everything =
        '--temperature 0.9 --dynatemp-range 0.2 --dynatemp-exponent 1.1 --top-k 30 --top-p 0.99 --min-p 0.001 --typical-p 0.99 ' +
        '--top-n-sigma 6 --top-h 0.99 --epsilon-cutoff 0.0001 --eta-cutoff 0.0001 --xtc-probability 0.5 --xtc-threshold 0.2 ' +
        '--min-keep 1 --repeat-penalty 1.1 --repeat-last-n 32 --frequency-penalty 0.1 --presence-penalty 0.1 ' +
        '--dry-multiplier 0.8 --dry-base 1.7 --dry-allowed-length 2 --dry-penalty-last-n -1 --no-repeat-ngram-size 3 ' +
        '--encoder-no-repeat-ngram-size 3 --encoder-repetition-penalty 1.1 --logit-bias 40:-1 --ban 41 --bad-words xyz ' +
        '--sequence-bias abc:1 --begin-suppress-tokens 7,8 --min-tokens 2 --min-length 3 --ignore-eos ' +
        '--exponential-decay-length-penalty 3,1.1 --guidance-scale 1.2 --negative-prompt b --watermark --watermark-bias 1'
      const args = [...short, '--preset', preset, ...everything.split(' ')]
      const [one, two] = [await json(fixture, ...args), await json(fixture, ...args)]
      expect(one.tokens).toHaveLength(6)
      expect(one.tokens).toEqual(two.tokens)
      expect(one.tokens).not.toContain(41)
      for (const draw of ['--mirostat 1', '--mirostat 2 --mirostat-tau 4', '--adaptive-target 0.3'])
        expect(
          (await json(fixture, ...short, '--ignore-eos', '--preset', preset, ...draw.split(' '))).tokens,
        ).toHaveLength(6)
    },
  )

  test('--force-token places tokens, --min-keep widens the cuts of hf, and the largest seed has n texts', async () => {
    const { tokens } = await json(fixture, ...short, '--force-token', '0:30', '--force-token', '3:31')
    expect([tokens[0], tokens[3]]).toEqual([30, 31])
    const hf = [...short, '--preset', 'hf', '--temperature', '5', '--top-k', '1']
    const narrow = await json(fixture, ...hf)
    expect((await json(fixture, ...hf, '--min-keep', '50')).tokens).not.toEqual(narrow.tokens)
    const largest = ['--seed', String(Number.MAX_SAFE_INTEGER), '--best-of', '3']
    expect((await json(fixture, '--prompt', 'a', '--max-tokens', '2', ...largest)).bestOf).toHaveLength(3)
  })

  test('a special token switches the structure on, though it has no text', async () => {
    const lazy = ['--force-token', '1:<s>', '--trigger', '<s>', '--regex', 'ab?c']
    const { text, reason } = await json(fixture, ...short, '--max-tokens', '12', ...lazy)
    expect(text).toMatch(/ab?c$/)
    expect(reason).toBe('stop')
  })

  test('--allow leaves those tokens alone; temperature 0 is greedy under each preset', async () => {
    const { tokens } = await json(fixture, ...short, '--allow', '30,31')
    expect(tokens.every(t => t === 30 || t === 31)).toBe(true)
    const greedy: Json[] = []
    for (const preset of ['llamacpp', 'hf', 'vllm'])
      greedy.push(await json(fixture, ...short, '--preset', preset, '--temperature', '0'))
    expect(greedy[1]!.tokens).toEqual(greedy[0]!.tokens)
    expect(greedy[2]!.tokens).toEqual(greedy[0]!.tokens)
  })

  // No model is opened for these: there is none of this name.
  test.each([
    [['--samplers', 'kz'], /--samplers: got z, expected penalties, dry/],
    [['--temperature', '-1'], /--temperature: got -1/],
    [['--top-p', '1.5'], /--top-p: got 1.5/],
    [['--top-k', '0.5'], /--top-k: got 0.5/],
    [['--repeat-penalty', '0'], /--repeat-penalty: got 0/],
    [['--preset', 'hf', '--guidance-scale', '-1'], /--guidance-scale: got -1/],
    [['--seed', '0.5'], /--seed: got 0.5/],
    [['--thinking-budget', '-2'], /--thinking-budget: got -2/],
    [['--logit-bias', 'x'], /--logit-bias: got x, expected TOKEN:BIAS/],
    [['--mirostat', '3'], /mirostat/],
    [['--regex', 'a', '--choices', 'b'], /got 2 structures/],
    [['--regex', '(a'], /--regex: got the end at 2 of "\(a", expected a closing parenthesis/],
    [['--json-schema', '{'], /--json-schema: got .* expected JSON/],
    [['--grammar', '/dev/null'], /--grammar: \/dev\/null: got no rule "root"/],
    // Two options with the value: the one at fault is named.
    [['--adaptive-target', '6'], /--adaptive-target: got 6/],
    [['--exponential-decay-length-penalty', '3'], /Expected two numbers/],
    [['--allow', '-1'], /argument '-1' is invalid. Expected a whole number ≥ 0/],
    [['--trigger', 'x'], /--trigger: got no structure/],
    [['--choices', ''], /--choices: got nothing, expected texts/],
    [['--choices', 'a,,b'], /--choices: got a,,b, expected texts/],
    [['--regex', ''], /--regex: got nothing/],
    [['--bad-words', ''], /--bad-words: got an empty text/],
    [['--force-token', 'x:1'], /--force-token: got x:1, expected POSITION:TOKEN/],
    // Options that would change nothing.
    [['--preset', 'vllm', '--samplers', 'k'], /--samplers: got preset vllm, expected llamacpp/],
    [['--preset', 'vllm', '--min-keep', '3'], /--min-keep: got preset vllm/],
    [['--negative-prompt', 'x'], /--negative-prompt: got no --guidance-scale/],
    [['--watermark-bias', '1'], /--watermark-bias: got no --watermark,/],
    [['--xtc-threshold', '0.2'], /--xtc-threshold: got no --xtc-probability/],
    [['--dry-base', '2'], /--dry-base: got no --dry-multiplier/],
    [['--mirostat-tau', '3'], /--mirostat-tau: got no --mirostat,/],
    [['--adaptive-decay', '0.5'], /--adaptive-decay: got no --adaptive-target/],
    [['--ignore-unsupported'], /--ignore-unsupported: got no --json-schema/],
    [['--beams', '2', '--prompt-lookup'], /got --beams and --prompt-lookup, expected one of them/],
    [['--beams', '0'], /argument '0' is invalid. Expected a whole number ≥ 1/],
    [['--beams', '4', '--beam-groups', '3'], /--beam-groups: got 3, expected a divisor of --beams 4/],
    [['--beams', '4', '--diversity-penalty', '-1'], /argument '-1' is invalid. Expected a number ≥ 0/],
    [['--contrastive', '0.6'], /Expected two numbers/],
    [['--contrastive', '2,4'], /--contrastive: got 2,4, expected a number from 0 to 1/],
    [['--contrastive', '0.6,0.5'], /--contrastive: got 0.6,0.5/],
    [['--contrastive', '0.6,4', '--beams', '2'], /got --beams and --contrastive, expected one of them/],
    [['--contrastive', '0.6,4', '--guidance-scale', '2'], /--guidance-scale: got --contrastive/],
    [['--best-of', '1.5'], /argument '1.5' is invalid/],
    [['--early-stopping'], /--early-stopping: got no --beams/],
    [['--logprobs', '2'], /--logprobs: got no --json/],
    [['--json-schema', 'nowhere.json'], /--json-schema: got nowhere.json, expected a file/],
    [['--json-schema', '{"not":{}}'], /the keyword not/],
    [['--max-tokens', '1.5'], /argument '1.5' is invalid. Expected a whole number/],
    [['--draft', 'no-draft.gguf'], /model: got no-draft.gguf/],
  ])('%j is refused with the reason before a model is looked for', async (args, message) => {
    const { out, err } = await run('no-model.gguf', ...short, '--no-echo', ...args)
    expect(out).toBe('')
    expect(err).toMatch(message)
  })

  test.each([
    [['--ban', 'no such token at all'], /--ban: got no such token/],
    [['--logit-bias', '9999:1'], /--logit-bias: got 9999/],
    [['--allow', '5,9999'], /--allow: got 9999/],
    [['--preset', 'vllm', '--allow', '9999'], /--allow: got 9999/],
    [['--begin-suppress-tokens', '9999'], /--begin-suppress-tokens: got 9999/],
    [['--thinking-budget', '2'], /<think>/],
    [['--force-token', '0:9999'], /--force-token: got 9999/],
    [['--regex', 'a+', '--trigger', 'b'], /--trigger: got "b", expected a text that the structure begins with/],
    [['--regex', 'a+', '--trigger', ''], /--trigger: got ""/],
    [['--context', '1', '--prompt', 'abcabc'], /--context: got a prompt of \d+ tokens/],
  ])('%j is refused where the vocabulary has no such token, before weights are read', async (args, message) => {
    const devices = Object.getPrototypeOf(reference()) as Device
    const upload = vi.spyOn(devices, 'upload')
    const load = vi.spyOn(devices, 'load')
    const { out, err } = await run(fixture, ...short, '--no-echo', ...args)
    expect(out).toBe('')
    expect(err).toMatch(message)
    expect(upload).not.toHaveBeenCalled()
    expect(load).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })
})

test('a model of a giant context runs without a limit given', async () => {
  const file = join(scratch, 'giant.gguf')
  const bytes = readFileSync(fixture)
  const key = 'llama.context_length'
  bytes.writeUInt32LE(2 ** 31, bytes.indexOf(key) + key.length + 4)
  writeFileSync(file, bytes)
  expect(await json(file, '--prompt', 'a', '--choices', 'b')).toMatchObject({ text: 'b', reason: 'stop' })
})

describe('the context that a model was made for', () => {
  const long = 'a '.repeat(700)

  test.each([[[]], [['--max-tokens', '10']]])('with %j a longer prompt is refused, saying what to do', async more => {
    const { out, err } = await run(fixture, '--prompt', long, ...more)
    expect(out).toBe('')
    expect(err).toMatch(/--prompt: got \d+ tokens, expected at most the 512 .*Shorten it, or --context \d+ /)
  })

  test('ends what --max-tokens allows', async () => {
    const within = ['--prompt', 'a', '--ignore-eos', '--max-tokens', '600']
    const { tokens, reason } = await json(fixture, ...within)
    expect(reason).toBe('capacity')
    expect(tokens.length).toBeLessThanOrEqual(512)
  })

  test('--context goes beyond it, and says so', async () => {
    const beyond = ['--prompt', long, '--context', '2000', '--max-tokens', '3', '--ignore-eos']
    expect((await run(fixture, ...beyond)).err).toContain('2000 tokens are more than the 512')
    expect(await json(fixture, ...beyond)).toMatchObject({ tokens: { length: 3 }, reason: 'length' })
  })
})

describe.skipIf(!existsSync(stories))('on stories260K (needs the folder `shared` beside the checkout)', () => {
  const story = ['--prompt', 'Once upon a time', '--max-tokens', '40', '--temperature', '0']

  test('structure: choices, regex, grammar, schema, trigger', async () => {
    const choice = await json(stories, '--prompt', 'She was', '--choices', ' happy, sad', '--max-tokens', '20')
    expect(choice).toMatchObject({ text: expect.stringMatching(/^ (happy|sad)$/), reason: 'stop' })
    const regex = await json(stories, '--prompt', 'He had', '--regex', ' [a-z]{3}, [0-9]{2}', '--max-tokens', '20')
    expect(regex.text).toMatch(/^ [a-z]{3}, \d\d$/)
    const grammar = join(scratch, 'g.gbnf')
    writeFileSync(grammar, 'root ::= " a" word{2} "."\nword ::= " " [a-z]{1,6}')
    expect((await json(stories, '--prompt', 'It was', '--grammar', grammar, '--max-tokens', '30')).text).toMatch(
      /^ a( [a-z]{1,6}){2}\.$/,
    )
    writeFileSync(join(scratch, 'defs.json'), '{"$defs":{"mood":{"enum":["happy","sad"]}}}')
    const schema = join(scratch, 'schema.json')
    writeFileSync(
      schema,
      JSON.stringify({
        type: 'object',
        properties: {
          mood: { $ref: 'defs.json#/$defs/mood' },
          toys: { type: 'array', items: { type: 'string', maxLength: 8 }, maxItems: 2 },
        },
        required: ['mood', 'toys'],
        additionalProperties: false,
      }),
    )
    const { text } = await json(stories, '--prompt', 'Lily:', '--json-schema', schema, '--max-tokens', '120')
    const value = JSON.parse(text) as { mood: string; toys: string[] }
    expect(['happy', 'sad']).toContain(value.mood)
    expect(value.toys.every(toy => [...toy].length <= 8)).toBe(true)
    const loose = JSON.stringify({
      type: 'array',
      items: { enum: [1, 2] },
      uniqueItems: true,
      minItems: 1,
      maxItems: 2,
    })
    const ignoring = ['--json-schema', loose, '--ignore-unsupported']
    expect((await json(stories, '--prompt', 'x', '--max-tokens', '60', ...ignoring)).text).toMatch(/^\[\s*[12]/)
    const lazy = await json(stories, ...story, '--regex', ' was happy!', '--trigger', ' was')
    expect(lazy.text).toMatch(/ was happy!$/)
  })

  test('speculation by prompt lookup and by a draft model writes the same text in fewer passes', async () => {
    for (const chain of [[], ['--temperature', '0.7', '--seed', '3', '--repeat-penalty', '1.1']]) {
      const plain = await json(stories, ...story, ...chain)
      const looked = await json(stories, ...story, ...chain, '--prompt-lookup')
      const drafted = await json(stories, ...story, ...chain, '--draft', stories, '--draft-tokens', '4')
      expect(looked.tokens).toEqual(plain.tokens)
      expect(drafted.tokens).toEqual(plain.tokens)
      expect(drafted.speculation!.passes).toBeLessThan(plain.tokens.length)
    }
    await expect(json(stories, ...story, '--draft', fixture)).rejects.toThrow(/--draft: got token/)
  })

  test('a loop ends by --stop-repetition', async () => {
    const loop = [
      '--prompt',
      'a a a a a a a a a a a a',
      '--max-tokens',
      '60',
      '--temperature',
      '0',
      '--allow',
      '261,262,263',
    ]
    expect((await json(stories, ...loop)).reason).toBe('length')
    const { reason, tokens } = await json(stories, ...loop, '--stop-repetition', '3')
    expect(reason).toBe('repetition')
    expect(tokens.length).toBeLessThan(60)
  })

  test('log-probabilities of prompt and text agree in every way of writing', async () => {
    const plain = await json(stories, ...story, '--logprobs', '3')
    const { prompt, generated } = plain.logprobs!
    expect(prompt[0]).toBeNull()
    expect(prompt.length).toBeGreaterThan(3)
    expect(generated.map(g => g.token)).toEqual(plain.tokens)
    for (const { rank, logprob, top, entropy } of generated) {
      expect(rank).toBe(1)
      expect(top).toHaveLength(3)
      expect(top[0]!.logprob).toBe(logprob)
      expect(entropy).toBeGreaterThan(0)
    }
    const fast = await json(stories, ...story, '--logprobs', '3', '--prompt-lookup')
    expect(fast.logprobs).toEqual(plain.logprobs)
    // what was written, read as a prompt
    const again = await json(
      stories,
      '--prompt',
      `Once upon a time${plain.text}`,
      '--max-tokens',
      '0',
      '--logprobs',
      '0',
    )
    const tail = again.logprobs!.prompt.slice(-generated.length)
    tail.forEach((p, i) => void expect(p!.logprob).toBeCloseTo(generated[i]!.logprob, 3))
  })

  test('contrastive search: alpha 0 is greedy, more turns from what was said; rules hold', async () => {
    const plain = await json(stories, ...story, '--logprobs', '1')
    const same = await json(stories, ...story, '--contrastive', '0,4', '--logprobs', '1')
    expect(same.tokens).toEqual(plain.tokens)
    same.logprobs!.generated.forEach(
      ({ logprob }, i) => void expect(logprob).toBeCloseTo(plain.logprobs!.generated[i]!.logprob, 3),
    )
    const other = await json(stories, ...story, '--contrastive', '0.6,4')
    expect(other.tokens).toHaveLength(40)
    expect(other.tokens).not.toEqual(plain.tokens)
    const held = await json(stories, ...story, '--contrastive', '0.6,4', '--regex', ' [a-z ]{10,20}\\.')
    expect(held.text).toMatch(/^ [a-z ]{10,20}\.$/)
  })

  test('beams: one is greedy, four score no worse, and their log-probabilities add up to the score', async () => {
    const plain = await json(stories, ...story)
    expect((await json(stories, ...story, '--beams', '1')).tokens).toEqual(plain.tokens)
    const { beams, logprobs, tokens } = await json(stories, ...story, '--beams', '4', '--logprobs', '1')
    expect(beams).toHaveLength(4)
    const sum = logprobs!.generated.reduce((s, p) => s + p.logprob, 0)
    expect(sum / tokens.length).toBeCloseTo(beams![0]!.score, 3)
    const [one] = (await json(stories, ...story, '--beams', '1')).beams!
    expect(beams![0]!.score).toBeGreaterThanOrEqual(one!.score)
    const held = await json(stories, ...story, '--beams', '3', '--regex', ' [a-z ]{10,20}\\.')
    expect(held.text).toMatch(/^ [a-z ]{10,20}\.$/)
    const best = await json(stories, ...story, '--temperature', '1', '--best-of', '3', '--seed', '1')
    expect(best.bestOf).toHaveLength(3)
    expect(best.tokens).toEqual(best.bestOf![0]!.tokens)
  })
})
