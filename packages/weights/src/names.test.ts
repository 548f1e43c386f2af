import { expect, it } from 'vitest'
import { tinyConfig } from '../test/tiny.js'
import { expectedTensors } from './config/verify.js'
import { canonicalName, ggufNameOfHf, hfNameOfGguf, hfNameOfMeta, isIgnorable } from './names.js'

it('translates every tensor of a model to GGUF and back', () => {
  const config = { ...tinyConfig, qkNorm: true, biases: { q: true, k: true, v: true, o: true, mlp: true } }
  const names = [...expectedTensors(config).keys()]
  const gguf = names.map(name => ggufNameOfHf(name)!)
  expect(new Set(gguf).size).toBe(names.length)
  expect(gguf.map(hfNameOfGguf)).toEqual(names)
  expect(ggufNameOfHf('model.layers.1.mlp.down_proj.bias')).toBe('blk.1.ffn_down.bias')
})

it("translates Meta's names", () => {
  expect(hfNameOfMeta('layers.31.feed_forward.w3.weight')).toBe('model.layers.31.mlp.up_proj.weight')
  expect(hfNameOfMeta('layers.0.ffn_norm.weight')).toBe('model.layers.0.post_attention_layernorm.weight')
  expect(hfNameOfMeta('output.weight')).toBe('lm_head.weight')
  expect(hfNameOfMeta('layers.0.feed_forward.gate.weight')).toBeUndefined()
})

it('knows buffers that need no reading, and bare models', () => {
  expect(isIgnorable('model.layers.0.self_attn.rotary_emb.inv_freq')).toBe(true)
  expect(isIgnorable('rope.freqs')).toBe(true)
  expect(isIgnorable('model.norm.weight')).toBe(false)
  expect(canonicalName('hf', 'embed_tokens.weight')).toBe('model.embed_tokens.weight')
})
