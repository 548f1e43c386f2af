import { reference } from '@cria/tensor/reference'
import { expect, test } from 'vitest'
import { trainVariant } from './train.js'

test('the variant learns on the reference backend and frees everything', async () => {
  const device = reference()
  const before = device.liveBytes
  const losses = await trainVariant(device, 8)
  expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.6)
  expect(device.liveBytes).toBe(before)
})
