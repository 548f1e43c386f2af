import { describe, expect, it } from 'vitest'
import { shared, withoutShared } from '../../test/shared.js'
import { fileSource } from '../node-file.js'
import { bytesSource } from '../source.js'
import { openLlama2c } from './read.js'

/** dim 8, ffn 16, 1 layer, 2 heads, 1 kv head, vocab 4, context 8. */
const sizes = [8, 16, 1, 2, 1, 4, 8]
const matrices = 8 * 8 + 4 * 8 + 4 * 8 + 8 * 8 + 3 * 16 * 8
const weights = 4 * 8 + matrices + 3 * 8

function header(version: number, fields: readonly number[], more: (view: DataView) => void = () => {}): Uint8Array {
  const bytes = new Uint8Array(version === 0 ? 28 : 256)
  const view = new DataView(bytes.buffer)
  if (version > 0) {
    view.setUint32(0, 0x616b3432, true)
    view.setInt32(4, version, true)
  }
  fields.forEach((n, i) => view.setInt32((version > 0 ? 8 : 0) + 4 * i, n, true))
  more(view)
  return bytes
}

const joined = (head: Uint8Array, body: Uint8Array): Uint8Array => Uint8Array.from([...head, ...body])

describe('llama2.c', () => {
  it('reads version 0: norms between the matrices, old tables behind', async () => {
    const body = Float32Array.from({ length: weights + 8 * 4 }, (_, i) => i)
    const file = await openLlama2c(bytesSource(joined(header(0, sizes), new Uint8Array(body.buffer))))
    expect(file.metadata).toMatchObject({ version: 0, dim: 8, kvHeads: 1, vocab: 4, tied: true })
    expect(file.tensors.get('model.layers.0.self_attn.k_proj.weight')!.shape).toEqual([4, 8])
    const first = async (name: string): Promise<number> => new Float32Array((await file.read(name)).slice().buffer)[0]!
    expect(await first('model.layers.0.input_layernorm.weight')).toBe(32)
    expect(await first('model.layers.0.self_attn.q_proj.weight')).toBe(40)
    expect(await first('model.layers.0.post_attention_layernorm.weight')).toBe(40 + 64 + 32 + 32 + 64)
    expect(await first('model.norm.weight')).toBe(weights - 8)
  })

  it('reads version 0 with its own classifier, marked by a negative vocabulary', async () => {
    const fields = sizes.with(5, -4)
    const body = new Uint8Array((weights + 8 * 4 + 4 * 8) * 4)
    const file = await openLlama2c(bytesSource(joined(header(0, fields), body)))
    expect(file.metadata).toMatchObject({ vocab: 4, tied: false })
    expect(file.tensors.has('lm_head.weight')).toBe(true)
  })

  it('reads version 1: norms first', async () => {
    const body = Float32Array.from({ length: weights }, (_, i) => i)
    const file = await openLlama2c(
      bytesSource(
        joined(
          header(1, sizes, v => v.setUint8(36, 1)),
          new Uint8Array(body.buffer),
        ),
      ),
    )
    expect(file.tensors.get('model.norm.weight')!.offset).toBe(256 + 16 * 4)
    expect(file.tensors.get('model.embed_tokens.weight')!.offset).toBe(256 + 24 * 4)
  })

  it('reads version 2: int8 with a scale for each group', async () => {
    const count = weights - 24
    const body = new Uint8Array(24 * 4 + count + (count / 4) * 4)
    const at = 24 * 4
    body[at] = 2
    body[at + 1] = 254 // -2
    body[at + 5] = 3
    const scales = new DataView(body.buffer, at + 32)
    for (let group = 0; group < 8; group++) scales.setFloat32(group * 4, group + 0.5, true)
    const head = header(2, sizes, view => {
      view.setUint8(36, 1)
      view.setInt32(37, 4, true)
    })
    const file = await openLlama2c(bytesSource(joined(head, body)))
    const values = new Float32Array((await file.read('model.embed_tokens.weight')).slice().buffer)
    expect([...values.subarray(0, 6)]).toEqual([1, -1, 0, 0, 0, 4.5])
    expect(file.tensors.get('model.embed_tokens.weight')).toMatchObject({ dtype: 'f32', bytes: 128 })
    expect(file.location('model.embed_tokens.weight')).toBeUndefined()
  })

  it('refuses other versions, sizes that do not fit, and headers that are no model', async () => {
    await expect(openLlama2c(bytesSource(header(3, sizes)))).rejects.toThrow(/version 3/)
    await expect(openLlama2c(bytesSource(joined(header(0, sizes), new Uint8Array(100))))).rejects.toThrow(/truncated/)
    await expect(openLlama2c(bytesSource(joined(header(0, sizes), new Uint8Array(weights * 4 + 999))))).rejects.toThrow(
      /expected \d+ for this header/,
    )
    await expect(openLlama2c(bytesSource(header(0, sizes.with(3, 3))))).rejects.toThrow(
      /expected the header of a llama2.c model/,
    )
    await expect(openLlama2c(bytesSource(new Uint8Array(28)))).rejects.toThrow(/got dim 0/)
  })

  it.skipIf(withoutShared)('opens stories260K', async () => {
    const file = await openLlama2c(await fileSource(shared('models/stories260K.bin')))
    expect(file.metadata).toMatchObject({
      version: 0,
      dim: 64,
      layers: 5,
      heads: 8,
      kvHeads: 4,
      vocab: 512,
      tied: true,
    })
    await file.close()
  })
})
