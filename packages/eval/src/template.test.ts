/** Templates against jinja2 as lm-eval sets it up: tools/golden/template_golden.py. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EvaluationError } from './errors.js'
import type { Doc } from './task.js'
import { template } from './template.js'

const { doc, rendered } = JSON.parse(
  readFileSync(new URL('../../../tools/golden/templates.json', import.meta.url), 'utf8'),
) as { doc: Doc; rendered: [source: string, text: string | null][] }

test.each(rendered)('%s', (source, text) => {
  if (text === null) expect(() => template(source)(doc)).toThrow(EvaluationError)
  else expect(template(source)(doc)).toBe(text)
})

test.each(['{{s|join(",", attribute="k")}}', '{{s.replace("a", "b", count=1)}}', '{{obj|tojson}}', '{{list|unique}}'])(
  '%s is refused rather than rendered otherwise',
  source => {
    expect(() => template(source)(doc)).toThrow(EvaluationError)
  },
)

test('a field may have the name of what Jinja has itself', () => {
  expect(template('{{range}} {{namespace}}')({ range: 'a', namespace: 'b' })).toBe('a b')
})
