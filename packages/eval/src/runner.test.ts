import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { questions, Written } from '../test/fake.js'
import {
  type EvaluateOptions,
  EvaluationError,
  evaluate,
  type Filter,
  readTask,
  type Task,
  taskFields,
} from './index.js'
import { fileCache, folderSource, loadTask } from './node.js'

const folder = mkdtempSync(join(tmpdir(), 'cria-eval-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const yes = new Written({
  pairs: ({ continuation }) => ({ logprob: continuation === ' yes' ? -1 : -2, greedy: false }),
})

describe('the runner', () => {
  test('asks each choice after the question and counts', async () => {
    const lm = new Written({
      pairs: ({ continuation }) => ({ logprob: continuation === ' yes' ? -1 : -2, greedy: false }),
    })
    const [result] = await evaluate(lm, [questions])
    expect(lm.asked.slice(0, 2)).toMatchObject([
      { context: 'Q: a\nA:', continuation: ' no' },
      { context: 'Q: a\nA:', continuation: ' yes' },
    ])
    expect(result!.scores).toEqual([{ metric: 'acc', filter: 'none', value: 0.5, stderr: 0.5, higherIsBetter: true }])
    expect(result!.samples[1]!.values).toEqual({ none: { acc: 0 } })
  })

  test('shows examples before the question, and none where the task says 0', async () => {
    const lm = new Written({ pairs: () => ({ logprob: -1, greedy: true }) })
    const first = { ...questions, description: 'Answer.\n', fewshotSampler: 'first_n' } as const
    await evaluate(lm, [first, { ...questions, name: 'zero', numFewshot: 0 }], { numFewshot: 2, limit: 1 })
    expect(lm.asked.map(a => (a as { context: string }).context)).toEqual([
      'Answer.\nQ: x\nA: q\n\nQ: y\nA: r\n\nQ: a\nA:',
      'Answer.\nQ: x\nA: q\n\nQ: y\nA: r\n\nQ: a\nA:',
      'Q: a\nA:',
      'Q: a\nA:',
    ])
    await expect(evaluate(lm, [questions], { numFewshot: 3 })).rejects.toThrow('choose 3 examples')
  })

  test('never shows a document its own answer', async () => {
    const lm = new Written({ pairs: () => ({ logprob: -1, greedy: true }) })
    const only: Task = { ...questions, splits: { test: 'test' } }
    await evaluate(lm, [only], { numFewshot: 1 })
    for (const asked of lm.asked as { context: string }[]) {
      const [, shown, question] = /Q: (.)\nA: \w+\n\nQ: (.)/.exec(asked.context)!
      expect(shown).not.toBe(question)
    }
  })

  test.each(['default', 'first_n'] as const)(
    'reads a pool of examples once, not for each document (%s)',
    async fewshotSampler => {
      let reads = 0
      const doc = (i: number) => ({
        q: `q${i}`,
        choices: ['no', 'yes'],
        gold: 0,
        toJSON: () => `${i} ${reads++}`.split(' ')[0],
      })
      const train = Array.from({ length: 400 }, (_, i) => doc(i))
      const test = Array.from({ length: 50 }, (_, i) => doc(i * 2))
      const lm = new Written({ pairs: () => ({ logprob: -1, greedy: true }) })
      const shots = { numFewshot: 3, bootstrapIterations: 0 }
      await evaluate(lm, [{ ...questions, data: { test }, splits: { test: 'test' }, fewshotSampler }], shots)
      expect(reads).toBe(50 + 50)
      reads = 0
      const groups: Task = { ...questions, data: { train, test }, fewshotGroup: d => String(d.gold), fewshotSampler }
      await evaluate(lm, [groups], shots)
      expect(reads).toBe(0)
    },
  )

  test('divides by the likelihood after "Answer:", as LLaMA does', async () => {
    const lm = new Written({
      pairs: ({ context, continuation }) => ({
        logprob: context === 'Answer:' ? (continuation === ' yes' ? -0.5 : -3) : continuation === ' yes' ? -1 : -2,
        greedy: false,
      }),
    })
    const [result] = await evaluate(lm, [{ ...questions, metrics: ['acc', 'acc_answer'] }])
    // yes: −1 + 0.5; no: −2 + 3. "no" wins, which is right for the second document alone.
    expect(result!.samples.map(s => s.values.none)).toEqual([
      { acc: 1, acc_answer: 0 },
      { acc: 0, acc_answer: 1 },
    ])
  })

  test('keeps answers on disk, whole lines alone', async () => {
    const path = join(folder, 'cache', 'answers.jsonl')
    await evaluate(yes, [questions], { cache: await fileCache(path) })
    const asked = yes.asked.length
    writeFileSync(path, '["cut', { flag: 'a' })
    const [again] = await evaluate(yes, [questions], { cache: await fileCache(path) })
    expect(yes.asked.length).toBe(asked)
    expect(again!.scores[0]!.value).toBe(0.5)
    await evaluate(yes, [{ ...questions, docToText: () => 'new' }], { cache: await fileCache(path) })
    expect(
      (await fileCache(path)).get(JSON.stringify({ kind: 'loglikelihood', context: 'new', continuation: ' no' })),
    ).toBeDefined()
  })

  test('asks again what the cache holds otherwise than as an answer, and needs a file', async () => {
    const path = join(folder, 'odd.jsonl')
    for (const odd of ['null', '5', '"a"', '{}', '{"logprob":null,"greedy":true}', '{"logprob":-1}']) {
      const first = { kind: 'loglikelihood', context: 'Q: a\nA:', continuation: ' no' }
      writeFileSync(path, `${JSON.stringify([JSON.stringify(first), 0]).replace(/0]$/, `${odd}]`)}\n`)
      const [result] = await evaluate(yes, [questions], { cache: await fileCache(path) })
      expect(result!.scores[0]!.value).toBe(0.5)
    }
    await expect(fileCache(folder)).rejects.toThrow(EvaluationError)
    await expect(fileCache(join(path, 'below.jsonl'))).rejects.toThrow(EvaluationError)
  })

  test('draws several answers and lets them vote', async () => {
    const lm = new Written({ generate: (_, n) => ['4', '5', '5'][n % 3]! })
    const task: Task = {
      ...questions,
      outputType: 'generate_until',
      docToTarget: () => '5',
      metrics: ['exact_match'],
      generation: { until: ['\n'], temperature: 0.7 },
      repeats: 3,
      filters: [
        { name: 'first', steps: [{ filter: 'take_first' }] },
        { name: 'vote', steps: [{ filter: 'majority_vote' }] },
      ],
    }
    const [result] = await evaluate(lm, [task])
    expect(result!.scores.map(({ filter, value }) => [filter, value])).toEqual([
      ['first', 0],
      ['vote', 1],
    ])
  })

  const written = {
    ...questions,
    outputType: 'generate_until',
    docToTarget: () => 'x',
    metrics: ['exact_match'],
  } as const
  const filtered = (...steps: Filter[]): Task => ({ ...written, filters: [{ name: 'f', steps }] })
  test.each<[string, readonly Task[], string, EvaluateOptions?]>([
    ['tasks of one name', [questions, { ...questions }], 'two tasks named questions'],
    ['a metric of another output type', [{ ...written, metrics: ['acc'] }], 'metric acc for questions'],
    ['no metric', [{ ...questions, metrics: [] }], 'no metric for questions'],
    ['a broken pattern', [filtered({ filter: 'regex', pattern: '(' })], 'got "("'],
    ['a broken pattern of the metric', [{ ...written, exactMatch: { regexesToIgnore: ['['] } }], 'got "["'],
    ['more answers than are drawn', [filtered({ filter: 'take_first_k', k: 2 })], 'take_first_k: got 1 answers'],
    ['gold out of range', [{ ...questions, docToTarget: doc => (doc.q === 'b' ? 7 : 0) }], 'target 7'],
    ['no target', [{ ...written, docToTarget: () => undefined as never }], 'target undefined'],
    ['choices that are no texts', [{ ...questions, docToChoice: () => [1, 2] as never }], '[1,2] as the choices'],
    ['no choices', [{ ...questions, docToChoice: () => [] }], '[] as the choices'],
    ['no question', [{ ...questions, docToText: () => null as never }], 'null as the question'],
    ['repeats', [{ ...written, repeats: 0.5 }], 'repeats of questions 0.5'],
    ['a limit', [questions], 'limit -1', { limit: -1 }],
    ['a number of examples', [questions], 'numFewshot 0.5', { numFewshot: 0.5 }],
    ['a seed', [questions], 'fewshotSeed 1.5', { fewshotSeed: 1.5 }],
    ['no seed', [questions], 'fewshotSeed NaN', { fewshotSeed: Number.NaN }],
    ['a count of samples', [questions], 'bootstrapIterations NaN', { bootstrapIterations: Number.NaN }],
    ['one sample', [questions], 'bootstrapIterations 1,', { bootstrapIterations: 1 }],
  ])('refuses %s before it asks anything', async (_, tasks, reason, options = {}) => {
    const lm = new Written({ pairs: () => ({ logprob: -1, greedy: true }), generate: () => 'x' })
    const before = { ...questions, name: 'before' }
    await expect(evaluate(lm, [before, ...tasks], options)).rejects.toThrow(reason)
    expect(lm.asked).toEqual([])
  })

  test('texts that are all empty have no perplexity', async () => {
    const rolling: Task = { ...written, outputType: 'loglikelihood_rolling', metrics: ['byte_perplexity'] }
    const lm = new Written({ rolling: text => -text.length })
    const [result] = await evaluate(lm, [{ ...rolling, docToTarget: doc => (doc.q === 'b' ? '' : 'x') }])
    expect(result!.scores[0]!.value).toBeCloseTo(Math.E, 12)
    const error = await evaluate(lm, [{ ...rolling, docToTarget: () => '' }]).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(EvaluationError)
    expect((error as Error).message).toContain('divide byte_perplexity by')
  })

  test('says which documents, targets and metrics are missing', async () => {
    const { data: _, ...bare } = questions
    await expect(evaluate(yes, [bare])).rejects.toThrow('without its documents')
    await expect(evaluate(yes, [bare], { data: folderSource(folder) })).rejects.toThrow('Dataset.to_json')
    await expect(evaluate(yes, [{ ...questions, docToTarget: () => 7 }])).rejects.toThrow('one of the choices')
    await expect(evaluate(yes, [{ ...questions, metrics: ['word_perplexity'] }])).rejects.toThrow('word_perplexity')
  })
})

