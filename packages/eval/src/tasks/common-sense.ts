/**
 * The common-sense tasks of the LLaMA papers as lm-eval 0.4 puts them. Documents have the fields of the data sets on
 * the Hugging Face hub, named beside each.
 */
import { EvaluationError } from '../errors.js'
import { capitalize, strip } from '../python.js'
import type { Doc, Task } from '../task.js'

export const text = (doc: Doc, field: string): string => {
  const value = doc[field]
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new EvaluationError(
    `data: got a document with ${Object.keys(doc).join(', ')}, expected a text in ${field}. Rows must have the data set's own fields`,
    { op: 'data', got: value },
  )
}

/** `choices: { text: […], label: […] }` with `answerKey`. */
const labelled = (doc: Doc): { texts: string[]; labels: string[] } => {
  const { text: texts, label } = (doc.choices ?? {}) as { text?: string[]; label?: string[] }
  if (texts && label) return { texts, labels: label }
  throw new EvaluationError(
    `data: got a document with ${Object.keys(doc).join(', ')}, expected choices with text and label`,
    { op: 'data', got: doc.choices },
  )
}
const labelledChoices = {
  docToChoice: (doc: Doc) => labelled(doc).texts,
  docToTarget: (doc: Doc) => labelled(doc).labels.indexOf(strip(text(doc, 'answerKey'))),
}

const choice = { outputType: 'multiple_choice', metrics: ['acc', 'acc_norm'] } as const

/** super_glue boolq */
export const boolq: Task = {
  ...choice,
  name: 'boolq',
  splits: { training: 'train', validation: 'validation' },
  docToText: doc => `${text(doc, 'passage')}\nQuestion: ${text(doc, 'question')}?\nAnswer:`,
  docToChoice: () => ['no', 'yes'],
  docToTarget: doc => Number(doc.label),
  metrics: ['acc'],
}

/** piqa */
export const piqa: Task = {
  ...choice,
  name: 'piqa',
  splits: { training: 'train', validation: 'validation' },
  docToText: doc => `Question: ${text(doc, 'goal')}\nAnswer:`,
  docToChoice: doc => [text(doc, 'sol1'), text(doc, 'sol2')],
  docToTarget: doc => Number(doc.label),
}

/** social_i_qa */
export const socialIqa: Task = {
  ...choice,
  name: 'social_iqa',
  splits: { training: 'train', validation: 'validation' },
  docToText: doc => `Q: ${text(doc, 'context')} ${text(doc, 'question')}\nA:`,
  docToChoice: doc => ['answerA', 'answerB', 'answerC'].map(field => text(doc, field)),
  docToTarget: doc => Number(doc.label) - 1,
  metrics: ['acc'],
}

const wikiHow = (s: string): string =>
  strip(s)
    .replaceAll(' [title]', '. ')
    .replace(/\[.*?\]/g, '')
    .replaceAll('  ', ' ')

/** Rowan/hellaswag */
export const hellaswag: Task = {
  ...choice,
  name: 'hellaswag',
  splits: { training: 'train', validation: 'validation' },
  docToText: doc => wikiHow(`${text(doc, 'activity_label')}: ${text(doc, 'ctx_a')} ${capitalize(text(doc, 'ctx_b'))}`),
  docToChoice: doc => (doc.endings as string[]).map(wikiHow),
  docToTarget: doc => Number(doc.label),
}

/** winogrande_xl: each option in the sentence's blank, what follows it is scored. */
export const winogrande: Task = {
  ...choice,
  name: 'winogrande',
  splits: { training: 'train', validation: 'validation' },
  docToText: doc => Number(doc.answer) - 1,
  docToChoice: doc => {
    const before = text(doc, 'sentence').split('_')[0]!
    return [text(doc, 'option1'), text(doc, 'option2')].map(option => before + option)
  },
  docToTarget: doc => strip(text(doc, 'sentence').slice(text(doc, 'sentence').indexOf('_') + 1)),
  metrics: ['acc'],
}

/** ai2_arc ARC-Easy */
export const arcEasy: Task = {
  ...choice,
  ...labelledChoices,
  name: 'arc_easy',
  splits: { training: 'train', validation: 'validation', test: 'test' },
  docToText: doc => `Question: ${text(doc, 'question')}\nAnswer:`,
}

/** ai2_arc ARC-Challenge */
export const arcChallenge: Task = { ...arcEasy, name: 'arc_challenge' }

/** openbookqa main */
export const openbookqa: Task = {
  ...choice,
  ...labelledChoices,
  name: 'openbookqa',
  splits: { training: 'train', validation: 'validation', test: 'test' },
  docToText: doc => text(doc, 'question_stem'),
}

/** commonsense_qa, by letter as lm-eval has it. */
export const commonsenseQa: Task = {
  ...choice,
  name: 'commonsense_qa',
  splits: { training: 'train', validation: 'validation' },
  docToText: doc =>
    `Question: ${strip(text(doc, 'question'))}\n${labelled(doc)
      .texts.map((answer, i) => `${'ABCDE'[i]}. ${answer}\n`)
      .join('')}Answer:`,
  docToChoice: () => ['A', 'B', 'C', 'D', 'E'],
  docToTarget: doc => text(doc, 'answerKey'),
  metrics: ['acc'],
}

/** LLaMA (§3): likelihood given the question over likelihood given "Answer:", for these two tasks. */
export const openbookqaLlama: Task = { ...openbookqa, name: 'openbookqa_llama', metrics: ['acc_answer'] }
export const boolqLlama: Task = { ...boolq, name: 'boolq_llama', metrics: ['acc_answer'] }
