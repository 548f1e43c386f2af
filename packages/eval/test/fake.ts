/** A tiny random LLaMA, a tokenizer of characters, a task, and a language model whose answers are written down. */
import { Llama, type LlamaConfig, llamaConfig, randomSource } from '@cria/llama'
import type { Device } from '@cria/tensor'
import type {
  GenerateRequest,
  LanguageModel,
  Loglikelihood,
  LoglikelihoodRequest,
  Task,
  TextTokenizer,
} from '../src/index.js'

export const tiny: LlamaConfig = llamaConfig({
  vocabSize: 61,
  hiddenSize: 32,
  intermediateSize: 48,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  maxPositionEmbeddings: 64,
})

export const tinyLlama = (device: Device, seed: number, config: LlamaConfig = tiny): Llama =>
  new Llama(config, randomSource(device, { seed, std: 0.2 }))

/** `a` is 3, `b` 4 …; 0 is EOS, 1 is BOS, 2 stands for any other character. */
export const letters: TextTokenizer = {
  bosId: 1,
  eosId: 0,
  eosIds: [0],
  encode: (text, { bos = false } = {}) => [
    ...(bos ? [1] : []),
    ...Array.from(text, c => (c >= 'a' && c <= 'z' ? c.charCodeAt(0) - 94 : c === ' ' ? 30 : 2)),
  ],
  decode: ids =>
    Array.from(ids, id => (id === 30 ? ' ' : id > 2 && id < 29 ? String.fromCharCode(id + 94) : '?')).join(''),
}

/** Looks answers up by their question and records what it was asked. */
export class Written implements LanguageModel {
  readonly asked: unknown[] = []

  constructor(
    private readonly answers: {
      readonly pairs?: (request: LoglikelihoodRequest) => Loglikelihood
      readonly rolling?: (text: string) => number
      readonly generate?: (request: GenerateRequest, n: number) => string
    },
  ) {}

  async loglikelihood(requests: readonly LoglikelihoodRequest[]): Promise<Loglikelihood[]> {
    this.asked.push(...requests)
    return requests.map(this.answers.pairs!)
  }

  async loglikelihoodRolling(texts: readonly string[]): Promise<number[]> {
    this.asked.push(...texts)
    return texts.map(this.answers.rolling!)
  }

  async generateUntil(requests: readonly GenerateRequest[]): Promise<string[]> {
    this.asked.push(...requests)
    return requests.map((request, n) => this.answers.generate!(request, n))
  }

  async cacheKeys(requests: readonly unknown[]): Promise<string[]> {
    return requests.map(request => JSON.stringify(request))
  }
}

export const questions: Task = {
  name: 'questions',
  outputType: 'multiple_choice',
  splits: { test: 'test', training: 'train' },
  data: {
    train: [
      { q: 'x', choices: ['p', 'q'], gold: 1 },
      { q: 'y', choices: ['r', 's'], gold: 0 },
    ],
    test: [
      { q: 'a', choices: ['no', 'yes'], gold: 1 },
      { q: 'b', choices: ['no', 'yes'], gold: 0 },
    ],
  },
  docToText: doc => `Q: ${doc.q}\nA:`,
  docToChoice: doc => doc.choices as string[],
  docToTarget: doc => doc.gold as number,
  metrics: ['acc'],
}
