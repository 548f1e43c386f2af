// Runs in Node, on a page and in a worker: every family, its streams, its saved forms and a chat. The result must be the
// same wherever it runs.

import { renderChat } from '../src/chat.js'
import {
  encodeWithOffsets,
  fromCompact,
  fromSentencePiece,
  fromTokenizerJson,
  renderLlama2Chat,
  StreamEncoder,
  type Tokenizer,
  TokenizerError,
  toCompact,
  toTokenizerJson,
  trainBpe,
} from '../src/index.js'

const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>' + m.content + '<|eot_id|>' }}{% endfor %}"

/** A number that any other id in any other place would change. */
function digest(lists: Iterable<ArrayLike<number>>): number {
  let hash = 0
  for (const ids of lists) for (let i = 0; i <= ids.length; i++) hash = (Math.imul(hash, 31) + (ids[i] ?? -1)) | 0
  return hash
}

function facts(tokenizer: Tokenizer, texts: readonly string[]): Record<string, unknown> {
  const ids = texts.map(text => tokenizer.encode(text))
  const whole = texts.join('\n ')
  const encoder = new StreamEncoder(tokenizer, { held: 500 })
  const stream: number[] = []
  const bytes = new TextEncoder().encode(whole)
  for (let at = 0; at < bytes.length; at += 77) stream.push(...encoder.push(bytes.subarray(at, at + 77)))
  stream.push(...encoder.end())
  const compact = fromCompact(toCompact(tokenizer))
  const { starts, ends } = encodeWithOffsets(tokenizer, texts[0]!)
  return {
    ids: digest(ids),
    text: ids.map(list => tokenizer.decode(list)).join('').length,
    streams: digest([stream]) === digest([tokenizer.encode(whole)]),
    compact: digest(texts.map(text => compact.encode(text))),
    offsets: digest([starts, ends]),
    special: digest(texts.map(text => tokenizer.encode(text, { allowSpecial: 'all' }))),
  }
}

export async function everywhere(read: (file: string) => Promise<Uint8Array>): Promise<Record<string, unknown>> {
  const texts = JSON.parse(new TextDecoder().decode(await read('texts.json'))) as string[]
  const llama3 = fromTokenizerJson(await read('llama3.json'))
  const unigram = fromSentencePiece(await read('unigram.model'))
  const trained = trainBpe(texts, { vocabSize: 1000, kind: 'sentencepiece', special: ['<unk>', '<s>', '</s>'] })
  const messages = [{ role: 'user', content: 'Hello <|eot_id|>' }]
  let refused = ''
  try {
    unigram.decode([1e6])
  } catch (error) {
    if (error instanceof TokenizerError) refused = error.message
  }
  return {
    llama3: facts(llama3, texts),
    unigram: facts(unigram, texts),
    trained: facts(trained, texts),
    saved: JSON.stringify(toTokenizerJson(trained)).length,
    chat: [...renderChat(llama3, messages, { template: TEMPLATE }).ids],
    llama2: renderLlama2Chat(trained, [{ role: 'user', content: 'Hi' }]).text,
    refused,
  }
}
