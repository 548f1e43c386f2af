/** One share of a round's telling, in a process of its own: a program, not to be imported. */
import { setImmediate } from 'node:timers/promises'
import { type Accepted, type Share, tellShare } from './telling.js'

const orphaned = (): void => process.exit(1)
process.once('disconnect', orphaned)
process.once('message', async (share: Share) => {
  const kept: [number, Accepted][] = []
  for await (const one of tellShare(share)) {
    kept.push(one)
    await setImmediate() // what else has happened, such as the end of the process that wants this, is seen here alone
  }
  process.send!(kept, () => {
    process.off('disconnect', orphaned)
    process.disconnect()
  })
})
