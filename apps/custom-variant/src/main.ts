/** Trains the variant on every backend that starts here. */
import { cpu } from '@cria/kernels-cpu'
import { wasm } from '@cria/kernels-cpu/wasm'
import { webgpu } from '@cria/kernels-webgpu'
import { type Device, Unavailable } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { trainVariant } from './train.js'

const backends: (() => Promise<Device>)[] = [async () => reference(), cpu, wasm, webgpu]

for (const open of backends) {
  try {
    using device = await open()
    const losses = await trainVariant(device, 10)
    console.log(`${device.name.padEnd(10)} ${losses.map(l => l.toFixed(4)).join(' ')}`)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    console.log(error.message)
  }
}
