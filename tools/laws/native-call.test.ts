/** A decode step is one native call: counted, not promised. */
import { cpuStats } from '@cria/kernels-cpu'
import { Llama, llamaConfig, randomSource, Session } from '@cria/llama'
import { describe, expect, test } from 'vitest'
import { fast } from './devices.js'

const config = llamaConfig({
  vocabSize: 97,
  hiddenSize: 64,
  intermediateSize: 96,
  numHiddenLayers: 3,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
})

describe.each(fast)('on $name', ({ open }) => {
  test('each token is one replay and no eager launch', async () => {
    const device = await open()
    const model = new Llama(config, randomSource(device))
    const session = new Session(model, { capacity: 32 })
    await session.evaluate([1])
    const { launches } = device
    const before = cpuStats(device)!.replays
    for (let i = 0; i < 10; i++) await session.evaluate([i])
    expect(cpuStats(device)!.replays - before).toBe(10)
    expect(device.launches).toBe(launches)
    session.dispose()
    model.dispose()
    device.dispose()
  })
})
