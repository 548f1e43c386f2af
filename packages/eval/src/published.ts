/**
 * What the LLaMA papers report, in per cent: LLaMA (Touvron et al. 2023a, Tables 3 to 9) and Llama 2 (2023b, Tables 3
 * and 19 to 25). Zero-shot unless the protocol says otherwise.
 */

/** The columns of the tables, by the bundled task that is nearest. */
export const protocols: Readonly<Record<string, { readonly metric: string; readonly protocol: string }>> = {
  boolq_llama: { metric: 'acc_answer', protocol: '0-shot, likelihood over that after "Answer:"' },
  piqa: { metric: 'acc_norm', protocol: '0-shot, by characters' },
  social_iqa: { metric: 'acc_norm', protocol: '0-shot, by characters' },
  hellaswag: { metric: 'acc_norm', protocol: '0-shot, by characters' },
  winogrande: { metric: 'acc', protocol: '0-shot' },
  arc_easy: { metric: 'acc_norm', protocol: '0-shot, by characters' },
  arc_challenge: { metric: 'acc_norm', protocol: '0-shot, by characters' },
  openbookqa_llama: { metric: 'acc_answer', protocol: '0-shot, likelihood over that after "Answer:"' },
  commonsense_qa: { metric: 'acc', protocol: '7-shot in Llama 2' },
  mmlu: { metric: 'acc', protocol: '5-shot' },
  gsm8k: { metric: 'exact_match', protocol: '8-shot' },
}

type Column = keyof typeof columns

const columns = {
  boolq_llama: 0,
  piqa: 1,
  social_iqa: 2,
  hellaswag: 3,
  winogrande: 4,
  arc_easy: 5,
  arc_challenge: 6,
  openbookqa_llama: 7,
  commonsense_qa: 8,
  mmlu: 9,
  gsm8k: 10,
} as const

const rows: Readonly<Record<string, readonly number[]>> = {
  'LLaMA 7B': [76.5, 79.8, 48.9, 76.1, 70.1, 72.8, 47.6, 57.2, 33.6, 35.1, 11.0],
  'LLaMA 13B': [78.1, 80.1, 50.4, 79.2, 73.0, 74.8, 52.7, 56.4, 62.0, 46.9, 17.8],
  'LLaMA 33B': [83.1, 82.3, 50.4, 82.8, 76.0, 80.0, 57.8, 58.6, 72.5, 57.8, 35.6],
  'LLaMA 65B': [85.3, 82.8, 52.3, 84.2, 77.0, 78.9, 56.0, 60.2, 74.0, 63.4, 50.9],
  'Llama 2 7B': [77.4, 78.8, 48.3, 77.2, 69.2, 75.2, 45.9, 58.6, 57.8, 45.3, 14.6],
  'Llama 2 13B': [81.7, 80.5, 50.3, 80.7, 72.8, 77.3, 49.4, 57.0, 67.3, 54.8, 28.7],
  'Llama 2 34B': [83.7, 81.9, 50.9, 83.3, 76.7, 79.4, 54.5, 58.2, 74.3, 62.6, 42.2],
  'Llama 2 70B': [85.0, 82.8, 50.7, 85.3, 80.2, 80.2, 57.4, 60.2, 78.5, 68.9, 56.8],
}

/** Models of the papers. */
export const publishedModels: readonly string[] = Object.keys(rows)

/** A figure of the papers in per cent, if they have it for this task. */
export const published = (model: string, task: string): number | undefined =>
  task in columns ? rows[model]?.[columns[task as Column]] : undefined
