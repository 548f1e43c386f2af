/** The bundled tasks ask what lm-eval's own task files ask, of the same rows: tools/golden/eval_tasks_golden.py. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Written } from '../../test/fake.js'
import { bundledTask, type Doc, evaluate, published, resultsTable, taskNames } from '../index.js'

const golden = JSON.parse(
  readFileSync(new URL('../../../../tools/golden/eval-tasks.json', import.meta.url), 'utf8'),
) as {
  tasks: Record<string, { data: Record<string, Doc[]>; shots: Record<string, [string, unknown?][]> }>
}
const answers = {
  pairs: () => ({ logprob: -1, greedy: true }),
  rolling: () => -1,
  generate: () => '#### 7',
}

describe.each(Object.entries(golden.tasks))('%s', (name, { data, shots }) => {
  test.each(Object.keys(shots))('with %s examples', async k => {
    const task = { ...bundledTask(name.replace(/^mmlu_.*/, 'mmlu')), data, numFewshot: Number(k) }
    const [result] = await evaluate(new Written(answers), [task])
    const asked = result!.samples.flatMap(s => s.requests)
    expect(asked.map(request => ('text' in request ? request.text : request.context))).toEqual(
      shots[k]!.map(([context]) => context),
    )
    for (const [i, request] of asked.entries())
      if (request.kind === 'loglikelihood') expect(request.continuation).toBe(shots[k]![i]![1])
      else if (request.kind === 'generate_until') expect(shots[k]![i]![1]).toMatchObject({ until: request.until })
  })
})

test('rows without the data set’s fields are refused by field', async () => {
  const task = { ...bundledTask('piqa'), data: { validation: [{ question: 'a' }] } }
  await expect(evaluate(new Written(answers), [task])).rejects.toThrow('goal')
  expect(() => bundledTask('arc')).toThrow('arc_easy')
})

test('results stand beside the figures of the papers', async () => {
  const { data } = golden.tasks.arc_easy!
  const results = await evaluate(new Written(answers), [{ ...bundledTask('arc_easy'), data }])
  const table = resultsTable(results)
  expect(published('Llama 2 7B', 'arc_easy')).toBe(75.2)
  expect(table).toMatch(/\| arc_easy \| +50\.0 +\| 72\.8 .*\| 80\.2 /)
  expect(taskNames).toContain('sanity')
  expect(published('Llama 2 7B', 'sanity')).toBeUndefined()
})
