/** Bundled for the browser test: `everywhere()`, and a file on disk that is overwritten while it is open. */
import { blobSource } from '../src/index.js'
import { codeOf, everywhere } from './everywhere.js'

async function overwritten(): Promise<string> {
  const root = await navigator.storage.getDirectory()
  const handle = await root.getFileHandle('model.gguf', { create: true })
  const write = async (text: string): Promise<void> => {
    const stream = await handle.createWritable()
    await stream.write(text)
    await stream.close()
  }
  await write('first')
  const source = blobSource(await handle.getFile())
  await write('second, and longer')
  return codeOf(source.read(0, 5))
}

Object.assign(globalThis, { everywhere, overwritten })