describe('task files', () => {
  test('a file of questions is a task', async () => {
    const path = file('animals.jsonl', '{"query":"A cat says","choices":["woof","yes"],"gold":1}\n\n')
    const [result] = await evaluate(yes, [await loadTask(path)])
    expect(result).toMatchObject({ task: 'animals', scores: [{ metric: 'acc', value: 1 }, { metric: 'acc_norm' }] })
    await expect(loadTask(file('bad.jsonl', '{"query":1}'))).rejects.toThrow('query, choices and gold')
    await expect(loadTask(file('bad2.jsonl', '{"query":"a"}\nnope'))).rejects.toThrow('line 2')
  })

  test.each([
    ['{"query":"a","choices":["b","c"],"gold":0}\n{"query":"a","gold":0}', 'question 2: got choices undefined'],
    ['{"query":"a","choices":[1,2],"gold":0}', 'got choices [1,2], expected a list of texts'],
    ['{"query":"a","choices":[],"gold":0}', 'got choices []'],
    ['{"query":"a","choices":["b"],"gold":1}', 'got gold 1, expected the index of a choice, 0 … 0'],
    ['{"query":null,"choices":["b"],"gold":0}', 'got query null'],
    ['[{"query": "a", ', 'got no JSON array'],
    ['[1, 2]', 'got 1 at 0'],
    ['', 'got lines with nothing'],
  ])('a file of questions %j is refused', async (text, reason) => {
    const error = await loadTask(file('refused.jsonl', text)).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(EvaluationError)
    expect((error as Error).message).toContain(reason)
  })

  test('a byte order mark is no part of a file', async () => {
    const line = '{"query":"A cat says","choices":["woof","yes"],"gold":1}'
    expect((await loadTask(file('marked.jsonl', `\ufeff${line}`))).data!.test).toHaveLength(1)
    expect((await loadTask(file('marked-list.jsonl', `\ufeff[${line}]`))).data!.test).toHaveLength(1)
    expect((await loadTask(file('marked.yaml', '\ufefftask: marked\n'))).name).toBe('marked')
  })

  test('a broken template is refused when it is read', () => {
    expect(() => readTask(taskFields('doc_to_text: "{{q"', 't'), 't')).toThrow(EvaluationError)
  })

  test('JSON holds its documents; YAML includes another file', async () => {
    const docs = [{ story: 'It rained.', ask: 'Was it wet?', answers: ['no', 'yes'], right: 'yes' }]
    file(
      'base.yaml',
      'output_type: multiple_choice\ndoc_to_text: "{{story}}\\nQ: {{ask}}\\nA:"\ndoc_to_choice: answers\n',
    )
    const path = file(
      'wet.yaml',
      `include: base.yaml\ntask: wet\ndoc_to_target: right\ndocs: ${JSON.stringify(docs)}\n`,
    )
    const [result] = await evaluate(yes, [await loadTask(path)])
    expect(result!.samples[0]!.requests[0]).toMatchObject({
      context: 'It rained.\nQ: Was it wet?\nA:',
      continuation: ' no',
    })
    expect(result!.scores[0]!.value).toBe(1)
  })

  test('a file may include several, the later first, but not itself', async () => {
    file('one.yaml', 'output_type: multiple_choice\ndoc_to_text: one\ndoc_to_target: right\n')
    file('two.yaml', 'doc_to_text: two\ndoc_to_choice: answers\ntest_split: test\n')
    const task = await loadTask(file('both.yaml', 'include: [one.yaml, two.yaml]\n'))
    expect(task.docToText({ one: 'a', two: 'b' })).toBe('b')
    file('round-a.yaml', 'include: round-b.yaml\n')
    await expect(loadTask(file('round-b.yaml', 'include: ./round-a.yaml\n'))).rejects.toThrow(
      'round-b.yaml → round-a.yaml → round-b.yaml',
    )
    await expect(loadTask(file('odd.yaml', 'include: {a: 1}\n'))).rejects.toThrow('include: got {"a":1}')
  })

  test.each([
    ['doc_to_text: !function utils.text', '!function utils.text'],
    ['output_type: winning', 'output_type: got "winning"'],
    ['metric_list: [{metric: bleu}]', 'got "bleu"'],
    ['filter_list: [{name: x, filter: [{function: custom}]}]', 'got "custom"'],
    ['fewshot_config: {samples: !function utils.examples}', 'fewshot_config.samples: got "!function utils.examples"'],
    ['fewshot_config: {doc_to_text: "Q: {{q}}"}', 'fewshot_config.doc_to_text: got "Q: {{q}}"'],
    ['fewshot_config: {fewshot_indices: [1, 2]}', 'fewshot_config.fewshot_indices: got [1,2]'],
    ['metric_list: [{metric: exact_match, aggregation: nanmean}]', 'aggregation of exact_match: got "nanmean"'],
    ['generation_kwargs: {num_beams: 4}', 'generation_kwargs: got "num_beams"'],
    ['process_results: abc', 'only templates'],
    ['num_fewshots: 5', 'got "num_fewshots", expected the key num_fewshot'],
    ['fewshot_delimeter: X', 'expected the key fewshot_delimiter'],
    ['proces_docs: foo', 'expected the key process_docs'],
    ['zzzzzzzzzz: 1', 'got "zzzzzzzzzz", expected only task, output_type'],
    ['metric_list: acc', 'metric_list: got "acc", expected a list'],
    ['metric_list: [null]', 'metric_list: got null'],
    ['metric_list: []', 'at least one metric'],
    ['metric_list: [{metric: exact_match, ignorecase: true}]', 'got "ignorecase", expected the key ignore_case'],
    ['metric_list: [{metric: exact_match, ignore_case: "yes"}]', 'ignore_case: got "yes", expected true or false'],
    ['num_fewshot: -1', 'num_fewshot: got -1, expected a whole number ≥ 0'],
    ['num_fewshot: 0.5', 'num_fewshot: got 0.5'],
    ['repeats: 0', 'repeats: got 0, expected a whole number ≥ 1'],
    ['task: [a, b]', 'Groups are not read'],
    ['test_split: 3', 'test_split: got 3'],
    ['doc_to_text: {a: b}', 'doc_to_text: got {"a":"b"}'],
    ['docs: [1]', 'docs: got [1]'],
    ['description: 3', 'description: got 3'],
    ['generation_kwargs: []', 'generation_kwargs: got []'],
    ['generation_kwargs: {max_gen_toks: many}', 'max_gen_toks: got "many"'],
    ['generation_kwargs: {do_sample: true}', 'do_sample is true'],
    ['filter_list: regex', 'filter_list: got "regex"'],
    ['filter_list: [{name: x, filter: regex}]', 'filter_list.0.filter: got "regex"'],
    ['filter_list: [{name: x, filter: [regex]}]', 'filter_list.0.filter: got "regex"'],
    ['filter_list: [{name: x, filter: [{function: take_first_k}]}]', 'take_first_k.k'],
    ['filter_list: [{name: x, filter: [{function: regex, pattern: a}]}]', 'got "pattern"'],
    ['filter_list: [{name: x, filter: [{function: map, mapping_dict: [1, 2]}]}]', 'mapping_dict: got [1,2]'],
    ['a: [', 'no YAML'],
    ['doc_to_text: *missing', 'no YAML or JSON: Unresolved alias'],
    [`a: &a [1]\nb: &b [${'*a,'.repeat(99)}]\nc: [${'*b,'.repeat(99)}]`, 'no YAML or JSON: Excessive alias'],
    ['- a', 'expected keys'],
  ])('%s is refused', (text, reason) => {
    const read = () => readTask(taskFields(text, 'bad'), 'bad')
    expect(read).toThrow(EvaluationError)
    expect(read).toThrow(reason)
  })

  test('what changes no result is passed over', () => {
    const about = 'metadata: {version: 1}\ntag: [a]\ntask_alias: b\ndataset_path: json\ndataset_name: null\n'
    const more = 'should_decontaminate: true\ndoc_to_decontamination_query: q\nunsafe_code: false\ngroup: g\n'
    const { task } = readTask(taskFields(`${about}${more}metric_list: null\nprocess_docs: null\n`, 't'), 't')
    expect(task).toMatchObject({ name: 't', metrics: ['exact_match'] })
  })

  test('choices of a mapping are its values, and fewshot_config may name the split of examples', () => {
    const { task } = readTask(
      taskFields(
        'output_type: multiple_choice\ndoc_to_text: q\ndoc_to_target: a\ndoc_to_choice: {a: "no", b: "yes"}\nfewshot_split: train\nfewshot_config: {split: dev, sampler: first_n, gen_prefix: null}\n',
        't',
      ),
      't',
    )
    expect(task.docToChoice!({})).toEqual(['no', 'yes'])
    expect(task).toMatchObject({ splits: { fewshot: 'dev' }, fewshotSampler: 'first_n' })
  })

  test('a template that names no field says which there are', async () => {
    const task = readTask(taskFields('output_type: generate_until\ndoc_to_text: "{{quetsion}}"', 't'), 't').task
    expect(() => task.docToText({ question: 'a' })).toThrow('fields: question')
  })
})
