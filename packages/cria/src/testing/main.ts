/** The command from source, for tests. */
import { main } from '../index.js'

await main(process.argv)
