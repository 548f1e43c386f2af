/** Knowledge, reasoning and reading in the LLaMA papers' tables, and two of plain language modelling, as lm-eval 0.4 puts them. */
import { strip } from '../python.js'
import type { Doc, Task } from '../task.js'
import { text } from './common-sense.js'

/** cais/mmlu, one file of all subjects or of one (field `subject`); five examples from `dev`. */
export const mmlu: Task = {
  name: 'mmlu',
  outputType: 'multiple_choice',
  splits: { test: 'test', fewshot: 'dev' },
  fewshotSampler: 'first_n',
  fewshotGroup: doc => text(doc, 'subject'),
  description: doc =>
    `The following are multiple choice questions (with answers) about ${text(doc, 'subject').replaceAll('_', ' ')}.\n\n`,
  docToText: doc =>
    `${strip(text(doc, 'question'))}\n${(doc.choices as string[])
      .map((answer, i) => `${'ABCD'[i]}. ${answer}\n`)
      .join('')}Answer:`,
  docToChoice: () => ['A', 'B', 'C', 'D'],
  docToTarget: doc => Number(doc.answer),
  metrics: ['acc'],
}

/** openai/gsm8k main */
export const gsm8k: Task = {
  name: 'gsm8k',
  outputType: 'generate_until',
  splits: { training: 'train', test: 'test', fewshot: 'train' },
  numFewshot: 5,
  docToText: doc => `Question: ${text(doc, 'question')}\nAnswer:`,
  docToTarget: doc => text(doc, 'answer'),
  metrics: ['exact_match'],
  exactMatch: { ignoreCase: true, regexesToIgnore: [',', '\\$', '(?s).*#### ', '\\.$'] },
  generation: { until: ['Question:', '</s>', '<|im_end|>'] },
  filters: [
    {
      name: 'strict-match',
      steps: [{ filter: 'regex', pattern: '#### (\\-?[0-9\\.\\,]+)' }, { filter: 'take_first' }],
    },
    {
      name: 'flexible-extract',
      steps: [{ filter: 'regex', pattern: '(-?[$0-9.,]{2,})|(-?[0-9]+)', select: -1 }, { filter: 'take_first' }],
    },
  ],
}

const shortAnswer = {
  outputType: 'generate_until',
  metrics: ['exact_match'],
  generation: { until: ['\n', '.', ','] },
  filters: [{ name: 'remove_whitespace', steps: [{ filter: 'remove_whitespace' }, { filter: 'take_first' }] }],
} as const

/** trivia_qa rc.nocontext */
export const triviaqa: Task = {
  ...shortAnswer,
  name: 'triviaqa',
  splits: { training: 'train', validation: 'validation' },
  docToText: doc => `Question: ${text(doc, 'question')}?\nAnswer:`,
  docToTarget: doc => (doc.answer as { aliases: string[] }).aliases,
  exactMatch: { ignoreCase: true, ignorePunctuation: true },
}

/** nq_open */
export const nqOpen: Task = {
  ...shortAnswer,
  name: 'nq_open',
  splits: { training: 'train', validation: 'validation' },
  description: 'Answer these questions:\n\n',
  fewshotDelimiter: '\n',
  docToText: doc => `Q: ${text(doc, 'question')}?\nA:`,
  docToTarget: doc => doc.answer as string[],
  exactMatch: { ignoreCase: true, ignorePunctuation: true, regexesToIgnore: ['\\b(?:The |the |An |A |The |a |an )'] },
}

/** lambada_openai: the last word of a passage. */
export const lambada: Task = {
  name: 'lambada_openai',
  outputType: 'loglikelihood',
  splits: { test: 'test' },
  docToText: doc => text(doc, 'text').split(' ').slice(0, -1).join(' '),
  docToTarget: doc => ` ${text(doc, 'text').split(' ').at(-1)}`,
  metrics: ['perplexity', 'acc'],
}

/** wikitext-2-raw-v1 by document (field `page`), detokenised; words and bytes are the original's. */
export const wikitext: Task = {
  name: 'wikitext',
  outputType: 'loglikelihood_rolling',
  splits: { training: 'train', validation: 'validation', test: 'test' },
  docToText: () => '',
  docToTarget: (doc: Doc) => detokenise(text(doc, 'page')),
  rollingText: doc => text(doc, 'page'),
  metrics: ['word_perplexity', 'byte_perplexity', 'bits_per_byte'],
}

const detokenise = (page: string): string =>
  page
    .replaceAll("s '", "s'")
    // lm-eval's own pattern, with the slashes that it was copied with.
    .replace(/\/' [0-9]\//g, "/'[0-9]/")
    .replaceAll(' @-@ ', '-')
    .replaceAll(' @,@ ', ',')
    .replaceAll(' @.@ ', '.')
    .replaceAll(' : ', ': ')
    .replaceAll(' ; ', '; ')
    .replaceAll(' . ', '. ')
    .replaceAll(' ! ', '! ')
    .replaceAll(' ? ', '? ')
    .replaceAll(' , ', ', ')
    .replace(/\(\s*([^)]*?)\s*\)/g, '($1)')
    .replace(/\[\s*([^\]]*?)\s*\]/g, '[$1]')
    .replace(/\{\s*([^}]*?)\s*\}/g, '{$1}')
    .replace(/"\s*([^"]*?)\s*"/g, '"$1"')
    .replace(/'\s*([^']*?)\s*'/g, "'$1'")
    .replaceAll('= = = =', '====')
    .replaceAll('= = =', '===')
    .replaceAll('= =', '==')
    .replaceAll(' ° ', '°')
    .replaceAll(' \n', '\n')
    .replaceAll('\n ', '\n')
    .replaceAll(' N ', ' 1 ')
    .replaceAll(" 's", "'s")
